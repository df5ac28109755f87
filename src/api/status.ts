/**
 * The status document: what `heddle status --json` prints and the command draws its screens from.
 * It is part of the interface: keys are added, never changed or removed, while `schemaVersion`
 * stays. It holds no secret.
 */

import { type InterfaceAddress, bitsOf, type Prefix } from '../base/address.js';
import { toBase64 } from '../base/bytes.js';
import {
  type Duration,
  elapsed,
  type Instant,
  seconds,
  toMillis,
  toSeconds,
} from '../base/time.js';
import type { ClearPeerSnapshot, NodeSnapshot, PeerSnapshot } from '../node/snapshot.js';
import {
  type DatapathSource,
  type DatapathStatus,
  datapathStatus,
  judgeBuffers,
} from './datapath_status.js';
import { type MeshSummary, meshSummary, type MeshWarning, meshWarnings } from './mesh_summary.js';
import { formatRfc3339 } from './rfc3339.js';

export const SCHEMA_VERSION = 1;
/** Reject-After-Time: a session older than this carries nothing. */
const SESSION_LIFE = seconds(180);
/** Bytes of a VXLAN header and an Ethernet header. */
const FRAME_HEADERS = 22n;

/** A count of 64 bits: a number while it is exact, then its decimal text. */
export type Count = number | string;
export type Counts = Readonly<Record<string, Count>>;

/** Bytes of inner packets. */
export interface PlaintextBytes {
  readonly received: Count;
  readonly sent: Count;
}

export interface PeerStatus {
  readonly name: string;
  /** Null for a peer in the clear. */
  readonly publicKey: string | null;
  readonly hasPresharedKey: boolean;
  readonly endpoint: string | null;
  /**
   * `idle`: nobody asked for a session; `handshaking`: asked, no answer yet; `established`: traffic
   * can flow. A peer in the clear is `established` until it ends, and `idle` then.
   */
  readonly state: 'idle' | 'handshaking' | 'established';
  /** The peer's own addresses in the overlay: its allowed prefixes that are one address long. */
  readonly addresses: readonly string[];
  readonly allowedIps: readonly string[];
  readonly encapsulation: 'wireguard' | 'vxlan-sealed' | 'vxlan' | 'udp';
  /**
   * What the session in use speaks and is sealed with, on how many lanes it is sent, and whether
   * inner checksums are left to the peer; null without a session, and for a peer in the clear.
   */
  readonly protocol: 'wireguard' | 'heddle' | null;
  readonly cipher: PeerSnapshot['suite'] | null;
  readonly lanes: number | null;
  readonly trustsChecksums: boolean | null;
  readonly vni: number | null;
  /** Of a peer with clear VXLAN. */
  readonly vtepMac: string | null;
  /** Of a peer in the clear: since when it is there, and when it ends or ended. */
  readonly plaintextSince: string | null;
  readonly plaintextUntil: string | null;
  readonly persistentKeepaliveSeconds: number | null;
  readonly latestHandshake: string | null;
  readonly latestHandshakeAgeSeconds: number | null;
  readonly handshakeRoundTripMs: number | null;
  readonly rxBytes: Count;
  readonly txBytes: Count;
  readonly rxPackets: Count;
  readonly txPackets: Count;
  /** What crossed the underlay in the clear; null for a sealed peer. */
  readonly plaintextBytes: PlaintextBytes | null;
  /** Drops that are known to be of this peer's traffic. */
  readonly dropsByReason: Counts;
}

/** A root cause that somebody should act on. */
export interface Warning {
  readonly code:
    | 'peer_silent'
    | 'handshake_load'
    | 'buffers_clamped'
    | 'reload_failed'
    | 'plaintext'
    | MeshWarning['code']
    | 'plaintext_ended';
  readonly text: string;
  /** What to do about it. */
  readonly fix: string;
}

/** With these the daemon does not do all that it was told to. */
const DEGRADING: readonly Warning['code'][] = ['peer_silent', 'reload_failed', 'not_a_member'];

