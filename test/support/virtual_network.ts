/**
 * Whole hosts in one process under one virtual clock: each a Node over the reference walk, joined
 * by links with latency, loss by predicate and a capture of all that was sent. Nothing here sleeps
 * or draws from a real clock.
 */

import {
  type Address,
  type Endpoint,
  endpointOf,
  type LocalAddress,
} from '../../src/base/address.js';
import { assert } from '../../src/base/assert.js';
import type { PeerSlot } from '../../src/base/identifiers.js';
import type { Log, LogFields } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  instant,
  millis,
  seconds,
  type WallTime,
  wallTime,
} from '../../src/base/time.js';
import type { CryptoSuite } from '../../src/crypto/suite.js';
import type { TableWrite, WalkEvent } from '../../src/datapath/tables.js';
import { Walk } from '../../src/datapath/walk.js';
import type { WalkOutput } from '../../src/datapath/walk_output.js';
import { behindVxlan } from '../../src/encap/vxlan.js';
import type { MeshInput } from '../../src/mesh/input.js';
import type { NodeAction } from '../../src/node/action.js';
import type { Config } from '../../src/node/config.js';
import type { HostMeshAction, MeshPort } from '../../src/node/mesh_port.js';
import { Node } from '../../src/node/node.js';
import { VXLAN_FLAG_VNI, VXLAN_HEADER_BYTES } from '../../src/wire/vxlan.js';

/** One datagram as it was sent, whether or not it arrived. */
export interface Sent {
  readonly at: Instant;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly datagram: Uint8Array;
  readonly isLost: boolean;
}

interface Delivery {
  readonly at: Instant;
  readonly to: Endpoint;
  readonly from: Endpoint;
  readonly datagram: Uint8Array;
}

export interface LoggedLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

export interface HostParts {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly config: Config;
  /** A new one for each start. */
  readonly mesh?: () => MeshPort;
}

/** 2026-11-23T00:00:00Z. */
const WALL_START: WallTime = wallTime(1_795_392_000_000_000);
/** The first of those that clear VXLAN is sent from. */
const SOURCE_PORTS = 49_152;
const START: Instant = instant(seconds(1_000));

export class VirtualNetwork {
  readonly crypto: CryptoSuite;
  readonly random: SeededRandom;
  readonly hosts: Host[] = [];
  readonly sent: Sent[] = [];
  latency: Duration = millis(10);
  /** True loses the datagram. */
  isLost: (datagram: Uint8Array, from: Endpoint, to: Endpoint) => boolean = () => false;
  now: Instant = START;
  #inFlight: Delivery[] = [];

  constructor(crypto: CryptoSuite, seed: string) {
    this.crypto = crypto;
    this.random = new SeededRandom(seed);
  }

  addHost(parts: HostParts): Host {
    const host = new Host(this, parts);
    this.hosts.push(host);
    host.start();
    return host;
  }

  /** Lets everything happen that is due within `duration`, each thing at its own instant. */
  run(duration: Duration): void {
    const until = after(this.now, duration);
    for (;;) {
      const next = this.#next();
      if (next > until) break;
      if (next > this.now) this.now = next;
      this.#step();
    }
    this.now = until;
  }

  /** As `run`, but stops as soon as `isDone` holds; fails when it does not within `limit`. */
  runUntil(isDone: () => boolean, limit: Duration): void {
    const until = after(this.now, limit);
    while (!isDone()) {
      const next = this.#next();
      assert(next <= until, 'what the test waits for happens within its limit');
      if (next > this.now) this.now = next;
      this.#step();
    }
  }

  /** Time passes for everybody, but nobody runs: the machines are suspended. */
  suspend(duration: Duration): void {
    this.now = after(this.now, duration);
  }

  transmit(from: Endpoint, to: Endpoint, datagram: Uint8Array): void {
    const isLost = this.isLost(datagram, from, to);
    const copy = datagram.slice();
    this.sent.push({ at: this.now, from, to, datagram: copy, isLost });
    if (!isLost) this.inject(from, to, copy);
  }

  /** Puts a datagram on its way that no host sent. */
  inject(from: Endpoint, to: Endpoint, datagram: Uint8Array): void {
    this.#inFlight.push({ at: after(this.now, this.latency), from, to, datagram });
  }

