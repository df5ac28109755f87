/** A simulated host: a real node with a real mesh over a lean hand, a disk and a wall clock. */

import { type Endpoint, parseEndpoint } from '../../src/base/address.js';
import { assert } from '../../src/base/assert.js';
import { toHex } from '../../src/base/bytes.js';
import type { SeededRandom } from '../../src/base/random.js';
import {
  after,
  elapsed,
  type Duration,
  type Instant,
  instant,
  latest,
  NEVER,
  seconds,
  wallTime,
} from '../../src/base/time.js';
import type { SignatureSuite } from '../../src/crypto/signature.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import type { WalkEvent } from '../../src/datapath/tables.js';
import type { MeshAnswer } from '../../src/mesh/command.js';
import type { MeshInput } from '../../src/mesh/input.js';
import { parseKeys } from '../../src/mesh/keys.js';
import { parseMembersFile } from '../../src/mesh/members_file.js';
import { Mesh } from '../../src/mesh/mesh.js';
import { parseOwnState } from '../../src/mesh/own_state.js';
import type { MeshSetup } from '../../src/mesh/setup.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import type { NodeAction } from '../../src/node/action.js';
import type { NodeInput } from '../../src/node/input.js';
import type { HostMeshAction } from '../../src/node/mesh_port.js';
import { Node } from '../../src/node/node.js';
import type { SignedRecord } from '../../src/wire/record.js';
import { configOf } from '../support/pair.js';
import { Disk, type DiskWorld } from './disk.js';
import { LeanHand, type Wire } from './lean_hand.js';
import { standingLog, type View, Views } from './views.js';

/** 2026-09-16, at the beginning of virtual time. */
export const WALL_START = 1_789_500_000_000_000;
/** How often a shell says what the wall clock shows. */
const CLOCK_INTERVAL = seconds(60);
const ROUNDS = 100_000;
/** As much as a socket's buffer holds. */
const BUFFERED = 2_000;

/** What a host is in. */
export interface HostWorld extends DiskWorld {
  readonly transmit: (from: SimHost, to: Endpoint, wire: Wire) => void;
  readonly note: (text: string) => void;
  /** `by` takes the host with the index for something else from now on. */
  readonly changed: (by: SimHost, index: number, view: View) => void;
  readonly crypto: CryptoSuite;
  readonly suite: SignatureSuite;
  readonly parse: (bytes: Uint8Array) => SignedRecord | undefined;
  readonly random: SeededRandom;
}

/** What lives from a start to a crash. */
interface Life {
  readonly node: Node;
  readonly mesh: Mesh;
  readonly hand: LeanHand;
  readonly views: Views;
  /** Told by the hand, not yet to the node. */
  readonly events: WalkEvent[];
  /** What comes while it is paused. */
  readonly buffer: (() => void)[];
  wakeAt: Instant;
  /** The disk took, or refused, what must be safe before anything is said. */
  hasSpoken: boolean;
}

export class SimHost {
  readonly index: number;
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly disk: Disk;
  readonly answers = new Map<number, MeshAnswer>();
  /** What its wall clock is ahead of the truth by, in microseconds. */
  ahead = 0;
  pausedUntil: Instant | undefined;
  /** Until when nobody wonders that it is taken for failed, or takes others for it. */
  illUntil: Instant = instant(0);
  /** Left or revoked: not of the mesh any more. */
  isGone = false;
  /** As its interface has them. */
  addresses: readonly string[] = [];
  readonly #world: HostWorld;
  #life: Life | undefined;
  #starts = 0;
  #sentBefore = 0;

