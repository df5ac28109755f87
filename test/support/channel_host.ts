/**
 * A whole node over the native hand in this process: Node, NodeLoop and NativeHand as the daemon
 * wires them, with the channel backend in the place of TUN device and socket.
 */

import type { Endpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { SeededRandom } from '../../src/base/random.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import type { Addon } from '../../src/io/native.js';
import type { Clock } from '../../src/io/clock.js';
import { NodeLoop } from '../../src/io/loop.js';
import { emitEndpoint, parseEndpoint as endpointFrom } from '../../src/io/native_events.js';
import { NativeHand } from '../../src/io/native_hand.js';
import type { Config } from '../../src/node/config.js';
import { Node } from '../../src/node/node.js';
import { mac1Key } from '../../src/session/cookie.js';
import { AUTO_OFFLOADS, NO_OFFLOADS } from '../../src/node/offloads.js';
import { KeptLog } from './kept_log.js';
import { configOf } from './pair.js';
import { endpoint, prefix } from './parsed.js';
import { addonHere, type Datagram } from './twin.js';
import { SUITE } from './walk_rig.js';

export interface ChannelHostParts {
  readonly name: string;
  /** Where its datagrams seem to come from. */
  readonly endpoint: Endpoint;
  readonly config: Config;
  readonly clock: Clock;
  readonly threads: boolean;
  readonly offload?: boolean;
}

export class ChannelHost {
  readonly endpoint: Endpoint;
  readonly hand: NativeHand;
  readonly node: Node;
  readonly loop: NodeLoop;
  readonly log = new KeptLog();
  readonly #addon: Addon = addonHere();
  readonly #clock: Clock;
  #wake: () => void = () => {};

  constructor(parts: ChannelHostParts) {
    const { clock, threads, offload = false } = parts;
    const offloads = offload ? AUTO_OFFLOADS : NO_OFFLOADS;
    this.endpoint = parts.endpoint;
    this.#clock = clock;
    this.hand = new NativeHand(this.#addon, { tun: '', port: 0, threads, offloads });
    const random = new SeededRandom(`${process.env.SEED ?? 'channel'}/${parts.name}`);
    this.node = new Node({ crypto: SUITE, random, log: this.log });
    const onEvents = this.hand.onEvents.bind(this.hand);
    this.hand.onEvents = (wake) => {
      this.#wake = wake;
      onEvents(wake);
    };
    const key = mac1Key(SUITE.publicKey(parts.config.privateKey));
    this.hand.write({ kind: 'setMac1Key', key }, clock.now());
    this.hand.write({ kind: 'setMtu', mtu: 1420 }, clock.now());
    const resolve = () => Promise.resolve(undefined);
    this.loop = new NodeLoop({ node: this.node, hand: this.hand, clock, resolve });
    this.loop.handle({ kind: 'configure', config: parts.config });
  }

  /** An application sends a packet; with offload it has its virtio-net header in front. */
  send(packet: Uint8Array): void {
    this.#addon.channelPutPacket(this.hand.engine, packet);
  }

  receive(source: Endpoint, datagram: Uint8Array): void {
    const { engine } = this.hand;
    this.#addon.channelPutDatagram(engine, emitEndpoint(source), datagram, datagram.length, 0);
  }

  /** What applications would receive. */
  packets(): Uint8Array[] {
    return this.#addon.channelTakePackets(this.hand.engine);
  }

  /** What the network would carry. */
  datagrams(): Pick<Datagram, 'endpoint' | 'datagram'>[] {
    return this.#addon.channelTakeDatagrams(this.hand.engine).map((taken) => {
      return { ...taken, endpoint: endpointFrom(taken.endpoint, 0) };
    });
  }

  /** Without threads: the walk does what waits, the control plane hears of it and is obeyed. */
  pump(): void {
    this.#addon.enginePump(this.hand.engine, this.#clock.now());
    this.#wake();
    this.#addon.enginePump(this.hand.engine, this.#clock.now());
    this.#wake();
  }

  failSends(errno: number, count: number): void {
    this.#addon.channelFailSends(this.hand.engine, errno, count);
  }

  close(): void {
    this.loop.stop();
    this.hand.close();
  }
}

/** Carries what the hosts sent to whom it is for; what is for nobody is lost. True when any was. */
export function carry(hosts: readonly ChannelHost[]): boolean {
  let isAny = false;
  for (const host of hosts) {
    for (const { endpoint, datagram } of host.datagrams()) {
      isAny = true;
      const receiver = hosts.find((other) => other.endpoint.text === endpoint.text);
      receiver?.receive(host.endpoint, datagram);
    }
  }
  return isAny;
}

export interface ChannelPair {
  readonly left: ChannelHost;
  readonly right: ChannelHost;
}

/** Two hosts that know each other: 10.0.0.1 at 192.0.2.1:51820 and 10.0.0.2 at 192.0.2.2:51820. */
export function createChannelPair(
  clock: Clock,
  options: { readonly threads: boolean; readonly offload?: boolean },
): ChannelPair {
  const ends = ['1', '2'].map((end) => {
    const privateKey = generatePrivateKey(new SeededRandom(`channel key ${end}`));
    return { end, privateKey, publicKey: SUITE.publicKey(privateKey) };
  });
  const [left, right] = ends.map(({ end, privateKey }, at) => {
    const other = present(ends[1 - at], 'there are two');
    const peer = {
      name: other.end,
      publicKey: other.publicKey,
      endpoint: { host: `192.0.2.${other.end}`, port: 51_820 },
      allowedIps: [prefix(`10.0.0.${other.end}/32`)],
    };
    return new ChannelHost({
      name: end,
      endpoint: endpoint(`192.0.2.${end}:51820`),
      config: configOf(privateKey, [peer]),
      clock,
      ...options,
    });
  });
  return { left: present(left, 'the left one'), right: present(right, 'the right one') };
}
