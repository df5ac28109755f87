/**
 * What random lives of two hosts have in the clear: outer forms, and datagrams on clear ports as
 * peers and strangers make them. All are drawn from few addresses, so that they often fit together.
 */

import { type Endpoint, endpointOf, parseMac } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat } from '../../src/base/bytes.js';
import type { PeerSlot } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, micros, NEVER } from '../../src/base/time.js';
import type { TableWrite } from '../../src/datapath/tables.js';
import {
  type ClearEncapsulation,
  type ClearPort,
  type Encapsulation,
  isClear,
} from '../../src/encap/encapsulation.js';
import { arp, BROADCAST, ipv6Hex, neighbour, solicitedNodeMac, vxlanFrame } from './frames.js';
import { address, endpoint } from './parsed.js';

/** A datagram that arrives on a clear port. */
export interface ClearDatagram {
  readonly datagram: Uint8Array;
  readonly source: Endpoint;
  readonly arrival: ClearPort;
}

/** The VTEPs of the two hosts, and two that are others'. */
const MACS = ['02000000000a', '02000000000b', '02000000000c', '02000000000d'] as const;
const VXLAN_PORT = 4789;
const UDP_PORT = 8285;
const VNIS = [1, 4096] as const;
export const SEALED_VNIS = [7, 0xff_ffff] as const;
const PLACES = ['192.0.2.1', '2001:db8::1'] as const;
/** Of our own addresses: the last part of 10.0.0.x and fd00::x. */
const OWN = 9;
const STRANGE_MAC = '0200000000ee';
/** Of the clear peers that were written, how many may still be there. */
const RECENT = 4;
const NOBODY: ClearEncapsulation = {
  kind: 'udp',
  endpoint: endpointOf(address(PLACES[0]), UDP_PORT),
  until: NEVER,
};

