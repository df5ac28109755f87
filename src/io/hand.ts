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
import type { ClearPort } from '../encap/encapsulation.js';
import type { OffloadStates, OffloadSwitches, SocketBuffers } from '../node/offloads.js';
import type { AeadBackendReport } from './native.js';

export interface Hand {
  readonly kind: 'native' | 'reference';
  /** 1 to MAX_LANES: how many threads carry packets each way. */
  readonly lanes: number;
  /** As the kernel named it. */
  readonly interfaceName: string;
  /** The port in use, as setListenPort left it. */
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
  /**
   * Tests the offloads again and uses them as the switches say. Throws HandError and leaves them as
   * they are when one is switched on and fails.
   */
  setOffloads(offloads: OffloadSwitches): void;
  /** Absent in the reference hand, which has none. */
  footing?(now: Instant): Footing;
  /** Sets the firewall mark of outer datagrams (SO_MARK), those of later sockets too. */
  setMark(mark: number): void;
  /**
   * Moves to another outer port, 0 for one that the kernel chooses, without losing what was
   * received. Throws HandError and stays where it is when the port is taken.
   */
  setListenPort(port: number): void;
  /**
   * Makes these the ports of clear encapsulations: opens what is new, closes what is missing.
   * Throws HandError and changes nothing when one is taken.
   */
  setClearPorts(ports: readonly ClearPort[]): void;
  /** False once the TUN device was deleted; one moved to another namespace is still ours. */
  hasTun(): boolean;
  /**
   * Makes the TUN device again after it was deleted, under its name and without addresses. Throws
   * HandError.
   */
  reopenTun(): void;
  /**
   * What an operator should know about how the hand runs: buffers clamped, which cipher code,
   * offloads.
   */
  remarks(): readonly string[];
  close(): void;
}

/** What the hand runs on. */
export interface Footing {
  readonly offloads: OffloadStates;
  readonly buffers: SocketBuffers;
  /** How each suite is sealed. */
  readonly aead: readonly AeadBackendReport[];
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
