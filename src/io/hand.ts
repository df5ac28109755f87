/**
 * A hand carries the walk out with real packets: native (C++ lanes) or reference (TypeScript over
 * dgram). The loop gives it table writes and handshake datagrams, and takes its events; to the
 * control plane both hands look the same.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { CounterReading, NativeCounter } from '../datapath/counters.js';
import type { PeerTraffic, TableWrite, WalkEvent } from '../datapath/tables.js';

export interface Hand {
  readonly kind: 'native' | 'reference';
  /** As the kernel named it. */
  readonly interfaceName: string;
  readonly listenPort: number;
  /**
   * Called once, with what is to be called whenever events wait; never from inside another method.
   */
  onEvents(wake: () => void): void;
  write(write: TableWrite, now: Instant): void;
  /** Ends a batch of writes: what the hand gathers to publish at once is in force from here on. */
  commit(): void;
  /**
   * Sends a handshake datagram and counts it as the peer's traffic; a failure is counted, never
   * thrown.
   */
  send(peer: PeerSlot | undefined, endpoint: Endpoint, datagram: Uint8Array, now: Instant): void;
  /** Moves up to `limit` waiting events into `out`; true when more wait. */
  takeEvents(out: WalkEvent[], limit: number): boolean;
  counters(): HandCounters;
  traffic(peer: PeerSlot): PeerTraffic;
  /** Sets the firewall mark of outer datagrams (SO_MARK). */
  setMark(mark: number): void;
  /**
   * What an operator should know about how the hand runs: buffers clamped, which cipher code,
   * offloads.
   */
  remarks(): readonly string[];
  close(): void;
}

export interface HandCounters extends CounterReading {
  /** Absent in the reference hand, which has no batches. */
  readonly native?: Readonly<Record<NativeCounter, bigint>>;
}

/** The hand could not be opened: which part, why, and what to do. */
export class HandError extends Error {
  override readonly name = 'HandError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