export class TwinClear {
  readonly #random: SeededRandom;
  /** By host: its clear peers as they were written, those that are no more among them. */
  readonly #known: readonly [ClearEncapsulation[], ClearEncapsulation[]] = [[], []];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** What a host begins with; `side` is 0 or 1. */
  begin(side: number): TableWrite[] {
    const mac = present(parseMac(colons(present(MACS[side], 'its VTEP'))), 'a MAC');
    return [{ kind: 'setVtepMac', mac }, this.#ownAddresses()];
  }

  /** What may be written about the peer of the host `side`. */
  write(side: number, peer: PeerSlot, now: Instant): TableWrite {
    const [first = this.#ownAddresses()] = this.begin(side);
    if (this.#random.below(12) === 0) return this.#one([first, this.#ownAddresses()]);
    return { kind: 'setEncapsulation', peer, encapsulation: this.encapsulation(side, now) };
  }

  encapsulation(side: number, now: Instant): Encapsulation {
    const place = address(this.#one(PLACES));
    const until = this.#one([
      NEVER,
      NEVER,
      after(now, micros(9e6)),
      instant(now),
      instant(now - 1),
    ]);
    const mac = present(parseMac(colons(this.#one([...MACS, this.#otherMac(side)]))), 'a MAC');
    const vni = this.#one(VNIS);
    const chosen = this.#one<Encapsulation>([
      { kind: 'wireguard' },
      { kind: 'wireguard' },
      { kind: 'wireguard' },
      { kind: 'vxlan-sealed', vni: this.#one(SEALED_VNIS) },
      { kind: 'vxlan-sealed', vni: this.#one(SEALED_VNIS) },
      { kind: 'vxlan', endpoint: endpointOf(place, VXLAN_PORT), vni, mac, until },
      { kind: 'vxlan', endpoint: endpointOf(place, VXLAN_PORT), vni, mac, until },
      { kind: 'udp', endpoint: endpointOf(place, UDP_PORT), until },
    ]);
    if (isClear(chosen)) this.#known[side === 0 ? 0 : 1].push(chosen);
    return chosen;
  }

  /** What one host sent to `to` in the clear, as it arrives at the other. */
  arriving(datagram: Uint8Array, to: Endpoint): ClearDatagram {
    const kind = to.port === UDP_PORT ? 'udp' : 'vxlan';
    const source = endpointOf(to.address, 1 + this.#random.below(65_535));
    return { datagram, source, arrival: { kind, port: to.port } };
  }

  /** What anybody can make, around `packet` or a question: mostly right, and wrong in something. */
  made(side: number, packet: Uint8Array): ClearDatagram {
    const known = this.#known[side] ?? [];
    const recent = known.slice(-RECENT);
    const from = recent.length > 0 ? this.#one(recent) : NOBODY;
    const place = this.#mostly(from.endpoint.address, [...PLACES, '192.0.2.77'].map(address));
    const source = endpointOf(place, this.#random.below(65_536));
    const ports: readonly ClearPort[] = [
      { kind: 'vxlan', port: VXLAN_PORT },
      { kind: 'vxlan', port: 8472 },
      { kind: 'udp', port: UDP_PORT },
    ];
    const arrival = this.#mostly({ kind: from.kind, port: from.endpoint.port }, ports);
    const isFrame = this.#mostly(from.kind, ['vxlan', 'udp']) === 'vxlan';
    return { datagram: isFrame ? this.#frame(side, from, packet) : packet, source, arrival };
  }

  #frame(side: number, from: ClearEncapsulation, packet: Uint8Array): Uint8Array {
    const own = present(MACS[side], 'its VTEP');
    const groups = [BROADCAST, solicitedNodeMac(OWN), '333300000001'];
    const [ethertype, payload] = this.#payload(packet);
    const padding = this.#random.below(6) === 0 ? this.#random.below(20) : 0;
    const vni = from.kind === 'vxlan' ? from.vni : this.#one(VNIS);
    return vxlanFrame(
      {
        flags: this.#mostly(8, [0, 0xf7, 0xff]),
        vni: this.#mostly(vni, [2, 0]),
        destination: this.#mostly(own, [...groups, ...groups, ...MACS]),
        source: this.#mostly(this.#otherMac(side), [...MACS, STRANGE_MAC, '010000000001']),
        ethertype,
      },
      concat(payload, this.#random.bytes(padding)),
    );
  }

  #payload(packet: Uint8Array): readonly [ethertype: number, payload: Uint8Array] {
    const type = (packet[0] ?? 0) >> 4 === 4 ? 0x0800 : 0x86dd;
    switch (this.#random.below(8)) {
      case 0:
      case 1:
        return [0x0806, this.#arp()];
      case 2:
      case 3:
        return [0x86dd, this.#neighbour()];
      case 4:
        return [this.#one([0x0800, 0x86dd, 0x0806, 0x8100, 0x88cc]), packet];
      default:
        return [type, packet];
    }
  }

  #arp(): Uint8Array {
    return arp({
      operation: this.#mostly(1, [2, 0]),
      senderMac: this.#one([...MACS, STRANGE_MAC]),
      sender: this.#mostly(this.#one(['10.0.0.1', '10.0.0.2', '10.0.0.3']), ['0.0.0.0']),
      targetMac: this.#one(['000000000000', ...MACS]),
      target: this.#mostly(`10.0.0.${OWN}`, ['10.0.0.8']),
    });
  }

  #neighbour(): Uint8Array {
    const host = this.#mostly(this.#one([1, 2, 3]), [77]);
    const link = Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 0xee);
    const options = [
      new Uint8Array(0),
      Uint8Array.of(14, 2, ...this.#random.bytes(14)),
      Uint8Array.of(1, 0, 2, 0, 0, 0, 0, 0xee),
      Uint8Array.of(1, 2, 2, 0, 0, 0, 0, 0xee),
      this.#random.bytes(this.#random.below(12)),
    ];
    const linkLocal = `fe80${ipv6Hex(host).slice(4)}`;
    const multicast = `ff02${ipv6Hex(OWN).slice(4)}`;
    return neighbour({
      type: this.#mostly(135, [136]),
      code: this.#mostly(0, [1]),
      hops: this.#mostly(255, [254]),
      source: this.#mostly(ipv6Hex(host), [linkLocal, '0'.repeat(32)]),
      target: this.#mostly(ipv6Hex(OWN), [ipv6Hex(8), multicast]),
      options: this.#mostly(link, options),
    });
  }

  #ownAddresses(): TableWrite {
    const texts = this.#one([[], [`10.0.0.${OWN}`, `fd00::${OWN}`], [`10.0.0.${OWN}`, 'fd00::8']]);
    return { kind: 'setOwnAddresses', addresses: texts.map(address) };
  }

  #otherMac(side: number): string {
    return present(MACS[1 - side], 'the other VTEP');
  }

  #mostly<Item>(right: Item, others: readonly Item[]): Item {
    return this.#random.below(8) === 0 ? this.#one(others) : right;
  }

  #one<Item>(items: readonly Item[]): Item {
    return present(items[this.#random.below(items.length)], 'one of several');
  }
}

/** An endpoint of sealed messages behind VXLAN. */
export function behind(text: string, vni: number): Endpoint {
  return { ...endpoint(text), vni };
}

function colons(digits: string): string {
  return digits.replace(/(..)(?!$)/g, '$1:');
}
