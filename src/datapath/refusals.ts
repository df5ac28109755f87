/**
 * Tells the senders of inner packets that go nowhere, as the kernel's WireGuard does, so that they
 * need not wait for a time limit. At most REFUSAL_BURST at once and one every REFUSAL_INTERVAL from
 * then on, whoever asks: who floods is told less often.
 */

import { after, elapsed, type Instant, instant, latest, millis } from '../base/time.js';
import { emitUnreachable, mayBeRefused } from './unreachable.js';

export const REFUSAL_BURST = 50;
export const REFUSAL_INTERVAL = millis(10);

export class Refusals {
  /** When a whole burst may go out again. */
  #restedAt: Instant = instant(0);

  /** What to write to the TUN about a whole packet; undefined: nothing. */
  about(packet: Uint8Array, now: Instant): Uint8Array | undefined {
    if (!mayBeRefused(packet)) return undefined;
    const restedAt = after(latest(this.#restedAt, now), REFUSAL_INTERVAL);
    if (elapsed(now, restedAt) > REFUSAL_BURST * REFUSAL_INTERVAL) return undefined;
    this.#restedAt = restedAt;
    return emitUnreachable(packet);
  }
}