  constructor(index: number, world: HostWorld) {
    this.index = index;
    this.name = `n${index}`;
    this.#world = world;
    this.disk = new Disk(world, world.random.fork(`${this.name} disk`));
    const text = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:51820`;
    const endpoint = parseEndpoint(text);
    if (!endpoint) throw new Error(`${text} is no endpoint`);
    this.endpoint = endpoint;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** Up and not paused. */
  get isRunning(): boolean {
    return this.isUp && this.pausedUntil === undefined;
  }

  get starts(): number {
    return this.#starts;
  }

  get hasSpoken(): boolean {
    return this.#life?.hasSpoken ?? false;
  }

  get sentBytes(): number {
    return this.#sentBefore + (this.#life?.hand.sentBytes ?? 0);
  }

  get views(): Views | undefined {
    return this.#life?.views;
  }

  /** Of its store; undefined while it has none. */
  get digest(): string | undefined {
    return this.#life?.mesh.digest;
  }

  snapshot(): MeshSnapshot | undefined {
    return this.#life?.mesh.snapshot();
  }

  start(entry?: MeshSetup['entry']): void {
    const { crypto, suite, parse, random: worldRandom, now } = this.#world;
    this.#starts++;
    const random = worldRandom.fork(`${this.name} ${this.#starts}`);
    const views = new Views();
    const log = standingLog((index, view) => {
      views.set(index, view);
      this.#world.changed(this, index, view);
    });
    const mesh = new Mesh({ suite, crypto, random, log, parse });
    const node = new Node({ crypto, random, log, mesh });
    const events: WalkEvent[] = [];
    const hand = new LeanHand(
      (to, wire) => this.#world.transmit(this, to, wire),
      (event) => events.push(event),
    );
    const life = { node, mesh, hand, views, events, buffer: [], wakeAt: NEVER, hasSpoken: false };
    this.#life = life;
    this.#tellClock(life);
    const config = configOf(new Uint8Array(32), []);
    node.handle({ kind: 'configure', config }, now());
    this.feedMesh({ kind: 'start', setup: this.#setup(entry, random) });
  }

  /** As by kill -9, or a power cut: what is not on the disk is gone. */
  crash(): void {
    this.#sentBefore = this.sentBytes;
    this.#life = undefined;
    this.disk.cut();
    this.addresses = [];
    this.pausedUntil = undefined;
  }

  /** Nothing of it runs until then; what comes meanwhile waits, as in a socket's buffer. */
  pause(until: Instant): void {
    const life = this.#life;
    const since = this.#world.now();
    this.pausedUntil = until;
    this.#world.later(until, () => {
      if (!life || life !== this.#life || this.pausedUntil !== until) return;
      this.pausedUntil = undefined;
      this.#wake(life);
      for (const run of life.buffer.splice(0)) run();
      this.feedMesh({ kind: 'lag', lag: elapsed(since, until) });
    });
  }

  /** The wall clock shows another time from now on. */
  jumpClock(ahead: number): void {
    this.ahead = ahead;
    if (this.isRunning) this.#feedClock();
  }

  receive(wire: Wire, source: Endpoint): void {
    const life = this.#life;
    if (!life || life.buffer.length >= BUFFERED) return;
    this.#whileRunning(life, () => {
      life.hand.receive(wire, source, this.#world.now());
      this.#settle(life);
    });
  }

  feedMesh(input: MeshInput): void {
    this.feed({ kind: 'mesh', input });
  }

  feed(input: NodeInput): void {
    const life = this.#life;
    if (!life) return;
    life.node.handle(input, this.#world.now());
    this.#settle(life);
  }

  /** For so long it may look ill to others, and others to it. */
  excuse(duration: Duration): void {
    this.illUntil = latest(this.illUntil, after(this.#world.now(), duration));
  }

  /** Now, or when it runs again; never in another life. */
  #whileRunning(life: Life, run: () => void): void {
    if (life !== this.#life) return;
    if (this.pausedUntil === undefined) run();
    else life.buffer.push(run);
  }

  #feedClock(): void {
    const wall = wallTime(WALL_START + this.#world.now() + this.ahead);
    this.feed({ kind: 'wallClock', wall });
  }

  /** Now, and every minute. */
  #tellClock(life: Life): void {
    if (life !== this.#life) return;
    if (this.isRunning) this.#feedClock();
    const { now, later } = this.#world;
    later(after(now(), CLOCK_INTERVAL), () => this.#tellClock(life));
  }

  #setup(entry: MeshSetup['entry'], random: SeededRandom): MeshSetup {
    const { files } = this.disk;
    const [keys, own, members] = [files.get('keys'), files.get('own'), files.get('members')];
    const kept = keys && parseKeys(keys);
    return {
      keys: kept ?? {
        identity: random.bytes(32),
        staticKey: random.bytes(32),
        nextStaticKey: undefined,
        admin: undefined,
        root: undefined,
      },
      own: own && parseOwnState(own),
      records: (members && parseMembersFile(members)) ?? [],
      entry,
      hostName: this.name,
      announce: [],
      acceptsDefaultRoutes: false,
      subnetLength: undefined,
      instance: toHex(random.bytes(8)),
      endpoints: [this.endpoint],
    };
  }

  /** Until nothing more follows: what the hand tells goes to the node, what that wants is done. */
  #settle(life: Life): void {
    const now = this.#world.now();
    const actions: NodeAction[] = [];
    for (let round = 0; life === this.#life; round++) {
      assert(round < ROUNDS, 'what a host does comes to an end');
      const event = life.events.shift();
      if (event) life.node.handle({ kind: 'walk', event }, now);
      actions.length = 0;
      life.node.drain(actions);
      if (!event && actions.length === 0) break;
      for (const action of actions) this.#carryOut(life, action);
    }
    this.#schedule(life);
  }

  #carryOut(life: Life, action: NodeAction): void {
    if (action.kind === 'write') life.hand.write(action.write, this.#world.now());
    else if (action.kind === 'send') life.hand.sendHandshake(action.endpoint, action.datagram);
    else if (action.kind === 'mesh') this.#carryOutMesh(life, action.action);
  }

  #carryOutMesh(life: Life, action: HostMeshAction): void {
    switch (action.kind) {
      case 'persist': {
        const { request, file, content } = action;
        return this.disk.write(file, content, (isSafe) => {
          this.#whileRunning(life, () => {
            if (file === 'own') life.hasSpoken = true;
            this.feedMesh({ kind: 'persisted', request, isSafe });
          });
        });
      }
      case 'answer':
        this.answers.set(action.request, action.answer);
        return;
      case 'tell':
        return this.#world.note(`${this.name}: ${action.message}`);
      case 'forgetNetwork':
        this.disk.files.clear();
        return;
      default:
        this.addresses = action.addresses.map(({ text }) => text);
        return this.#world.note(`${this.name}: has ${this.addresses}`);
    }
  }

  #schedule(life: Life): void {
    const due = life.node.deadline();
    if (due === NEVER || life.wakeAt <= due) return;
    const { now, later } = this.#world;
    const at = latest(due, now());
    life.wakeAt = at;
    later(at, () => {
      if (life.wakeAt === at) life.wakeAt = NEVER;
      if (life === this.#life) this.#wake(life);
    });
  }

  #wake(life: Life): void {
    if (this.pausedUntil !== undefined) return;
    const now = this.#world.now();
    if (life.node.deadline() <= now) life.node.advance(now);
    this.#settle(life);
  }
}
