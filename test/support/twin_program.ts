/**
 * A random life of two hosts that share keys: everything that the control plane may write, that an
 * application may send and that a network may do, in any order. Each host is a Twin, so that each
 * step is compared.
 */

import { type Endpoint, type Prefix, parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat, toHex } from '../../src/base/bytes.js';
import {
  type PeerSlot,
  peerSlot,
  type SessionIndex,
  sessionIndex,
} from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, micros } from '../../src/base/time.js';
import {
  CONTROL_QUEUE,
  HANDSHAKE_QUEUE,
  type KeypairMaterial,
  STAGED_PER_PEER,
  type TableWrite,
} from '../../src/datapath/tables.js';
import { flipBit } from './bytes.js';
import { ipv4, ipv6, outerPacket } from './inner_packets.js';
import { address, endpoint, prefix } from './parsed.js';
import { type Datagram, type Outcome, Twin } from './twin.js';
import { behind, SEALED_VNIS, TwinClear } from './twin_clear.js';
import { type KeypairOfTwo, TwinHeddle } from './twin_heddle.js';
import { handshake, MAC1_KEY, OTHER_MAC1_KEY } from './walk_rig.js';

const SLOTS = 3;
const INDICES = 12;
/** How many of the other host's datagrams are remembered, to arrive late and again. */
const REMEMBERED = 48;
/** Of how many of a host's newest keypairs messages are forged. */
const RECENT = 6;
const MTU = 1420;
const LOCAL = { address: address('192.0.2.9'), interfaceIndex: 3 };

/** Where messages come from; a socket tells no VNI. */
const SOURCES: readonly Endpoint[] = [
  endpoint('192.0.2.1:51820'),
  endpoint('192.0.2.1:51821'),
  endpoint('[2001:db8::1]:51820'),
  { ...endpoint('192.0.2.1:51820'), local: LOCAL },
  { ...endpoint('192.0.2.1:51820'), local: { ...LOCAL, interfaceIndex: 4 } },
];

const ENDPOINTS: readonly Endpoint[] = [
  ...SOURCES,
  ...SEALED_VNIS.map((vni) => behind('192.0.2.1:51820', vni)),
];

const PREFIXES: readonly Prefix[] = [
  ...['10.0.0.0/24', '10.0.0.1/32', '10.0.0.2/32', '10.0.0.3/32', '10.0.0.0/30', '0.0.0.0/0'],
  ...['fd00::/64', 'fd00::1/128', 'fd00::2/128', 'fd00::/16', '::/0'],
].map((text) => prefix(text));

/** In front of sealed messages; the last one is not valid. */
const VXLAN_HEADERS: readonly Uint8Array[] = [
  Uint8Array.of(8, 0, 0, 0, 0, 0, 7, 0),
  Uint8Array.of(8, 1, 2, 3, 0, 0, 7, 9),
  Uint8Array.of(8, 0, 0, 0, 0xff, 0xff, 0xff, 0),
  Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0),
];

const JUMPS: readonly number[] = [0, 0, 1, 1e3, 1e6, 9e6, 40e6, 119_999_999, 165e6, 180e6];
const LENGTHS: readonly number[] = [28, 41, 47, 48, 64, 100, 1279, 1280, 1404, 1419, 1420, 1421];

interface Side {
  readonly twin: Twin;
  /** What the other side sent, the newest last. */
  readonly inbox: Datagram[];
  /** 0 or 1. */
  readonly number: number;
  /** Every keypair ever installed here. */
  readonly keypairs: KeypairMaterial[];
}

type Step = (side: Side, other: Side) => void;

