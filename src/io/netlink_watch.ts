/**
 * Tells when links, addresses, routes or rules of this network namespace change: what kinds, not
 * what. A burst of changes is one call; changes that come while it is answered are the next one.
 */

import type { Addon, NetlinkWatch } from './native.js';
import { NetlinkError } from './netlink.js';

export class NetlinkWatcher {
  readonly #addon: Addon;
  readonly #watch: NetlinkWatch;
  #isClosed = false;

  /**
   * `onChange` is called with bits of NETLINK_CHANGES, on turns of its own, until close. Throws
   * NetlinkError.
   */
  constructor(addon: Addon, onChange: (bits: number) => void) {
    this.#addon = addon;
    const watch = addon.netlinkWatch(() => {
      if (this.#isClosed) return;
      const bits = addon.netlinkWatchTake(this.#watch);
      if (bits !== 0) onChange(bits);
    });
    if (typeof watch === 'number') {
      throw new NetlinkError('Watch for network changes', addon.errnoName(-watch));
    }
    this.#watch = watch;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#addon.netlinkWatchClose(this.#watch);
  }
}
