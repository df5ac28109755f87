/**
 * A reference walk with one or two peers, and the other end of their sessions: messages are sealed
 * and opened here by libsodium alone, so that what the walk makes is not judged by itself.
 */

import type { Endpoint } from '../../src/base/address.js';
import { concat, loadLe32, loadLe64, storeLe32, storeLe64 } from '../../src/base/bytes.js';
import { type PeerSlot, peerSlot, sessionIndex } from '../../src/base/identifiers.js';
import { after, type Instant, instant, seconds } from '../../src/base/time.js';
import { blake2sMac } from '../../src/crypto/blake2s.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import type { ClearPort } from '../../src/encap/encapsulation.js';
import type { Drop } from '../../src/datapath/drop.js';
import type {
  KeypairMaterial,
  LaneKeypair,
  TableWrite,
  WalkEvent,
} from '../../src/datapath/tables.js';
import { Walk } from '../../src/datapath/walk.js';
import type { WalkOutput } from '../../src/datapath/walk_output.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { endpoint, prefix } from './parsed.js';

export const SUITE = new SodiumSuite();
export const PEER = peerSlot(0);
export const OTHER = peerSlot(1);
export const ENDPOINT = endpoint('192.0.2.1:51820');
export const OTHER_ENDPOINT = endpoint('[2001:db8::1]:4500');
export const MAC1_KEY = new Uint8Array(32).fill(7);
/** Of a second key of ours, where there is one. */
export const OTHER_MAC1_KEY = new Uint8Array(32).fill(8);
/** A while after boot, so that 0 stays "never". */
export const START = instant(1_000_000_000);

export function at(secondsAfterStart: number): Instant {
  return after(START, seconds(secondsAfterStart));
}

/** The keypair whose indices are `index` here and `index + 1000` there, made at START. */
export function keypair(index: number, changes: Partial<KeypairMaterial> = {}): KeypairMaterial {
  return {
    localIndex: sessionIndex(index),
    remoteIndex: sessionIndex(index + 1000),
    sendKey: new Uint8Array(32).fill(2 * index),
    receiveKey: new Uint8Array(32).fill(2 * index + 1),
    createdAt: START,
    isInitiator: true,
    ...changes,
  };
}

/** Of a lane of a session with a heddle peer. */
export function laneKeypair(
  index: number,
  heddle: Partial<LaneKeypair> = {},
  changes: Partial<KeypairMaterial> = {},
): KeypairMaterial {
  const form = { suite: 'aes-256-gcm', lane: 0, trustsChecksums: false, ...heddle } as const;
  return keypair(index, { takesControl: true, heddle: form, ...changes });
}

/** A data message as the other end of `material` sends it, of the keypair's own type. */
export function sealed(
  material: KeypairMaterial,
  counter: bigint,
  plaintext: Uint8Array,
  type = material.heddle ? 0x48 : 4,
): Uint8Array {
  const header = new Uint8Array(16);
  storeLe32(header, 0, type);
  storeLe32(header, 4, material.localIndex);
  storeLe64(header, 8, counter);
  const { receiveKey: key, heddle } = material;
  const suite = heddle?.suite ?? 'chacha20-poly1305';
  return concat(header, SUITE.sealMessage({ suite, key, prefix: type >>> 24, counter }, plaintext));
}

/** What the other end of `material` finds in a data message; undefined when it does not open. */
export function opened(material: KeypairMaterial, message: Uint8Array): Uint8Array | undefined {
  const { sendKey: key, heddle } = material;
  const suite = heddle?.suite ?? 'chacha20-poly1305';
  const [prefix, counter] = [loadLe32(message, 0) >>> 24, loadLe64(message, 8)];
  return SUITE.openMessage({ suite, key, prefix, counter }, message.subarray(16));
}

/**
 * A handshake message of the right length with the right mac1, where it has one; the rest counts
 * up.
 */
export function handshake(type: 1 | 2 | 3, key = MAC1_KEY): Uint8Array {
  const message = Uint8Array.from({ length: { 1: 148, 2: 92, 3: 64 }[type] }, (_, i) => i);
  storeLe32(message, 0, type);
  if (type === 3) return message;
  const covered = message.length - 32;
  message.set(blake2sMac(key, message.subarray(0, covered)), covered);
  return message;
}

