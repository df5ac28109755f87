/**
 * Drives one Node core over one hand: events and answers in, actions out, one timer for the core's
 * deadline. A turn takes a bounded number of events, so that a flood of handshakes leaves the
 * control socket its share of the thread.
 */

import { type Address, endpointOf } from '../base/address.js';
import {
  elapsed,
  type Instant,
  micros,
  millis,
  NEVER,
  seconds,
  toMillis,
  type WallTime,
} from '../base/time.js';
import type { WalkEvent } from '../datapath/tables.js';
import type { NodeAction } from '../node/action.js';
import type { NodeInput } from '../node/input.js';
import type { HostMeshAction } from '../node/mesh_port.js';
import type { Node } from '../node/node.js';
import type { Clock } from './clock.js';
import type { Hand } from './hand.js';

/** Events handled before the event loop gets its turn back. */
const EVENTS_PER_TURN = 128;
/**
 * The wall clock is compared at least this often, so that a jump is known before the next
 * handshake.
 */
const WALL_CHECK = seconds(60);
/** How often the loop is asked how late it runs, for the mesh. */
const LAG_CHECK_MS = 1_000;
/** A difference between the two clocks below this is drift, above it a jump. */
const WALL_TOLERANCE_US = 10_000;

export interface LoopParts {
  readonly node: Node;
  readonly hand: Hand;
  readonly clock: Clock;
  /** Looks a host name up; undefined when it does not resolve now. Never rejects. */
  readonly resolve: (host: string) => Promise<Address | undefined>;
  /** Carries out what the mesh wants of the host; it answers by `handle`, later. */
  readonly onMesh?: (action: HostMeshAction) => void;
}

export class NodeLoop {
  readonly #parts: LoopParts;
  readonly #events: WalkEvent[] = [];
  readonly #actions: NodeAction[] = [];
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Immediate | undefined;
  #lagTimer: NodeJS.Timeout | undefined;
  #wallOffset = Number.NaN;
  #stopped = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    parts.hand.onEvents(() => this.#turn());
    this.#turn();
    if (parts.onMesh) this.#watchLag();
  }

  /** Gives the core one input now and carries out what follows from it. */
  handle(input: NodeInput): void {
    if (this.#stopped) return;
    const now = this.#parts.clock.now();
    this.#feedWallClock(now);
    this.#parts.node.handle(input, now);
    this.#turn();
  }

  /** Makes the core forget its keys, carries that out, and never wakes again. */
  stop(): void {
    this.handle({ kind: 'stop' });
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lagTimer);
    clearImmediate(this.#again);
  }

  /** How much later than asked for a timer comes is how late everything else does. */
  #watchLag(): void {
    const asked = this.#parts.clock.now();
    this.#lagTimer = setTimeout(() => {
      const late = elapsed(asked, this.#parts.clock.now()) - millis(LAG_CHECK_MS);
      this.handle({ kind: 'mesh', input: { kind: 'lag', lag: micros(Math.max(0, late)) } });
      if (!this.#stopped) this.#watchLag();
    }, LAG_CHECK_MS);
    this.#lagTimer.unref();
  }

  #turn(): void {
    if (this.#stopped) return;
    const { node, hand, clock } = this.#parts;
    const now = clock.now();
    this.#feedWallClock(now);
    let budget = EVENTS_PER_TURN;
    let more = true;
    while (budget > 0 && more) {
      this.#events.length = 0;
      more = hand.takeEvents(this.#events, budget);
      budget -= Math.max(1, this.#events.length);
      for (const event of this.#events) node.handle({ kind: 'walk', event }, now);
      node.advance(now);
      more = this.#carryOut(now) || more;
    }
    if (more) this.#again ??= setImmediate(() => this.#resume());
    this.#schedule(now);
  }

  #resume(): void {
    this.#again = undefined;
    this.#turn();
  }

  /** True when an action was a write that may have raised an event. */
  #carryOut(now: Instant): boolean {
    const { node, hand } = this.#parts;
    node.drain(this.#actions);
    for (const action of this.#actions) {
      if (action.kind === 'write') hand.write(action.write, now);
      else if (action.kind === 'send')
        hand.send(action.peer, action.endpoint, action.datagram, now);
      else if (action.kind === 'resolve') this.#resolve(action.request, action.host, action.port);
      else this.#parts.onMesh?.(action.action);
    }
    hand.commit();
    const mayRaise = this.#actions.some(
      (action) => action.kind === 'write' && action.write.kind === 'readActivity',
    );
    // Keys are among them, and after a start some for each peer: none is held until the next turn.
    this.#actions.length = 0;
    return mayRaise;
  }

  #resolve(request: number, host: string, port: number): void {
    void this.#parts.resolve(host).then((address) => {
      const endpoint = address && endpointOf(address, port);
      this.handle({ kind: 'resolved', request, endpoint });
    });
  }

  #feedWallClock(now: Instant): void {
    const wall: WallTime = this.#parts.clock.wall();
    const offset = wall - now;
    if (Math.abs(offset - this.#wallOffset) <= WALL_TOLERANCE_US) return;
    this.#wallOffset = offset;
    this.#parts.node.handle({ kind: 'wallClock', wall }, now);
  }

  #schedule(now: Instant): void {
    clearTimeout(this.#timer);
    const deadline = this.#parts.node.deadline();
    const wanted = deadline === NEVER ? WALL_CHECK : deadline - now;
    const wait = Math.min(Math.max(wanted, 0), WALL_CHECK);
    this.#timer = setTimeout(() => this.#turn(), Math.ceil(toMillis(wait as typeof WALL_CHECK)));
  }
}