  /** Everything sent from here on that is of this message type, behind VXLAN or bare. */
  sentOfType(type: number, from?: Host): Sent[] {
    return this.sent.filter(
      ({ datagram, from: source }) =>
        typeOf(datagram) === type && (!from || source.text === from.endpoint.text),
    );
  }

  #next(): Instant {
    let next = instant(Number.MAX_SAFE_INTEGER);
    for (const { at } of this.#inFlight) next = earliest(next, at);
    for (const host of this.hosts) next = earliest(next, host.deadline());
    return next;
  }

  #step(): void {
    const arrived = this.#inFlight.filter(({ at }) => at <= this.now);
    this.#inFlight = this.#inFlight.filter(({ at }) => at > this.now);
    for (const { from, to, datagram } of arrived) {
      for (const host of this.hosts) {
        if (host.endpoint.text === to.text) host.receive(datagram, from);
        else host.receiveClear(datagram, from, to);
      }
    }
    for (const host of this.hosts) if (host.deadline() <= this.now) host.advance();
  }
}

export class Host {
  readonly name: string;
  endpoint: Endpoint;
  config: Config;
  /** Inner packets that came out of the tunnel. */
  readonly received: Uint8Array[] = [];
  readonly logged: LoggedLine[] = [];
  readonly writes: TableWrite[] = [];
  /** What the mesh wants of the host. */
  readonly lifted: HostMeshAction[] = [];
  readonly asked: Extract<NodeAction, { kind: 'resolve' }>[] = [];
  /** What host names resolve to. */
  readonly names = new Map<string, Address>();
  /** What the wall clock shows beyond boot time. */
  wallOffset = WALL_START - START;
  /** Passed on to the walk as the local address of what arrives. */
  local: LocalAddress | undefined;
  node: Node;
  walk: Walk;
  readonly #network: VirtualNetwork;
  readonly #mesh: (() => MeshPort) | undefined;
  #starts = 0;

  constructor(network: VirtualNetwork, parts: HostParts) {
    this.#network = network;
    this.name = parts.name;
    this.endpoint = parts.endpoint;
    this.config = parts.config;
    this.#mesh = parts.mesh;
    this.node = this.#newNode();
    this.walk = new Walk({ suite: network.crypto });
  }