/** A walk; everything is asked at the time that `now` holds. */
export class WalkRig {
  readonly walk: Walk;
  now = START;

  constructor(suite: CryptoSuite = SUITE) {
    this.walk = new Walk({ suite });
  }

  packet(packet: Uint8Array): WalkOutput[] {
    this.walk.handle({ kind: 'packet', packet }, this.now);
    return this.taken();
  }

  datagram(datagram: Uint8Array, source: Endpoint = ENDPOINT): WalkOutput[] {
    this.walk.handle({ kind: 'datagram', datagram, source }, this.now);
    return this.taken();
  }

  /** A datagram on a clear port. */
  clear(datagram: Uint8Array, source: Endpoint, arrival: ClearPort): WalkOutput[] {
    this.walk.handle({ kind: 'datagram', datagram, source, arrival }, this.now);
    return this.taken();
  }

  write(write: TableWrite): WalkOutput[] {
    this.walk.handle({ kind: 'write', write }, this.now);
    return this.taken();
  }

  use(peer: PeerSlot, material: KeypairMaterial): WalkOutput[] {
    this.write({ kind: 'installKeypair', peer, keypair: material });
    return this.write({ kind: 'useKeypair', peer, localIndex: material.localIndex });
  }

  insert(text: string, peer: PeerSlot): void {
    this.write({ kind: 'insertPrefix', prefix: prefix(text), peer });
  }

  taken(): WalkOutput[] {
    const out: WalkOutput[] = [];
    this.walk.drain(out);
    return out;
  }

  dropped(reason: Drop): number {
    return Number(this.walk.counters().drops[reason]);
  }

  /** The reasons that were counted at all; those of one peer's packets where a peer is given. */
  drops(peer?: PeerSlot): Record<string, number> {
    const read = peer === undefined ? this.walk.counters() : this.walk.traffic(peer);
    return counted(read.drops);
  }

  counters(): Record<string, number> {
    return counted(this.walk.counters().walk);
  }

  /** Without what was dropped. */
  traffic(peer: PeerSlot): Record<string, number> {
    const { rxBytes, txBytes, rxPackets, txPackets } = this.walk.traffic(peer);
    return counted({ rxBytes, txBytes, rxPackets, txPackets });
  }
}

function counted(reading: Readonly<Record<string, bigint>>): Record<string, number> {
  const entries = Object.entries(reading).filter(([, count]) => count > 0n);
  return Object.fromEntries(entries.map(([name, count]) => [name, Number(count)]));
}

/**
 * PEER owns 10.0.0.2 and fd00::2 and is at ENDPOINT; OTHER owns 10.0.0.3 and is at OTHER_ENDPOINT.
 * No sessions.
 */
export function createRig(): WalkRig {
  const rig = new WalkRig();
  rig.write({ kind: 'setMac1Key', key: MAC1_KEY });
  for (const peer of [PEER, OTHER]) rig.write({ kind: 'addPeer', peer });
  rig.insert('10.0.0.2/32', PEER);
  rig.insert('fd00::2/128', PEER);
  rig.insert('10.0.0.3/32', OTHER);
  rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT });
  rig.write({ kind: 'setEndpoint', peer: OTHER, endpoint: OTHER_ENDPOINT });
  return rig;
}

/** `createRig`, and a session with PEER under `keypair(1)` with `changes`. */
export function createConnectedRig(changes: Partial<KeypairMaterial> = {}): WalkRig {
  const rig = createRig();
  rig.use(PEER, keypair(1, changes));
  return rig;
}

export function datagrams(out: readonly WalkOutput[]): Uint8Array[] {
  return out.flatMap((output) => (output.kind === 'datagram' ? [output.datagram] : []));
}

export function packets(out: readonly WalkOutput[]): Uint8Array[] {
  return out.flatMap((output) => (output.kind === 'packet' ? [output.packet] : []));
}

export function events(out: readonly WalkOutput[]): WalkEvent[] {
  return out.flatMap((output) => (output.kind === 'event' ? [output.event] : []));
}

/** The events without `activity`, which most traffic raises once. */
export function news(out: readonly WalkOutput[]): WalkEvent[] {
  return events(out).filter((event) => event.kind !== 'activity');
}
