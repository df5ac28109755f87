/**
 * The answer to `get=1` of WireGuard's configuration protocol: the lines in which a userspace
 * implementation tells `wg show` and its like of itself. Holds secrets: it goes to the socket of
 * mode 0600 and nowhere else.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol. The line with the errno is
 * the socket's.
 */

import type { Endpoint, Prefix } from '../base/address.js';
import { isZero, toHex } from '../base/bytes.js';
import { type Duration, toSeconds, type WallTime } from '../base/time.js';

export interface UapiPeer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly presharedKey: Uint8Array | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly latestHandshake: WallTime | undefined;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly persistentKeepalive: Duration | undefined;
  readonly allowedIps: readonly Prefix[];
}

export interface UapiDevice {
  /** 32 bytes; all zeros: none. */
  readonly privateKey: Uint8Array;
  readonly listenPort: number;
  readonly fwMark: number;
  readonly peers: readonly UapiPeer[];
}

/** Characters of a piece: a reader that is slow keeps no more than a few of them waiting. */
const PIECE = 32 * 1024;
const NO_KEY = '0'.repeat(64);
const MICROS_PER_SECOND = 1_000_000;

/** The lines in pieces, each made when it is asked for. */
export function* emitUapiGet(device: UapiDevice): Generator<string, void, void> {
  let piece = deviceLines(device);
  for (const peer of device.peers) {
    piece += peerLines(peer);
    for (const prefix of peer.allowedIps) {
      piece += `allowed_ip=${prefix.text}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function deviceLines({ privateKey, listenPort, fwMark }: UapiDevice): string {
  const key = isZero(privateKey) ? '' : `private_key=${toHex(privateKey)}\n`;
  const port = listenPort === 0 ? '' : `listen_port=${listenPort}\n`;
  return key + port + (fwMark === 0 ? '' : `fwmark=${fwMark}\n`);
}

function peerLines(peer: UapiPeer): string {
  const { presharedKey, endpoint, latestHandshake = 0, persistentKeepalive } = peer;
  const keepalive = persistentKeepalive === undefined ? 0 : toSeconds(persistentKeepalive);
  const nanos = (latestHandshake % MICROS_PER_SECOND) * 1000;
  return [
    `public_key=${toHex(peer.publicKey)}`,
    `preshared_key=${presharedKey ? toHex(presharedKey) : NO_KEY}`,
    'protocol_version=1',
    ...(endpoint ? [`endpoint=${endpoint.text}`] : []),
    `last_handshake_time_sec=${Math.floor(latestHandshake / MICROS_PER_SECOND)}`,
    `last_handshake_time_nsec=${nanos}`,
    `rx_bytes=${peer.rxBytes}`,
    `tx_bytes=${peer.txBytes}`,
    `persistent_keepalive_interval=${keepalive}`,
    '',
  ].join('\n');
}