  /** Starts a fresh daemon with the current configuration: no session survives. */
  start(): void {
    this.#starts++;
    this.node = this.#newNode();
    this.walk = new Walk({ suite: this.#network.crypto });
    this.setWallClock(wallTime(this.#network.now + this.wallOffset));
    this.configure(this.config);
  }

  configure(config: Config): void {
    this.config = config;
    const now = this.#network.now;
    this.walk.handle({ kind: 'write', write: { kind: 'setMtu', mtu: 1420 } }, now);
    this.node.handle({ kind: 'configure', config }, now);
    this.#pump();
  }

  setWallClock(wall: WallTime): void {
    this.wallOffset = wall - this.#network.now;
    this.node.handle({ kind: 'wallClock', wall }, this.#network.now);
    this.#pump();
  }

  changeUnderlay(unaffected: ReadonlySet<PeerSlot> = new Set()): void {
    this.node.handle({ kind: 'underlayChanged', unaffected }, this.#network.now);
    this.#pump();
  }

  /** An application sends an inner packet. */
  send(packet: Uint8Array): void {
    this.walk.handle({ kind: 'packet', packet }, this.#network.now);
    this.#pump();
  }

  receive(datagram: Uint8Array, from: Endpoint): void {
    const source = this.local ? { ...from, local: this.local } : from;
    this.walk.handle({ kind: 'datagram', datagram, source }, this.#network.now);
    this.#pump();
  }

  /** On the clear port that `to` is, where the host has one there. */
  receiveClear(datagram: Uint8Array, source: Endpoint, to: Endpoint): void {
    if (this.endpoint.address.text !== to.address.text) return;
    const { port } = to;
    const peer = this.config.clearPeers.find(({ endpoint }) => endpoint.port === port);
    if (!peer) return;
    const arrival = { kind: peer.carrier.kind, port };
    this.walk.handle({ kind: 'datagram', datagram, source, arrival }, this.#network.now);
    this.#pump();
  }

  /** Several datagrams wait before any is handled: a queue builds up. */
  receiveTogether(datagrams: readonly Uint8Array[], from: (at: number) => Endpoint): void {
    for (const [at, datagram] of datagrams.entries()) {
      const input = { kind: 'datagram', datagram, source: from(at) } as const;
      this.walk.handle(input, this.#network.now);
    }
    this.#pump();
  }

  advance(): void {
    this.node.advance(this.#network.now);
    this.#pump();
  }

  deadline(): Instant {
    return this.node.deadline();
  }

  /** Gives the node a walk event as if the walk had raised it. */
  tell(event: WalkEvent): void {
    this.node.handle({ kind: 'walk', event }, this.#network.now);
    this.#pump();
  }

  /** Gives the mesh an input. */
  feedMesh(input: MeshInput): void {
    this.node.handle({ kind: 'mesh', input }, this.#network.now);
    this.#pump();
  }

  stop(): void {
    this.node.handle({ kind: 'stop' }, this.#network.now);
    this.#pump();
  }

  #pump(): void {
    const outputs: WalkOutput[] = [];
    const actions: NodeAction[] = [];
    const now = this.#network.now;
    do {
      outputs.length = 0;
      this.walk.drain(outputs);
      for (const output of outputs) this.#carryOutWalk(output);
      actions.length = 0;
      this.node.drain(actions);
      for (const action of actions) this.#carryOutNode(action, now);
    } while (outputs.length + actions.length > 0);
  }

  #carryOutWalk(output: WalkOutput): void {
    if (output.kind === 'packet') this.received.push(output.packet.slice());
    else if (output.kind === 'datagram') {
      this.#network.transmit(this.#leavesFrom(output), output.endpoint, output.datagram);
    } else this.node.handle({ kind: 'walk', event: output.event }, this.#network.now);
  }

  /** A clear port, or a source port for the flow, stands on the host's own address. */
  #leavesFrom({ via, endpoint: to }: WalkOutput & { kind: 'datagram' }): Endpoint {
    switch (via.kind) {
      case 'sealed':
        return this.endpoint;
      case 'udp':
        return endpointOf(this.endpoint.address, to.port);
      case 'vxlan':
        return endpointOf(this.endpoint.address, SOURCE_PORTS + (via.flow % 16));
    }
  }

  #carryOutNode(action: NodeAction, now: Instant): void {
    if (action.kind === 'write') {
      this.writes.push(action.write);
      this.walk.handle({ kind: 'write', write: action.write }, now);
    } else if (action.kind === 'send') {
      const { endpoint, datagram } = action;
      const message = endpoint.vni === undefined ? datagram : behindVxlan(datagram, endpoint.vni);
      this.#network.transmit(this.endpoint, endpoint, message);
      const bytes = action.datagram.length;
      if (action.peer === undefined) return;
      const write = { kind: 'noteHandshake', peer: action.peer, direction: 'sent', bytes } as const;
      this.walk.handle({ kind: 'write', write }, now);
    } else if (action.kind === 'mesh') this.lifted.push(action.action);
    else {
      this.asked.push(action);
      const address = this.names.get(action.host);
      const endpoint = address && endpointOf(address, action.port);
      this.node.handle({ kind: 'resolved', request: action.request, endpoint }, now);
    }
  }

  #newNode(): Node {
    const random = this.#network.random.fork(`${this.name}/${this.#starts}`);
    const parts = { crypto: this.#network.crypto, random, log: this.#log() };
    const mesh = this.#mesh?.();
    return new Node(mesh ? { ...parts, mesh } : parts);
  }

  #log(): Log {
    const at =
      (level: keyof Log) =>
      (message: string, fields: LogFields = {}) => {
        this.logged.push({ level, message, fields });
      };
    return {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    };
  }
}

function typeOf(datagram: Uint8Array): number | undefined {
  return datagram[0] === VXLAN_FLAG_VNI ? datagram[VXLAN_HEADER_BYTES] : datagram[0];
}

/** An IPv4 packet with this payload; both addresses are of IPv4. */
export function ipv4Packet(source: Address, destination: Address, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  packet[0] = 0x45;
  packet[2] = packet.length >> 8;
  packet[3] = packet.length & 255;
  packet[8] = 64;
  packet[9] = 17;
  packet.set(source.bytes, 12);
  packet.set(destination.bytes, 16);
  packet.set(payload, 20);
  return packet;
}
