/**
 * The records that native code hands up, little-endian, back to back:
 *
 *   kind(1) | 1 handshake:     queued(4) endpoint(40) length(2) datagram
 *           | 2 sessionNeeded: peer(4) reason(1: 0 staged, 1 rekey)
 *           | 3 confirmed:     peer(4) localIndex(4)
 *           | 4 roamed:        peer(4) endpoint(40)
 *           | 5 activity:      peer(4) lastSent(8) lastReceived(8)
 *                              unansweredSend(8) unansweredReceive(8)
 *
 * An endpoint: family(1: 4 or 6) hasLocal(1) port(2) address(16) localAddress(16)
 * interfaceIndex(4); an IPv4 address stands in the first four bytes. The twin is
 * native/napi/upcall.cc.
 */

import { addressFromBytes, type Endpoint, endpointOf } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import { loadLe32, loadLe64, storeLe32 } from '../base/bytes.js';
import { peerSlot, sessionIndex } from '../base/identifiers.js';
import { instant } from '../base/time.js';
import type { WalkEvent } from '../datapath/tables.js';

const ENDPOINT_BYTES = 40;
const SHORTEST = { handshake: 47, sessionNeeded: 6, confirmed: 9, roamed: 45, activity: 37 };

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
      const length = (records[at + 45] ?? 0) | ((records[at + 46] ?? 0) << 8);
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
    } else {
      unreachable(kind as never);
    }
  }
}

export function parseEndpoint(bytes: Uint8Array, at: number): Endpoint {
  const family = bytes[at] === 4 ? 4 : 6;
  const port = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  const endpoint = endpointOf(addressFromBytes(bytes, at + 4, family), port);
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
