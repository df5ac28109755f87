/** The addresses that a plan put on the tunnel's interface. */

import type { InterfaceAddress } from '../base/address.js';
import { isGone, isWithoutIpv6 } from './host_errors.js';
import { type Netlink, NetlinkError, type PlacedAddress } from './netlink.js';

type AddressNetlink = Pick<Netlink, 'addAddress' | 'deleteAddress'>;

/** What came of putting things right. */
export interface Repaired {
  readonly count: number;
  readonly refusals: readonly string[];
}

export class HostAddresses {
  readonly #netlink: AddressNetlink;
  readonly #ours = new Map<string, InterfaceAddress>();

  constructor(netlink: AddressNetlink) {
    this.#netlink = netlink;
  }

  /**
   * Adds those that are not ours yet. Throws NetlinkError, and then none of them is added.
   * `skipped` takes why the kernel refused what needs IPv6, where that is off.
   */
  add(index: number, wanted: readonly InterfaceAddress[], skipped: string[]): InterfaceAddress[] {
    const added: InterfaceAddress[] = [];
    try {
      for (const address of wanted) {
        if (this.#ours.has(address.text) || !this.#tryAdd(index, address, skipped)) continue;
        this.#ours.set(address.text, address);
        added.push(address);
      }
    } catch (error) {
      this.delete(index, added);
      throw error;
    }
    return added;
  }

  /** Deletes ours but these, the last first; those that were deleted. */
  keepOnly(index: number, wanted: readonly InterfaceAddress[]): InterfaceAddress[] {
    const texts = new Set(wanted.map(({ text }) => text));
    const others = [...this.#ours.values()].filter(({ text }) => !texts.has(text));
    this.delete(index, others.reverse());
    return others;
  }

  /** What is gone already is no fault. */
  delete(index: number, addresses: readonly InterfaceAddress[]): void {
    for (const address of addresses) {
      this.#ours.delete(address.text);
      try {
        this.#netlink.deleteAddress(index, address);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  }

  /** Adds again those of ours that are not among `placed`. */
  repair(index: number, placed: readonly PlacedAddress[]): Repaired {
    const there = new Set(
      placed.filter((each) => each.interfaceIndex === index).map(({ address }) => address.text),
    );
    const missing = [...this.#ours.values()].filter(({ text }) => !there.has(text));
    const refusals: string[] = [];
    for (const address of missing) {
      try {
        this.#netlink.addAddress(index, address);
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
        refusals.push(error.message);
      }
    }
    return { count: missing.length - refusals.length, refusals };
  }

  #tryAdd(index: number, address: InterfaceAddress, skipped: string[]): boolean {
    try {
      this.#netlink.addAddress(index, address);
      return true;
    } catch (error) {
      if (!isWithoutIpv6(error, address.address.family)) throw error;
      skipped.push(error.message);
      return false;
    }
  }
}
