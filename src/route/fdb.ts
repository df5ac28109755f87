/**
 * Who is who among clear peers: by the outer address, the port and the VNI that a datagram comes
 * with, and by the Ethernet address of its frame. Nothing is learned from traffic: what stands here
 * was configured (as Flannel does, and against RFC 7348 §4.1, where anybody may claim an address).
 */

import type { Address, Mac } from '../base/address.js';

/** Where a clear peer is on the underlay, and, of VXLAN, on its segment. */
export interface Vtep {
  readonly address: Address;
  /** Of both ends. */
  readonly port: number;
  /** Absent: bare IP in UDP. */
  readonly segment?: { readonly vni: number; readonly mac: Mac };
}

/** What a datagram tells of its sender; `vni` is absent where there is no VXLAN. */
export interface Sender {
  readonly address: Address;
  /** Ours, on which it arrived. */
  readonly port: number;
  readonly vni?: number;
}

export class Fdb<Owner> {
  readonly #vteps = new Map<Owner, Vtep>();
  readonly #owners = new Map<string, Owner>();
  readonly #macs = new Map<string, Owner>();

  get size(): number {
    return this.#vteps.size;
  }

  /**
   * Replaces what the owner had. Of several at one place the one that came last has it; who comes
   * to where it is already does not.
   */
  insert(owner: Owner, vtep: Vtep): void {
    const before = this.#vteps.get(owner);
    if (before && isSameVtep(before, vtep)) return;
    this.remove(owner);
    this.#vteps.set(owner, vtep);
    this.#enter(owner, vtep);
  }

  remove(owner: Owner): void {
    if (!this.#vteps.delete(owner)) return;
    this.#owners.clear();
    this.#macs.clear();
    for (const [other, vtep] of this.#vteps) this.#enter(other, vtep);
  }

  lookup(sender: Sender): Owner | undefined {
    return this.#owners.get(keyOf(sender));
  }

  /** Whether the Ethernet address is another's and not the owner's. */
  isOfAnother(owner: Owner, mac: Mac): boolean {
    const own = this.#vteps.get(owner)?.segment?.mac;
    return own?.text !== mac.text && this.#macs.has(mac.text);
  }

  #enter(owner: Owner, vtep: Vtep): void {
    this.#owners.set(keyOf({ ...vtep, ...vtep.segment }), owner);
    if (vtep.segment) this.#macs.set(vtep.segment.mac.text, owner);
  }
}

function isSameVtep(a: Vtep, b: Vtep): boolean {
  const isSamePlace = keyOf({ ...a, ...a.segment }) === keyOf({ ...b, ...b.segment });
  return isSamePlace && a.segment?.mac.text === b.segment?.mac.text;
}

function keyOf({ address, port, vni }: Sender): string {
  return `${vni ?? 'udp'} ${port} ${address.text}`;
}
