/**
 * WireGuard's configuration socket of a running tunnel: `wg show` reads it, `wg set`, `setconf`,
 * `addconf` and `syncconf` change it. Only keys, port, mark and peers: addresses and routes stay
 * with whoever set them, as with any WireGuard.
 */

import { constants } from 'node:os';
import { applyEdits, type OwnKeys } from '../api/uapi_apply.js';
import type { UapiEdit, UapiRefusal } from '../api/uapi_edit.js';
import { emitUapiGet, type UapiDevice } from '../api/uapi_get.js';
import { parseUapiSet } from '../api/uapi_set.js';
import type { Endpoint } from '../base/address.js';
import { toBase64, wipe } from '../base/bytes.js';
import type { Log } from '../base/log.js';
import { clamp } from '../crypto/keys.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { HandError } from '../io/hand.js';
import { NetlinkError } from '../io/netlink.js';
import { UapiSocket } from '../io/uapi_socket.js';
import type { Config, PeerConfig } from '../node/config.js';
import type { NodeSnapshot } from '../node/snapshot.js';
import { wipeDropped } from './secrets.js';
import type { Tunnel } from './tunnel.js';

export interface UapiTunnel
  extends Pick<Tunnel, 'config' | 'listenPort' | 'fwMark' | 'traffic' | 'reconfigure'> {
  snapshot(): Pick<NodeSnapshot, 'peers'>;
}

export interface UapiParts {
  readonly path: string;
  readonly tunnel: UapiTunnel;
  readonly crypto: Pick<CryptoSuite, 'publicKey'>;
  readonly log: Log;
  /** Takes an error that is a defect. */
  readonly fail: (error: unknown) => void;
}

/** Opens the socket; throws FileError. */
export function openUapi(parts: UapiParts): Promise<UapiSocket> {
  return UapiSocket.open(parts.path, {
    get: () => emitUapiGet(describeTunnel(parts.tunnel)),
    set: (lines) => setTunnel(parts, lines),
  });
}

/** Peers in the clear have no key, and no words in this protocol. */
function describeTunnel(tunnel: UapiTunnel): UapiDevice {
  const { config, listenPort, fwMark } = tunnel;
  const running = new Map(tunnel.snapshot().peers.map((peer) => [toBase64(peer.publicKey), peer]));
  const peers = config.peers.flatMap(({ publicKey, presharedKey }) => {
    const peer = running.get(toBase64(publicKey));
    if (!peer) return [];
    const { endpoint, persistentKeepalive, allowedIps } = peer;
    const { rxBytes, txBytes } = tunnel.traffic(peer.slot);
    const latestHandshake = peer.latestHandshake?.wall;
    const own = { publicKey, presharedKey: presharedKey?.slice() };
    const traffic = { latestHandshake, rxBytes, txBytes };
    return [{ ...own, ...traffic, endpoint, persistentKeepalive, allowedIps }];
  });
  return { privateKey: config.privateKey, listenPort, fwMark, peers };
}

/** The errno, positive; 0 when all of it is in force. */
async function setTunnel(parts: UapiParts, lines: string): Promise<number> {
  const { tunnel, log } = parts;
  const parsed = parseUapiSet(lines);
  if (parsed.kind === 'refused') return refuse(log, parsed);
  const { edits } = parsed;
  try {
    const { before, after } = await tunnel.reconfigure(changeOf(parts, edits), 'peers');
    wipeDropped(before, after);
  } catch (error) {
    for (const edit of edits) if (edit.kind === 'presharedKey') wipe(edit.key);
    return refuse(log, refusalOf(parts, error));
  } finally {
    for (const edit of edits) if (edit.kind === 'privateKey') wipe(edit.key);
  }
  await returnToTold(tunnel, edits).catch(parts.fail);
  log.info('changed through the WireGuard socket', { edits: edits.length });
  return 0;
}

function changeOf({ crypto }: UapiParts, edits: readonly UapiEdit[]): (running: Config) => Config {
  const keys: OwnKeys = { clamp, publicKey: (key) => crypto.publicKey(key) };
  return (running) => {
    const applied = applyEdits(running, edits, keys);
    if (applied.kind === 'refused') throw new RefusedEdits(applied);
    return applied.config;
  };
}

class RefusedEdits extends Error {
  override readonly name = 'RefusedEdits';
  readonly refusal: UapiRefusal;

  constructor(refusal: UapiRefusal) {
    super(refusal.why);
    this.refusal = refusal;
  }
}

function refusalOf(parts: UapiParts, error: unknown): UapiRefusal {
  if (error instanceof RefusedEdits) return error.refusal;
  if (error instanceof HandError || error instanceof NetlinkError) {
    return { kind: 'refused', errno: errnoOf(error.code), why: error.message };
  }
  parts.fail(error);
  return { kind: 'refused', errno: constants.errno.EIO, why: 'a defect of heddle itself' };
}

function errnoOf(code: string): number {
  const known = Object.entries(constants.errno).find(([name]) => name === code);
  return known ? known[1] : constants.errno.EIO;
}

function refuse(log: Log, { errno, why }: UapiRefusal): number {
  log.warn('refused a change through the WireGuard socket', { why });
  return errno;
}

/**
 * A peer may have roamed away from its configured endpoint. Being told the same one again changes
 * nothing in the configuration, and yet means: go back there. So it is forgotten and told anew.
 */
async function returnToTold(tunnel: UapiTunnel, edits: readonly UapiEdit[]): Promise<void> {
  const told = toldEndpoints(edits);
  if (told.size === 0) return;
  const away = new Map<string, PeerConfig['endpoint']>();
  for (const { publicKey, endpoint } of tunnel.snapshot().peers) {
    const key = toBase64(publicKey);
    const at = told.get(key);
    if (at && endpoint && at.text !== endpoint.text) {
      away.set(key, { host: at.address.text, port: at.port });
    }
  }
  if (away.size === 0) return;
  const nowhere = new Map(Array.from(away.keys(), (key) => [key, undefined]));
  await tunnel.reconfigure((running) => withEndpoints(running, nowhere), 'peers');
  await tunnel.reconfigure((running) => withEndpoints(running, away), 'peers');
}

/** By public key, the last endpoint that each peer was given. */
function toldEndpoints(edits: readonly UapiEdit[]): Map<string, Endpoint> {
  const told = new Map<string, Endpoint>();
  let key = '';
  for (const edit of edits) {
    if (edit.kind === 'peer') key = toBase64(edit.publicKey);
    else if (edit.kind === 'endpoint') told.set(key, edit.endpoint);
  }
  return told;
}

function withEndpoints(
  config: Config,
  places: ReadonlyMap<string, PeerConfig['endpoint']>,
): Config {
  const peers = config.peers.map((peer) => {
    const key = toBase64(peer.publicKey);
    if (!places.has(key)) return peer;
    const { endpoint: _, ...others } = peer;
    const endpoint = places.get(key);
    return endpoint ? { ...others, endpoint } : others;
  });
  return { ...config, peers };
}
