/**
 * The status document: what `heddle status --json` prints and the command draws its screens from.
 * It is part of the interface: keys are added, never changed or removed, while `schemaVersion`
 * stays. It holds no secret.
 */

import { type InterfaceAddress, bitsOf } from '../base/address.js';
import { toBase64 } from '../base/bytes.js';
import {
  type Duration,
  elapsed,
  type Instant,
  seconds,
  toMillis,
  toSeconds,
} from '../base/time.js';
import type { NodeSnapshot, PeerSnapshot } from '../node/snapshot.js';
import { formatRfc3339 } from './rfc3339.js';

export const SCHEMA_VERSION = 1;
/** Reject-After-Time: a session older than this carries nothing. */
const SESSION_LIFE = seconds(180);

/** A count of 64 bits: a number while it is exact, then its decimal text. */
export type Count = number | string;
export type Counts = Readonly<Record<string, Count>>;

export interface PeerStatus {
  readonly name: string;
  readonly publicKey: string;
  readonly hasPresharedKey: boolean;
  readonly endpoint: string | null;
  /**
   * `idle`: nobody asked for a session; `handshaking`: asked, no answer yet; `established`: traffic
   * can flow.
   */
  readonly state: 'idle' | 'handshaking' | 'established';
  /** The peer's own addresses in the overlay: its allowed prefixes that are one address long. */
  readonly addresses: readonly string[];
  readonly allowedIps: readonly string[];
  readonly encapsulation: 'wireguard';
  readonly persistentKeepaliveSeconds: number | null;
  readonly latestHandshake: string | null;
  readonly latestHandshakeAgeSeconds: number | null;
  readonly handshakeRoundTripMs: number | null;
  readonly rxBytes: Count;
  readonly txBytes: Count;
  readonly rxPackets: Count;
  readonly txPackets: Count;
  /** Drops that are known to be of this peer's traffic. */
  readonly dropsByReason: Counts;
}

/** A root cause that somebody should act on. */
export interface Warning {
  readonly code: 'peer_silent' | 'handshake_load' | 'reload_failed';
  readonly text: string;
  /** What to do about it. */
  readonly fix: string;
}

/** With these the daemon does not do all that it was told to. */
const DEGRADING: readonly Warning['code'][] = ['peer_silent', 'reload_failed'];

export interface StatusDocument {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly version: string;
  readonly pid: number;
  readonly health: 'ok' | 'degraded';
  readonly warnings: readonly Warning[];
  readonly uptimeSeconds: number;
  readonly interface: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  readonly mtu: number;
  readonly listenPort: number;
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  /** How the datapath runs: buffers clamped, which cipher code, offloads. */
  readonly remarks: readonly string[];
  readonly peers: readonly PeerStatus[];
  /** The walk's counters since the daemon started, datapath/counters.ts. */
  readonly counters: Counts;
  /** Packets and handshakes dropped since the daemon started, by reason; zeros too. */
  readonly dropsByReason: Counts;
  /** What others changed of heddle's in this host and was put right, by kind. */
  readonly repairs: Readonly<Record<string, number>>;
}

export interface TrafficReading {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly drops?: Readonly<Record<string, bigint>>;
}

/** What a status document is made from. */
export interface StatusSource {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Instant;
  readonly now: Instant;
  readonly interface: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly mtu: number;
  readonly listenPort: number;
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  readonly remarks: readonly string[];
  readonly snapshot: NodeSnapshot;
  readonly traffic: (peer: PeerSnapshot['slot']) => TrafficReading;
  readonly counters: Readonly<Record<string, bigint>>;
  readonly drops: Readonly<Record<string, bigint>>;
  /** Why the last reload was refused, where it was. */
  readonly reloadFailure?: string;
  readonly repairs: Readonly<Record<string, number>>;
}