export class TwinProgram {
  readonly #random: SeededRandom;
  readonly #clear: TwinClear;
  readonly #heddle: TwinHeddle;
  readonly #sides: readonly [Side, Side];
  readonly #steps: readonly (readonly [weight: number, step: Step])[];
  #now: Instant = instant(1_000_000_000);
  /** What was done, for who reads a failure. */
  readonly #trace: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#clear = new TwinClear(random.fork('clear'));
    this.#heddle = new TwinHeddle(random.fork('heddle'));
    this.#sides = [newSide(0), newSide(1)];
    this.#steps = [
      [30, (side, other) => this.#sendPacket(side, other)],
      [30, (side) => this.#deliver(side)],
      [12, (side) => this.#forge(side)],
      [18, (side, other) => this.#makeClear(side, other)],
      [4, (side, other) => this.#loop(side, other)],
      [4, (side) => this.#handshakes(side)],
      [6, (side, other) => this.#installPair(side, other)],
      [16, (side, other) => this.#writeAny(side, other)],
      [8, () => this.#passTime()],
    ];
  }

  /** Throws at the first difference, with the last steps. Returns the counters that moved. */
  run(steps: number): string[] {
    try {
      for (const side of this.#sides) this.#begin(side);
      for (let step = 0; step < steps; step++) this.#step();
      return this.#sides.flatMap(({ twin }) => twin.counted());
    } catch (error) {
      const trace = this.#trace.slice(-12).join('\n  ');
      if (error instanceof Error) error.message += `\nafter\n  ${trace}`;
      throw error;
    } finally {
      for (const { twin } of this.#sides) twin.close();
    }
  }

  #begin({ twin, number }: Side): void {
    twin.write({ kind: 'setMac1Key', key: MAC1_KEY }, { kind: 'setMtu', mtu: MTU });
    twin.write(...this.#clear.begin(number));
    for (let slot = 0; slot < SLOTS; slot++) {
      const peer = peerSlot(slot);
      twin.write({ kind: 'addPeer', peer });
      for (const text of [`10.0.0.${slot + 1}/32`, `fd00::${slot + 1}/128`]) {
        const prefix = present(parsePrefix(text), 'a prefix');
        twin.write({ kind: 'insertPrefix', prefix, peer });
      }
      twin.write({ kind: 'setEndpoint', peer, endpoint: this.#one(ENDPOINTS) });
      const encapsulation = this.#clear.encapsulation(number, this.#now);
      if (slot > 0) twin.write({ kind: 'setEncapsulation', peer, encapsulation });
    }
  }

  #step(): void {
    const [first, second] = this.#sides;
    const [side, other] = this.#random.below(2) === 0 ? [first, second] : [second, first];
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#random.below(total);
    for (const [weight, step] of this.#steps) {
      left -= weight;
      if (left < 0) return step(side, other);
    }
  }

  /** Now and then as many as overflow what is staged for a peer. */
  #sendPacket(side: Side, other: Side): void {
    const packet = this.#randomPacket();
    const times = this.#random.below(80) === 0 ? STAGED_PER_PEER + 3 : 1;
    this.#note(side, `${times} of ${packet.length} bytes, ${packet.slice(0, 8).join(' ')}`);
    for (let i = 0; i < times; i++) this.#sent(side.twin.packet(packet), other);
  }

  #randomPacket(): Uint8Array {
    const bytes = this.#one(LENGTHS);
    const [source, destination] = [this.#random.below(5), this.#random.below(5)];
    const packet =
      this.#random.below(2) === 0
        ? ipv4({ source: `10.0.0.${source}`, destination: `10.0.0.${destination}`, bytes })
        : ipv6({ source, destination, bytes: Math.max(40, bytes) });
    switch (this.#random.below(20)) {
      case 0:
        return flipBit(packet, this.#random.below(40));
      case 16:
      case 17:
        // TTL and hop limit: few are left.
        packet[packet[0] === 0x45 ? 8 : 7] = this.#random.below(4);
        return packet;
      case 1:
        return packet.slice(0, this.#random.below(packet.length + 1));
      case 2:
        return concat(packet, new Uint8Array(1 + this.#random.below(20)));
      default:
        return packet;
    }
  }

  /** Mostly what was sent last, as it was; else late, again, or changed on the way. */
  #deliver(side: Side): void {
    const { inbox, twin } = side;
    if (inbox.length === 0) return;
    const late = this.#random.below(3) === 0 ? this.#random.below(inbox.length) : 0;
    const sent = present(inbox[inbox.length - 1 - late], 'a datagram');
    const { datagram, via, endpoint: to } = sent;
    const changed = this.#changed(datagram);
    this.#note(side, `datagram ${late} back, ${changed.length} of ${datagram.length} bytes`);
    // Now and then on a port of the other kind.
    if ((via.kind === 'sealed') === (this.#random.below(16) === 0)) {
      const { source, arrival } = this.#clear.arriving(changed, to);
      this.#answered(side, twin.datagram(changed, source, arrival));
    } else {
      const source = this.#random.below(4) === 0 ? this.#one(SOURCES) : SOURCES[0];
      this.#answered(side, twin.datagram(changed, present(source, 'a source')));
    }
  }

  /** Frames and bare packets that anybody may send to a clear port. */
  #makeClear(side: Side, other: Side): void {
    const made = this.#clear.made(side.number, this.#randomPacket());
    const datagram = this.#changed(made.datagram);
    const { kind, port } = made.arrival;
    this.#note(side, `${datagram.length} bytes on ${kind} port ${port}: ${toHex(datagram)}`);
    this.#sent(side.twin.datagram(datagram, made.source, made.arrival), other);
  }

  #changed(datagram: Uint8Array): Uint8Array {
    switch (this.#random.below(20)) {
      case 0:
        return flipBit(datagram, this.#random.below(8 * datagram.length));
      case 1:
        return flipBit(datagram, this.#random.below(128));
      case 2:
        return datagram.slice(0, this.#random.below(datagram.length));
      case 3:
        return concat(datagram, this.#random.bytes(1 + this.#random.below(20)));
      case 4:
        return concat(this.#one(VXLAN_HEADERS), datagram);
      case 5:
        return datagram.slice(8);
      default:
        return datagram;
    }
  }

  /**
   * Made with the right key, as no walk would make it: any counter, any content. Now and then more
   * control messages than wait for the control plane.
   */
  #forge(side: Side): void {
    const { keypairs, twin } = side;
    if (keypairs.length === 0) return;
    const material = this.#one(keypairs.slice(-RECENT));
    if (material.takesControl && this.#random.below(20) === 0) {
      this.#note(side, `a flood of control messages to ${material.localIndex}`);
      const flood = this.#heddle.flood(material, Math.round(1.1 * CONTROL_QUEUE));
      this.#answered(side, twin.datagrams(flood, this.#one(SOURCES)));
      return;
    }
    const forged = this.#heddle.forged(material, [
      new Uint8Array(0),
      this.#randomPacket(),
      this.#random.bytes(this.#random.below(64)),
      concat(ipv4({ source: '10.0.0.1' }), this.#random.bytes(this.#random.below(40))),
      Uint8Array.of(0x45, 0, 0, 20),
      Uint8Array.of(0x10 * this.#random.below(16)),
    ]);
    this.#note(side, `forged ${toHex(forged.subarray(0, 16))}, ${forged.length} bytes`);
    const before = this.#random.below(3) === 0 ? this.#one(VXLAN_HEADERS) : new Uint8Array(0);
    this.#answered(side, twin.datagram(concat(before, forged), this.#one(SOURCES)));
  }

  /** What the side sent last comes back to it as an inner packet, whole or as a fragment. */
  #loop(side: Side, other: Side): void {
    const sent = other.inbox.at(-1)?.datagram;
    if (!sent) return;
    // The default route is what leads it into the tunnel.
    const [peer, to] = [this.#slot(), this.#one(ENDPOINTS)];
    for (const text of ['0.0.0.0/0', '::/0']) {
      const prefix = present(parsePrefix(text), 'a prefix');
      this.#write(side, other, { kind: 'insertPrefix', prefix, peer });
    }
    const offset = this.#one([0, 0, 0, 1]);
    const hops = this.#one([8, 9, 64, 255]);
    const framed = concat(this.#one(VXLAN_HEADERS), sent);
    const payload = this.#one([sent, sent, framed, outerPacket(this.#one(ENDPOINTS), sent)]);
    const packet = outerPacket(to, payload, {
      ...{ isFragment: this.#random.below(3) === 0, offset, hops },
    });
    this.#note(side, `its own ${payload.length} bytes to ${to.text}, offset ${offset}`);
    this.#sent(side.twin.packet(packet), other);
  }

  #handshakes(side: Side): void {
    const isFlood = this.#random.below(100) === 0;
    const count = isFlood ? 1.2 * HANDSHAKE_QUEUE : 1 + this.#random.below(4);
    const messages = Array.from({ length: count }, () => {
      const key = this.#one([MAC1_KEY, MAC1_KEY, OTHER_MAC1_KEY]);
      const message = handshake(this.#one([1, 2, 3] as const), key);
      return this.#random.below(2) === 0 ? this.#changed(message) : message;
    });
    this.#note(side, `${count} handshake messages`);
    this.#answered(side, side.twin.datagrams(messages, this.#one(SOURCES)));
  }

  /** One session on both hosts, perhaps made a while ago, perhaps under an index that is in use. */
  #installPair(side: Side, other: Side): void {
    const peer = this.#slot();
    const createdAt = instant(Math.max(0, this.#now - this.#one([0, 0, 1e6, 119e6, 164e6, 179e6])));
    const isStock = this.#random.below(2) === 0;
    const session = isStock ? [this.#stock(createdAt)] : this.#heddle.session(createdAt);
    for (const [own, mirrored] of session) {
      this.#install(side, peer, own);
      this.#install(other, peer, mirrored);
      // The last one is that of a lane, where there are any.
      const { localIndex } = own;
      this.#write(side, other, { kind: 'useKeypair', peer, localIndex });
    }
    if (this.#random.below(2) === 0) {
      this.#write(side, other, { kind: 'flushStaged', peer, orKeepalive: true });
    }
  }

  #stock(createdAt: Instant): KeypairOfTwo {
    const [here, there] = [this.#index(), this.#index()];
    const [one, two] = [this.#random.bytes(32), this.#random.bytes(32)];
    const own = { localIndex: here, remoteIndex: there, sendKey: one, receiveKey: two };
    const theirs = { localIndex: there, remoteIndex: here, sendKey: two, receiveKey: one };
    return [
      { ...own, createdAt, isInitiator: true },
      { ...theirs, createdAt, isInitiator: false },
    ];
  }

  #install(side: Side, peer: PeerSlot, keypair: KeypairMaterial): void {
    side.keypairs.push(keypair);
    const { localIndex, createdAt } = keypair;
    this.#note(side, `installKeypair ${localIndex} of ${peer} made at ${createdAt}`);
    // A copy: hands may keep no reference to what they are given.
    const material = {
      ...keypair,
      sendKey: keypair.sendKey.slice(),
      receiveKey: keypair.receiveKey.slice(),
    };
    side.twin.write({ kind: 'installKeypair', peer, keypair: material });
    material.sendKey.fill(0);
    material.receiveKey.fill(0);
  }

  #writeAny(side: Side, other: Side): void {
    const peer = this.#slot();
    const prefix = this.#one(PREFIXES);
    const localIndex = this.#index();
    const direction = this.#one(['sent', 'received'] as const);
    const writes: readonly TableWrite[] = [
      { kind: 'removePeer', peer },
      { kind: 'addPeer', peer },
      { kind: 'addPeer', peer },
      { kind: 'insertPrefix', prefix, peer },
      { kind: 'insertPrefix', prefix, peer },
      { kind: 'removePrefix', prefix },
      { kind: 'setEndpoint', peer, endpoint: this.#one(ENDPOINTS) },
      { kind: 'useKeypair', peer, localIndex },
      { kind: 'useKeypair', peer, localIndex },
      { kind: 'removeKeypair', localIndex },
      { kind: 'flushStaged', peer, orKeepalive: this.#random.below(2) === 0 },
      { kind: 'dropStaged', peer },
      { kind: 'sendKeepalive', peer },
      { kind: 'sendControl', peer, localIndex, message: this.#heddle.control() },
      { kind: 'sendControl', peer, localIndex, message: this.#heddle.control() },
      { kind: 'noteHandshake', peer, direction, bytes: this.#one([64, 92, 148]) },
      { kind: 'readActivity', peer },
      { kind: 'readActivity', peer },
      { kind: 'setMac1Key', key: MAC1_KEY, ...this.#one([{}, { other: OTHER_MAC1_KEY }]) },
      { kind: 'setMtu', mtu: this.#one([MTU, MTU, MTU, 1280, 1404, 65_455, 0]) },
      { kind: 'setRouteMtu', mtu: this.#one([0, 0, 1283, 1404, 9_000]) },
      ...[1, 2, 3].map(() => this.#clear.write(side.number, peer, this.#now)),
    ];
    this.#write(side, other, this.#one(writes));
  }

  #write(side: Side, other: Side, write: TableWrite): void {
    const text = JSON.stringify(write, (key, value) => {
      return key === 'bytes' || key === 'message' ? value.length : value;
    });
    this.#note(side, text);
    this.#sent(side.twin.write(write), other);
  }

  #passTime(): void {
    this.#now = after(this.#now, micros(this.#one(JUMPS)));
    this.#trace.push(`time goes on to ${this.#now}`);
    for (const { twin } of this.#sides) twin.now = this.#now;
  }

  /** The control plane answers some events, as it should; the others it answers late. */
  #answered(side: Side, { events }: Outcome): void {
    for (const event of events) {
      if (this.#random.below(3) === 0) continue;
      if (event.kind === 'confirmed') {
        const { peer, localIndex } = event;
        this.#write(side, this.#otherThan(side), { kind: 'useKeypair', peer, localIndex });
      } else if (event.kind === 'roamed') {
        const { peer, endpoint: moved } = event;
        side.twin.write({ kind: 'setEndpoint', peer, endpoint: moved });
      }
    }
  }

  #sent({ datagrams }: Outcome, other: Side): void {
    other.inbox.push(...datagrams);
    other.inbox.splice(0, Math.max(0, other.inbox.length - REMEMBERED));
  }

  #otherThan(side: Side): Side {
    const [first, second] = this.#sides;
    return side === first ? second : first;
  }

  #note(side: Side, what: string): void {
    this.#trace.push(`${side === this.#sides[0] ? 'left' : 'right'}: ${what}`);
  }

  #slot(): PeerSlot {
    // One slot more than there are peers: nobody is ever there.
    return peerSlot(this.#random.below(SLOTS + 1));
  }

  #index(): SessionIndex {
    if (this.#random.below(2) === 0) return this.#heddle.index();
    return sessionIndex(1 + this.#random.below(INDICES));
  }

  #one<Item>(items: readonly Item[]): Item {
    return present(items[this.#random.below(items.length)], 'one of several');
  }
}

function newSide(number: number): Side {
  return { twin: new Twin(SLOTS + 1), inbox: [], keypairs: [], number };
}
