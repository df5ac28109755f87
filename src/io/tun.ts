/**
 * The TUN device of the reference hand: packets are read one at a time on libuv's pool and written
 * at once. The descriptor blocks, so a read that waits ends only when the device goes; `close`
 * therefore deletes the device first.
 */

import { read, writeSync } from 'node:fs';
import type { Addon } from './native.js';
import type { Netlink } from './netlink.js';

const LONGEST_PACKET = 65_575;

export class TunFile {
  readonly name: string;
  readonly #addon: Addon;
  readonly #fd: number;
  #isOpen = true;
  #isReading = false;

  /** `opened` is what the addon's openTun gave. */
  constructor(addon: Addon, opened: { readonly fd: number; readonly name: string }) {
    this.#addon = addon;
    this.#fd = opened.fd;
    this.name = opened.name;
  }

  /** Calls `received` with each packet, which is the receiver's to keep, until the device goes. */
  start(received: (packet: Uint8Array) => void): void {
    const buffer = new Uint8Array(LONGEST_PACKET);
    const next = (): void => {
      this.#isReading = true;
      read(this.#fd, buffer, 0, buffer.length, null, (error, length) => {
        this.#isReading = false;
        if (!this.#isOpen) this.#addon.closeFd(this.#fd);
        else if (!error) {
          received(buffer.slice(0, length));
          next();
        }
      });
    };
    next();
  }

  /** False when the device did not take it. */
  write(packet: Uint8Array): boolean {
    try {
      return this.#isOpen && writeSync(this.#fd, packet) === packet.length;
    } catch {
      return false;
    }
  }

  /** False once the device was deleted; true in another namespace, too. */
  isThere(): boolean {
    return this.#isOpen && this.#addon.tunIsThere(this.#fd);
  }

  /** Lets go of a device that was deleted. */
  forget(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#isReading) this.#addon.closeFd(this.#fd);
  }

  /** Deletes the device, which ends the waiting read. */
  close(netlink: Netlink): void {
    if (!this.#isOpen) return;
    const link = netlink.linkByName(this.name);
    if (link) netlink.deleteLink(link);
    this.forget();
  }
}
