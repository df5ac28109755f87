/**
 * Many nodes that lease from one pool, with a disk each, that tell each other what they know in
 * random order, in virtual time: the mesh as far as leases need one. They can be parted, killed
 * before or after a claim is safe, brought back, and made to leave.
 */

import { present } from '../../src/base/assert.js';
import { toHex } from '../../src/base/bytes.js';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  millis,
  seconds,
  wallTime,
} from '../../src/base/time.js';
import type { IpamAction } from '../../src/ipam/action.js';
import type { LeaseRecord } from '../../src/ipam/input.js';
import { Ipam } from '../../src/ipam/ipam.js';
import { prefix } from '../support/parsed.js';

const NETWORK = nodeId('feedfeedfeedfeed');
const CREATED = wallTime(1_000_000);
const EPOCH = 1_000_000_000;

export interface ManyOptions {
  readonly pool: string;
  /** By node; undefined: none wanted. */
  readonly subnetLength: (number: number) => number | undefined;
  readonly grace: Duration;
}

interface SimulatedNode {
  readonly id: NodeId;
  readonly number: number;
  ipam: Ipam;
  isUp: boolean;
  hasLeft: boolean;
  /** It talks to those of its own side. */
  side: number;
  /** Microseconds its clock is wrong by, as the group's bound lets it be. */
  skew: number;
  readonly disk: Map<string, LeaseRecord>;
  readonly store: Map<string, LeaseRecord>;
  readonly knownToHaveLeft: Set<NodeId>;
  readonly readdressed: IpamAction[];
  version: number;
}

export class ManyNodes {
  readonly nodes: SimulatedNode[] = [];
  readonly #random: SeededRandom;
  readonly #options: ManyOptions;
  /** In a thousand: how often a node dies between a claim and its being told. */
  killsPerThousand = 0;
  now: Instant = instant(1_000);

  constructor(random: SeededRandom, options: ManyOptions) {
    this.#random = random;
    this.#options = options;
  }

  add(side = 0): SimulatedNode {
    const number = this.nodes.length + 1;
    const id = nodeId(toHex(this.#random.bytes(8)));
    const skew = this.#random.below(2 * seconds(200)) - seconds(200);
    const node: SimulatedNode = {
      id,
      number,
      ipam: new Ipam({ grace: this.#options.grace }),
      isUp: false,
      hasLeft: false,
      side,
      skew,
      disk: new Map(),
      store: new Map(),
      knownToHaveLeft: new Set(),
      readdressed: [],
      version: 0,
    };
    this.nodes.push(node);
    this.start(node);
    return node;
  }

  /** With what is on its disk, and nothing else. */
  start(node: SimulatedNode): void {
    node.isUp = true;
    node.store.clear();
    node.knownToHaveLeft.clear();
    const { grace, subnetLength, pool } = this.#options;
    node.ipam = new Ipam({ grace });
    for (const record of node.disk.values()) node.store.set(placeOf(record), record);
    node.ipam.handle(
      {
        kind: 'start',
        network: NETWORK,
        self: node.id,
        pool: prefix(pool),
        createdAt: CREATED,
        wall: wallTime(EPOCH + this.now + node.skew),
        own: [...node.disk.values()],
        subnetLength: subnetLength(node.number),
      },
      this.now,
    );
  }

  kill(node: SimulatedNode): void {
    node.isUp = false;
  }

  leave(node: SimulatedNode): void {
    node.hasLeft = true;
    for (const other of this.nodes) {
      if (other.isUp && other.side === node.side && this.#random.below(3) === 0) {
        this.#hearOfLeft(other, node.id);
      }
    }
    node.knownToHaveLeft.add(node.id);
  }

  /** Everybody up takes those that do not answer it for failed, and the others for alive. */
  lookAround(): void {
    for (const node of this.up()) {
      for (const other of this.nodes) {
        if (other === node || node.knownToHaveLeft.has(other.id)) continue;
        const isThere = other.isUp && other.side === node.side;
        const standing = isThere ? 'alive' : 'failed';
        node.ipam.handle({ kind: 'standing', id: other.id, standing, since: this.now }, this.now);
      }
    }
  }

  up(): SimulatedNode[] {
    return this.nodes.filter(({ isUp, hasLeft }) => isUp && !hasLeft);
  }

  one(): SimulatedNode {
    const up = this.up();
    return present(up[this.#random.below(up.length)], 'somebody is up');
  }

  /** Some time passes, and some of what some know is told to some. */
  step(): void {
    this.now = after(this.now, millis(this.#random.below(300)));
    const node = this.one();
    if (node.ipam.deadline() <= this.now) node.ipam.advance(this.now);
    this.#carryOut(node);
    const [from, to] = [this.one(), this.one()];
    if (from !== to && from.side === to.side) this.#tell(from, to, this.#random.below(3) > 0);
  }

  /** All are on one side, and talk until nothing is new; ten seconds pass at most. */
  converge(): void {
    for (const node of this.nodes) node.side = 0;
    this.lookAround();
    for (let round = 0; round < 20; round++) {
      this.now = after(this.now, millis(500));
      const up = this.up();
      for (const node of up) {
        if (node.ipam.deadline() <= this.now) node.ipam.advance(this.now);
        this.#carryOut(node);
      }
      this.#tellAll(up);
    }
  }

  #tellAll(up: readonly SimulatedNode[]): void {
    const hub = present(up[0], 'somebody is up');
    for (const node of up) if (node !== hub) this.#tell(node, hub, false);
    for (const node of up) if (node !== hub) this.#tell(hub, node, false);
  }

  #tell(from: SimulatedNode, to: SimulatedNode, isPart: boolean): void {
    for (const record of from.store.values()) {
      if (!isPart || this.#random.below(4) === 0) this.#hear(to, record);
    }
    for (const id of from.knownToHaveLeft) this.#hearOfLeft(to, id);
  }

  #hear(node: SimulatedNode, record: LeaseRecord): void {
    const place = placeOf(record);
    if ((node.store.get(place)?.version ?? 0) >= record.version) return;
    node.store.set(place, record);
    node.version = Math.max(node.version, record.version);
    node.ipam.handle({ kind: 'lease', ...record }, this.now);
  }

  #hearOfLeft(node: SimulatedNode, id: NodeId): void {
    if (node.knownToHaveLeft.has(id)) return;
    node.knownToHaveLeft.add(id);
    node.ipam.handle({ kind: 'standing', id, standing: 'left', since: this.now }, this.now);
  }

  #carryOut(node: SimulatedNode): void {
    const actions: IpamAction[] = [];
    node.ipam.drain(actions);
    for (const action of actions) {
      if (action.kind === 'readdressed') node.readdressed.push(action);
      if (action.kind !== 'claim' || !node.isUp) continue;
      if (this.#strikes()) return this.kill(node);
      const { key, body } = action;
      node.version++;
      const record = { author: node.id, key, version: node.version, body };
      node.disk.set(key, record);
      if (this.#strikes()) return this.kill(node);
      node.store.set(placeOf(record), record);
      node.ipam.handle({ kind: 'claimed', key }, this.now);
    }
  }

  #strikes(): boolean {
    return this.up().length > 1 && this.#random.below(1_000) < this.killsPerThousand;
  }
}

function placeOf({ author, key }: LeaseRecord): string {
  return `${author} ${key}`;
}
