/**
 * The records that native code hands up, little-endian, back to back:
 *
 *   kind(1) | 1 handshake:     queued(4) endpoint(44) length(2) datagram
 *           | 2 sessionNeeded: peer(4) reason(1: 0 staged, 1 rekey)
 *           | 3 confirmed:     peer(4) localIndex(4)
 *           | 4 roamed:        peer(4) endpoint(44)
 *           | 5 activity:      peer(4) lastSent(8) lastReceived(8)
 *                              unansweredSend(8) unansweredReceive(8)
 *           | 6 control:       peer(4) localIndex(4) length(2) message
 *
 * An endpoint: family(1: 4 or 6) hasLocal(1) port(2) address(16) localAddress(16)
 * interfaceIndex(4) vni(4: 0 none); an IPv4 address stands in the first four bytes. The twin is
 * native/io/event_queue.cc.
 *
 * What goes down, an encapsulation: kind(1: 0 wireguard, 1 vxlan-sealed, 2 vxlan, 3 udp) mac(6)
 * zero(1) vni(4) endpoint(44) until(8: microseconds since boot, all ones for never).
 */

import { type Address, addressFromBytes, type Endpoint, endpointOf } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import { loadLe32, loadLe64, storeLe32, storeLe64 } from '../base/bytes.js';
import { peerSlot, sessionIndex } from '../base/identifiers.js';
import { instant, NEVER } from '../base/time.js';
import { type KeypairMaterial, MAX_LANES, type WalkEvent } from '../datapath/tables.js';
import type { Encapsulation } from '../encap/encapsulation.js';

const ADDRESS_BYTES = 17;
const ENDPOINT_BYTES = 44;
const ENCAPSULATION_BYTES = 64;
/** As native/crypto/suite.h numbers them. */
const SUITE_NUMBERS = { 'chacha20-poly1305': 1, 'aes-256-gcm': 2 } as const;
const NEVER_WORD = 0xffff_ffff_ffff_ffffn;
const ENCAPSULATION_KINDS = ['wireguard', 'vxlan-sealed', 'vxlan', 'udp'] as const;
const SHORTEST = {
  handshake: 51,
  sessionNeeded: 6,
  confirmed: 9,
  roamed: 49,
  activity: 37,
  control: 11,
};

/**
 * Appends the events of `records` to `out`. Datagrams are views of `records`, which nobody else
 * keeps.
 */
export function parseEvents(records: Uint8Array, out: WalkEvent[]): void {
  let at = 0;
  while (at < records.length) {
    const kind = records[at] ?? 0;
    const peer = peerSlot(loadLe32(records, at + 1));
    if (kind === 1) {
      const length = (records[at + 49] ?? 0) | ((records[at + 50] ?? 0) << 8);
      const from = at + SHORTEST.handshake;
      const datagram = records.subarray(from, from + length);
      const source = parseEndpoint(records, at + 5);
      out.push({ kind: 'handshake', datagram, source, queued: loadLe32(records, at + 1) });
      at = from + length;
    } else if (kind === 2) {
      const reason = records[at + 5] === 0 ? 'staged' : 'rekey';
      out.push({ kind: 'sessionNeeded', peer, reason });
      at += SHORTEST.sessionNeeded;
    } else if (kind === 3) {
      out.push({ kind: 'confirmed', peer, localIndex: sessionIndex(loadLe32(records, at + 5)) });
      at += SHORTEST.confirmed;
    } else if (kind === 4) {
      out.push({ kind: 'roamed', peer, endpoint: parseEndpoint(records, at + 5) });
      at += SHORTEST.roamed;
    } else if (kind === 5) {
      out.push({ kind: 'activity', peer, activity: parseActivity(records, at + 5) });
      at += SHORTEST.activity;
    } else if (kind === 6) {
      const length = (records[at + 9] ?? 0) | ((records[at + 10] ?? 0) << 8);
      const from = at + SHORTEST.control;
      const localIndex = sessionIndex(loadLe32(records, at + 5));
      const message = records.subarray(from, from + length);
      out.push({ kind: 'control', peer, localIndex, message });
      at = from + length;
    } else {
      unreachable(kind as never);
    }
  }
}

export function parseEndpoint(bytes: Uint8Array, at: number): Endpoint {
  const family = bytes[at] === 4 ? 4 : 6;
  const port = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  const vni = loadLe32(bytes, at + 40);
  const bare = endpointOf(addressFromBytes(bytes, at + 4, family), port);
  const endpoint = vni === 0 ? bare : { ...bare, vni };
  if (bytes[at + 1] === 0) return endpoint;
  const address = addressFromBytes(bytes, at + 20, family);
  return { ...endpoint, local: { address, interfaceIndex: loadLe32(bytes, at + 36) } };
}

export function emitEndpoint(endpoint: Endpoint): Uint8Array {
  const bytes = new Uint8Array(ENDPOINT_BYTES);
  bytes[0] = endpoint.address.family;
  bytes[1] = endpoint.local ? 1 : 0;
  bytes[2] = endpoint.port;
  bytes[3] = endpoint.port >> 8;
  bytes.set(endpoint.address.bytes, 4);
  if (endpoint.local) {
    bytes.set(endpoint.local.address.bytes, 20);
    storeLe32(bytes, 36, endpoint.local.interfaceIndex);
  }
  storeLe32(bytes, 40, endpoint.vni ?? 0);
  return bytes;
}

export function emitEncapsulation(encapsulation: Encapsulation): Uint8Array {
  const bytes = new Uint8Array(ENCAPSULATION_BYTES);
  bytes[0] = ENCAPSULATION_KINDS.indexOf(encapsulation.kind);
  if ('vni' in encapsulation) storeLe32(bytes, 8, encapsulation.vni);
  if ('mac' in encapsulation) bytes.set(encapsulation.mac.bytes, 1);
  if (!('endpoint' in encapsulation)) return bytes;
  bytes.set(emitEndpoint(encapsulation.endpoint), 12);
  const { until } = encapsulation;
  storeLe64(bytes, 56, until === NEVER ? NEVER_WORD : BigInt(until));
  return bytes;
}

/** What a keypair is beside its keys: see engineInstallKeypair. */
export function emitKeypairKind({ takesControl, heddle }: KeypairMaterial): Uint8Array {
  const suite = SUITE_NUMBERS[heddle?.suite ?? 'chacha20-poly1305'];
  return Uint8Array.of(
    takesControl ? 1 : 0,
    suite,
    heddle?.lane ?? MAX_LANES,
    heddle?.trustsChecksums ? 1 : 0,
  );
}

/** Addresses at 17 bytes each: family(1: 4 or 6) address(16). */
export function emitAddresses(addresses: readonly Address[]): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES * addresses.length);
  for (const [i, address] of addresses.entries()) {
    bytes[ADDRESS_BYTES * i] = address.family;
    bytes.set(address.bytes, ADDRESS_BYTES * i + 1);
  }
  return bytes;
}

function parseActivity(bytes: Uint8Array, at: number) {
  const moment = (offset: number) => instant(Number(loadLe64(bytes, at + offset)));
  return {
    lastSent: moment(0),
    lastReceived: moment(8),
    unansweredSend: moment(16),
    unansweredReceive: moment(24),
  };
}
