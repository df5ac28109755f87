/**
 * Both hands of the walk side by side: the reference walk and a native engine over its channel
 * backend, without threads. Everything goes into both, and what comes out of them must be the same.
 */

import type { Endpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { equal, toHex } from '../../src/base/bytes.js';
import { type PeerSlot, peerSlot } from '../../src/base/identifiers.js';
import { instant } from '../../src/base/time.js';
import { WALK_COUNTERS } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';
import type { TableWrite, WalkEvent } from '../../src/datapath/tables.js';
import { Walk } from '../../src/datapath/walk.js';
import type { Via, WalkOutput } from '../../src/datapath/walk_output.js';
import { type Addon, loadAddon } from '../../src/io/native.js';
import type { ClearPort } from '../../src/encap/encapsulation.js';
import { emitEndpoint, parseEndpoint } from '../../src/io/native_events.js';
import { NativeHand } from '../../src/io/native_hand.js';
import { NO_OFFLOADS } from '../../src/node/offloads.js';
import { equalBytes } from './bytes.js';
import { prefix } from './parsed.js';
import { skip } from './skip.js';
import { ENDPOINT, MAC1_KEY, PEER, SUITE } from './walk_rig.js';

export interface Datagram {
  readonly endpoint: Endpoint;
  readonly datagram: Uint8Array;
  readonly hops: number;
  readonly via: { readonly kind: Via['kind'] };
}

/** What came out of a hand, each kind in its order. */
export interface Outcome {
  readonly datagrams: Datagram[];
  readonly packets: Uint8Array[];
  readonly events: WalkEvent[];
}

/** More events than a test raises at once. */
const ALL = 100_000;
const PORT_KINDS = ['sealed', 'vxlan', 'udp'] as const;
/** How the addon tells a clear port of bare IP packets. */
const UDP_FLAG = 1 << 16;

/** Skips the test where the addon is not built. */
export function addonHere(): Addon {
  try {
    return loadAddon();
  } catch {
    skip('the native addon is not built: run "npm run build"');
  }
}

export class Twin {
  now = instant(1_000_000_000);
  readonly #addon = addonHere();
  readonly #walk = new Walk({ suite: SUITE });
  readonly #hand = new NativeHand(this.#addon, {
    tun: '',
    offloads: NO_OFFLOADS,
    port: 0,
    threads: false,
  });
  /** Slots whose traffic is compared. */
  readonly #slots: readonly PeerSlot[];

  constructor(slots: number) {
    this.#slots = Array.from({ length: slots }, (_, slot) => peerSlot(slot));
  }

  write(...writes: readonly TableWrite[]): Outcome {
    for (const write of writes) {
      this.#walk.handle({ kind: 'write', write }, this.now);
      this.#hand.write(write, this.now);
    }
    this.#hand.commit();
    return this.#settle();
  }

  packet(packet: Uint8Array): Outcome {
    this.#walk.handle({ kind: 'packet', packet }, this.now);
    this.#addon.channelPutPacket(this.#hand.engine, packet);
    return this.#settle();
  }

  /**
   * Datagrams that arrive together, on the listen port or a clear one: nothing is taken in between.
   */
  datagrams(datagrams: readonly Uint8Array[], source: Endpoint, arrival?: ClearPort): Outcome {
    const to = arrival ? { arrival } : {};
    const port = arrival ? arrival.port | (arrival.kind === 'udp' ? UDP_FLAG : 0) : 0;
    for (const datagram of datagrams) {
      this.#walk.handle({ kind: 'datagram', datagram, source, ...to }, this.now);
      const { engine } = this.#hand;
      const segment = Math.max(1, datagram.length);
      this.#addon.channelPutDatagram(engine, emitEndpoint(source), datagram, segment, port);
    }
    return this.#settle();
  }

  datagram(datagram: Uint8Array, source: Endpoint, arrival?: ClearPort): Outcome {
    return this.datagrams([datagram], source, arrival);
  }

  /** Everything that was counted so far, by name. */
  counted(): string[] {
    const { walk, drops } = this.#walk.counters();
    const entries = [...Object.entries(walk), ...Object.entries(drops)];
    return entries.filter(([, count]) => count > 0n).map(([name]) => name);
  }

  close(): void {
    this.#hand.close();
  }

  /** Lets the native hand do what waits, and compares. */
  #settle(): Outcome {
    const outputs: WalkOutput[] = [];
    this.#walk.drain(outputs);
    const reference: Outcome = { datagrams: [], packets: [], events: [] };
    for (const output of outputs) {
      if (output.kind === 'datagram') reference.datagrams.push(output);
      else if (output.kind === 'packet') reference.packets.push(output.packet);
      else reference.events.push(output.event);
    }
    compare(reference, this.#pumped());
    this.#compareCounters();
    return reference;
  }

  #pumped(): Outcome {
    const { engine } = this.#hand;
    this.#addon.enginePump(engine, this.now);
    const datagrams = this.#addon.channelTakeDatagrams(engine).map((taken) => {
      const kind = present(PORT_KINDS[taken.port], 'a kind of port');
      return { ...taken, endpoint: parseEndpoint(taken.endpoint, 0), via: { kind } };
    });
    const events: WalkEvent[] = [];
    this.#hand.takeEvents(events, ALL);
    return { datagrams, packets: this.#addon.channelTakePackets(engine), events };
  }

  #compareCounters(): void {
    const [reference, native] = [this.#walk.counters(), this.#hand.counters()];
    for (const name of WALK_COUNTERS) {
      if (name !== 'packet_to_javascript') same(name, reference.walk[name], native.walk[name]);
    }
    for (const name of DROPS) same(`drop ${name}`, reference.drops[name], native.drops[name]);
    for (const slot of this.#slots) {
      const [own, others] = [this.#walk.traffic(slot), this.#hand.traffic(slot)];
      same(`bytes received of ${slot}`, own.rxBytes, others.rxBytes);
      same(`bytes sent of ${slot}`, own.txBytes, others.txBytes);
      same(`messages received of ${slot}`, own.rxPackets, others.rxPackets);
      same(`messages sent of ${slot}`, own.txPackets, others.txPackets);
      for (const name of DROPS)
        same(`drop ${name} of ${slot}`, own.drops[name], others.drops[name]);
    }
  }
}