export interface StatusDocument extends DatapathStatus {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly version: string;
  readonly pid: number;
  readonly health: 'ok' | 'degraded';
  readonly warnings: readonly Warning[];
  readonly uptimeSeconds: number;
  readonly interface: string;
  readonly publicKey: string;
  /** What peers with clear VXLAN know us by. */
  readonly vtepMac: string | null;
  readonly addresses: readonly string[];
  readonly mtu: number;
  readonly listenPort: number;
  readonly fwMark: number;
  readonly datapath: 'native' | 'reference';
  /** Queues and pairs of threads that carry packets. */
  readonly lanes: number;
  /** How the datapath runs: buffers clamped, which cipher code, offloads. */
  readonly remarks: readonly string[];
  /** Null: there is none. */
  readonly mesh: MeshSummary | null;
  readonly peers: readonly PeerStatus[];
  /** What crossed the underlay in the clear since the daemon started, removed peers' too. */
  readonly plaintextBytes: PlaintextBytes;
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
  readonly lanes: number;
  readonly remarks: readonly string[];
  readonly snapshot: NodeSnapshot;
  readonly traffic: (peer: PeerSnapshot['slot']) => TrafficReading;
  readonly counters: Readonly<Record<string, bigint>>;
  readonly drops: Readonly<Record<string, bigint>>;
  /** Why the last reload was refused, where it was. */
  readonly reloadFailure?: string;
  readonly repairs: Readonly<Record<string, number>>;
  /** Absent where nothing can be told of it. */
  readonly datapathSource?: DatapathSource;
}

export function statusDocument(source: StatusSource): StatusDocument {
  const { snapshot } = source;
  // Who was invited and has not come is no peer to show; of members the mesh knows who is silent.
  const shown = snapshot.peers.filter((peer) => !peer.isMesh || peer.allowedIps.length > 0);
  const sealed = shown.map((peer) => peerStatus(peer, source));
  const configured = new Set(shown.filter((peer) => !peer.isMesh).map(({ name }) => name));
  const clear = snapshot.clearPeers.map((peer) => clearPeerStatus(peer, source));
  const peers = [...sealed, ...clear];
  const running = datapathStatus(source.datapathSource, source.now);
  const warnings = [
    ...judgeReload(source.reloadFailure),
    ...sealed.filter(({ name }) => configured.has(name)).flatMap(judgePeer),
    ...clear.map(judgeClearPeer),
    ...judgeLoad(snapshot),
    ...meshWarnings(snapshot.mesh),
    ...judgeBuffers(running),
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
    vtepMac: snapshot.vtepMac?.text ?? null,
    addresses: source.addresses.map((address) => address.text),
    mtu: source.mtu,
    listenPort: source.listenPort,
    fwMark: source.fwMark,
    datapath: source.datapath,
    lanes: source.lanes,
    remarks: source.remarks,
    mesh: meshSummary(snapshot.mesh),
    peers,
    plaintextBytes: {
      received: count(source.counters.plaintext_in_bytes ?? 0n),
      sent: count(source.counters.plaintext_out_bytes ?? 0n),
    },
    counters: counts(source.counters),
    dropsByReason: counts(
      addDrops(addDrops(source.drops, snapshot.handshakeDrops), snapshot.controlDrops),
    ),
    repairs: source.repairs,
    ...running,
  };
}

function peerStatus(peer: PeerSnapshot, source: StatusSource): PeerStatus {
  const { latestHandshake, handshakeRoundTrip, persistentKeepalive, sealedVni } = peer;
  return {
    name: peer.name,
    publicKey: toBase64(peer.publicKey),
    hasPresharedKey: peer.hasPresharedKey,
    endpoint: peer.endpoint?.text ?? null,
    state: peer.state,
    ...prefixTexts(peer.allowedIps),
    encapsulation: sealedVni === undefined ? 'wireguard' : 'vxlan-sealed',
    ...(peer.state === 'established' ? sessionStatus(peer) : NO_SESSION),
    vni: sealedVni ?? null,
    vtepMac: null,
    plaintextSince: null,
    plaintextUntil: null,
    persistentKeepaliveSeconds: persistentKeepalive ? toSeconds(persistentKeepalive) : null,
    latestHandshake: latestHandshake ? formatRfc3339(latestHandshake.wall) : null,
    latestHandshakeAgeSeconds: latestHandshake
      ? wholeSeconds(elapsed(latestHandshake.at, source.now))
      : null,
    handshakeRoundTripMs: handshakeRoundTrip === undefined ? null : toMillis(handshakeRoundTrip),
    ...trafficCounts(source.traffic(peer.slot)),
    plaintextBytes: null,
  };
}

