/**
 * What an operator hears of sessions: a first one and the loss of one at level info, its successors
 * at debug. When the last one was made is noted with the peer.
 */

import type { Log } from '../base/log.js';
import { elapsed, type Instant } from '../base/time.js';
import { REJECT_AFTER_TIME } from '../session/constants.js';
import type { WallClock } from '../base/wall_clock.js';
import type { Peer } from './peer_table.js';

export class SessionLog {
  readonly #wallClock: WallClock;
  readonly #log: Log;

  constructor(wallClock: WallClock, log: Log) {
    this.#wallClock = wallClock;
    this.#log = log;
  }

  established(peer: Peer, now: Instant): void {
    const before = peer.latestHandshake?.at;
    const isSuccessor = before !== undefined && elapsed(before, now) < REJECT_AFTER_TIME;
    peer.latestHandshake = { at: now, wall: this.#wallClock.at(now) };
    const fields = { peer: peer.config.name, endpoint: peer.session.endpoint?.text ?? '' };
    // Those of a mesh come and go by the hundred, and are its own affair.
    if (isSuccessor || peer.isMesh) this.#log.debug('Session renewed', fields);
    else this.#log.info('Session established', fields);
  }

  gaveUp({ config, isMesh }: Peer): void {
    const fields = { peer: config.name };
    if (isMesh) this.#log.debug('Handshake given up', fields);
    else this.#log.info('Handshake given up', fields);
  }

  /** A peer that says no hello is told of once, until it does. */
  hello(peer: Peer, isAnswered: boolean): void {
    if (!isAnswered && !peer.isStockTold) {
      this.#log.info('Peer does not speak heddle, and is taken as stock WireGuard', {
        peer: peer.config.name,
      });
    }
    peer.isStockTold = !isAnswered;
  }
}