export function statusDocument(source: StatusSource): StatusDocument {
  const { snapshot } = source;
  const peers = snapshot.peers.map((peer) => peerStatus(peer, source));
  const warnings = [
    ...judgeReload(source.reloadFailure),
    ...peers.flatMap(judgePeer),
    ...judgeLoad(snapshot),
  ];
  return {
    schemaVersion: SCHEMA_VERSION,
    version: source.version,
    pid: source.pid,
    health: warnings.some(({ code }) => DEGRADING.includes(code)) ? 'degraded' : 'ok',
    warnings,
    uptimeSeconds: wholeSeconds(elapsed(source.startedAt, source.now)),
    interface: source.interface,
    publicKey: toBase64(snapshot.publicKey),
    addresses: source.addresses.map((address) => address.text),
    mtu: source.mtu,
    listenPort: source.listenPort,
    fwMark: source.fwMark,
    datapath: source.datapath,
    remarks: source.remarks,
    peers,
    counters: counts(source.counters),
    dropsByReason: counts(addDrops(source.drops, snapshot.handshakeDrops)),
    repairs: source.repairs,
  };
}

function peerStatus(peer: PeerSnapshot, source: StatusSource): PeerStatus {
  const traffic = source.traffic(peer.slot);
  const { latestHandshake, handshakeRoundTrip, persistentKeepalive } = peer;
  const own = peer.allowedIps.filter((prefix) => prefix.length === bitsOf(prefix.address.family));
  return {
    name: peer.name,
    publicKey: toBase64(peer.publicKey),
    hasPresharedKey: peer.hasPresharedKey,
    endpoint: peer.endpoint?.text ?? null,
    state: peer.state,
    addresses: own.map((prefix) => prefix.address.text),
    allowedIps: peer.allowedIps.map((prefix) => prefix.text),
    encapsulation: 'wireguard',
    persistentKeepaliveSeconds: persistentKeepalive ? toSeconds(persistentKeepalive) : null,
    latestHandshake: latestHandshake ? formatRfc3339(latestHandshake.wall) : null,
    latestHandshakeAgeSeconds: latestHandshake
      ? wholeSeconds(elapsed(latestHandshake.at, source.now))
      : null,
    handshakeRoundTripMs: handshakeRoundTrip === undefined ? null : toMillis(handshakeRoundTrip),
    rxBytes: count(traffic.rxBytes),
    txBytes: count(traffic.txBytes),
    rxPackets: count(traffic.rxPackets),
    txPackets: count(traffic.txPackets),
    dropsByReason: counts(traffic.drops ?? {}),
  };
}

/** A peer that is asked for a session and has none that still carries traffic. */
function judgePeer(peer: PeerStatus): Warning[] {
  if (peer.state !== 'handshaking') return [];
  const age = peer.latestHandshakeAgeSeconds;
  if (age !== null && seconds(age) < SESSION_LIFE) return [];
  const where = peer.endpoint === null ? '' : ` at ${peer.endpoint}`;
  return [
    {
      code: 'peer_silent',
      text: `${peer.name} does not answer${where}, so packets to it wait`,
      fix: 'check that it runs, that each end has the public key of the other, and that UDP passes',
    },
  ];
}

function judgeReload(failure: string | undefined): Warning[] {
  if (failure === undefined) return [];
  return [
    {
      code: 'reload_failed',
      text: `the last reload was refused, the configuration before it runs on: ${failure}`,
      fix: 'mend the file (`heddle check` names every fault), then `heddle reload`',
    },
  ];
}

function judgeLoad(snapshot: NodeSnapshot): Warning[] {
  if (!snapshot.underLoad) return [];
  return [
    {
      code: 'handshake_load',
      text: 'more handshakes arrive than can be answered: senders must prove their address first',
      fix: 'sessions that stand are not affected; if it lasts, somebody floods the UDP port',
    },
  ];
}

function wholeSeconds(duration: Duration): number {
  return Math.max(0, Math.floor(toSeconds(duration)));
}

/** The walk and the handshake may drop for one reason: then it counts both. */
function addDrops(
  walk: Readonly<Record<string, bigint>>,
  handshake: Readonly<Record<string, number>>,
): Record<string, bigint> {
  const sums = { ...walk };
  for (const [reason, times] of Object.entries(handshake)) {
    sums[reason] = (sums[reason] ?? 0n) + BigInt(times);
  }
  return sums;
}

function counts(values: Readonly<Record<string, bigint>>): Counts {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, count(value)]));
}

function count(value: bigint): Count {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}