type SessionStatus = Pick<PeerStatus, 'protocol' | 'cipher' | 'lanes' | 'trustsChecksums'>;

const NO_SESSION: SessionStatus = {
  protocol: null,
  cipher: null,
  lanes: null,
  trustsChecksums: null,
};

function sessionStatus({ protocol, suite, lanes, trustsChecksums }: PeerSnapshot): SessionStatus {
  return { protocol, cipher: suite, lanes, trustsChecksums };
}

function clearPeerStatus(peer: ClearPeerSnapshot, source: StatusSource): PeerStatus {
  const { carrier, since, plaintextUntil } = peer;
  const traffic = source.traffic(peer.slot);
  return {
    name: peer.name,
    publicKey: null,
    hasPresharedKey: false,
    endpoint: peer.endpoint.text,
    state: peer.hasEnded ? 'idle' : 'established',
    ...prefixTexts(peer.allowedIps),
    encapsulation: carrier.kind,
    ...NO_SESSION,
    vni: carrier.kind === 'vxlan' ? carrier.vni : null,
    vtepMac: carrier.kind === 'vxlan' ? carrier.mac.text : null,
    plaintextSince: formatRfc3339(since),
    plaintextUntil: plaintextUntil === undefined ? null : formatRfc3339(plaintextUntil),
    persistentKeepaliveSeconds: null,
    latestHandshake: null,
    latestHandshakeAgeSeconds: null,
    handshakeRoundTripMs: null,
    ...trafficCounts(traffic),
    plaintextBytes: plaintextOf(carrier.kind, traffic),
  };
}

/** A peer's own addresses are its prefixes that are one address long. */
function prefixTexts(prefixes: readonly Prefix[]): Pick<PeerStatus, 'addresses' | 'allowedIps'> {
  const own = prefixes.filter(({ address, length }) => length === bitsOf(address.family));
  return {
    addresses: own.map((prefix) => prefix.address.text),
    allowedIps: prefixes.map((prefix) => prefix.text),
  };
}

type TrafficCounts = Pick<
  PeerStatus,
  'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets' | 'dropsByReason'
>;

function trafficCounts(traffic: TrafficReading): TrafficCounts {
  return {
    rxBytes: count(traffic.rxBytes),
    txBytes: count(traffic.txBytes),
    rxPackets: count(traffic.rxPackets),
    txPackets: count(traffic.txPackets),
    dropsByReason: counts(traffic.drops ?? {}),
  };
}

/** What is counted are whole UDP payloads: in VXLAN each has a header and that of its frame. */
function plaintextOf(
  kind: ClearPeerSnapshot['carrier']['kind'],
  { rxBytes, txBytes, rxPackets, txPackets }: TrafficReading,
): PlaintextBytes {
  const headers = kind === 'vxlan' ? FRAME_HEADERS : 0n;
  return {
    received: count(rxBytes - headers * rxPackets),
    sent: count(txBytes - headers * txPackets),
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

/** What is configured is in order, and still nothing to be forgotten. */
function judgeClearPeer(peer: PeerStatus): Warning {
  const who = `${peer.name} (${peer.encapsulation})`;
  const until = peer.plaintextUntil;
  if (peer.state !== 'established') {
    return {
      code: 'plaintext_ended',
      text: `${who} ended at ${until}: what goes to it or comes from it is dropped`,
      fix: 'remove it from the configuration, or give it a later plaintextUntil; `heddle reload`',
    };
  }
  const { received, sent } = peer.plaintextBytes ?? { received: 0, sent: 0 };
  const bytes = `${received} bytes received and ${sent} sent since ${peer.plaintextSince}`;
  return {
    code: 'plaintext',
    text: `${who} is in the clear: ${bytes}, until ${until ?? 'it is removed'}`,
    fix: 'anybody on the way can read and forge this; where both ends can, use a sealed one',
  };
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