/** Both hands know PEER, who owns 10.0.0.2 and is at ENDPOINT; no session. */
export function withTwin(body: (twin: Twin) => void): void {
  const twin = new Twin(1);
  try {
    twin.write({ kind: 'setMac1Key', key: MAC1_KEY }, { kind: 'addPeer', peer: PEER });
    twin.write({ kind: 'insertPrefix', prefix: prefix('10.0.0.2/32'), peer: PEER });
    twin.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT });
    body(twin);
  } finally {
    twin.close();
  }
}

function compare(reference: Outcome, native: Outcome): void {
  sameList('datagram', reference.datagrams, native.datagrams, (own, other) => {
    same('endpoint', endpointText(own.endpoint), endpointText(other.endpoint));
    same('hops', own.hops, other.hops);
    same('port', own.via.kind, other.via.kind);
    bytesSame('datagram', own.datagram, other.datagram);
  });
  sameList('packet', reference.packets, native.packets, (own, other) => {
    bytesSame('packet', own, other);
  });
  sameList('event', reference.events, native.events, (own, other) => {
    same('event', eventText(own), eventText(other));
  });
}

function sameList<Item>(
  what: string,
  reference: readonly Item[],
  native: readonly Item[],
  compareItems: (reference: Item, native: Item) => void,
): void {
  same(`number of ${what}s`, reference.length, native.length);
  for (const [at, own] of reference.entries()) {
    const other = native[at];
    if (other !== undefined) compareItems(own, other);
  }
}

function same<Value>(what: string, reference: Value, native: Value): void {
  if (reference === native) return;
  throw new Error(`${what}: the reference walk has ${reference}, the native one ${native}`);
}

function bytesSame(what: string, reference: Uint8Array, native: Uint8Array): void {
  if (!equal(reference, native)) equalBytes(native, reference, `${what} of the native walk`);
}

function endpointText({ text, local, vni }: Endpoint): string {
  const place = vni === undefined ? text : `${text} behind VXLAN ${vni}`;
  return local ? `${place} at ${local.address.text}%${local.interfaceIndex}` : place;
}

/** Everything that an event says, as one line. */
function eventText(event: WalkEvent): string {
  switch (event.kind) {
    case 'handshake': {
      const { datagram, source, queued } = event;
      return `handshake ${toHex(datagram)} from ${endpointText(source)}, ${queued} behind it`;
    }
    case 'roamed':
      return `roamed ${event.peer} to ${endpointText(event.endpoint)}`;
    case 'sessionNeeded':
      return `sessionNeeded ${event.peer} ${event.reason}`;
    case 'confirmed':
      return `confirmed ${event.peer} ${event.localIndex}`;
    case 'control':
      return `control ${event.peer} ${event.localIndex} ${toHex(event.message)}`;
    case 'activity': {
      const { lastSent, lastReceived, unansweredSend, unansweredReceive } = event.activity;
      const moments = [lastSent, lastReceived, unansweredSend, unansweredReceive];
      return `activity ${event.peer} ${moments.join(' ')}`;
    }
  }
}
