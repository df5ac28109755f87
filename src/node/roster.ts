/**
 * Who a node's peers are, and what of that the walk has been told: peers by key and slot, those in
 * the clear (clear_peers.ts), and the prefixes they all own. A new configuration is taken as a
 * difference: a peer whose public key is in both keeps its slot and its session core.
 *
 * A prefix that a configured sealed peer and one in the clear both have is the sealed one's.
 *
 * Peers by the mesh come and go one by one beside the configured ones; what is configured, in the
 * clear too, has precedence, in keys and in prefixes.
 *
 * Left out of a configuration: our own public key (a peer cannot be ourselves), a second peer with
 * the same public key, and what is more than there are slots.
 */

import type { Prefix } from '../base/address.js';
import { equal } from '../base/bytes.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { TableWrite } from '../datapath/tables.js';
import type { SealedEncapsulation } from '../encap/encapsulation.js';
import type { Session } from '../session/session.js';
import type { ClearPeers, ClearPeersChange } from './clear_peers.js';
import type { ClearPeerConfig, Config, PeerConfig } from './config.js';
import { keyText, type Peer, PeerTable } from './peer_table.js';
import { PrefixOwners } from './prefix_owners.js';
import type { Slots } from './slots.js';
import type { ClearPeerSnapshot } from './snapshot.js';

export type Refusal = 'own_key' | 'duplicate_key' | 'duplicate_endpoint' | 'too_many';

/** What a new configuration changed. */
export interface RosterChange {
  /** In order: removed peers, new peers and their encapsulations, prefixes. */
  readonly writes: readonly TableWrite[];
  readonly gone: readonly Peer[];
  /** All peers there are now, each with the configuration it had before, if it was there. */
  readonly present: readonly { readonly peer: Peer; readonly before: PeerConfig | undefined }[];
  readonly refused: readonly Refused[];
}

/** What became of one peer of the mesh's. */
export interface MeshChange {
  readonly peer: Peer;
  /** Undefined: it is new. */
  readonly before: PeerConfig | undefined;
  readonly writes: readonly TableWrite[];
}

interface Refused {
  readonly config: PeerConfig | ClearPeerConfig;
  readonly why: Refusal;
}

/** What is shared with those in the clear. */
export interface RosterParts {
  readonly slots: Slots;
  readonly clearPeers: ClearPeers;
  readonly createSession: (slot: PeerSlot, publicKey: Uint8Array) => Session;
}

export class Roster {
  readonly peers = new PeerTable();
  readonly #parts: RosterParts;
  readonly #prefixes = new PrefixOwners();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** `ourPublicKey`: undefined where we have none. */
  adopt(
    { peers: configs, clearPeers }: Pick<Config, 'peers' | 'clearPeers'>,
    ourPublicKey: Uint8Array | undefined,
    now: Instant,
  ): RosterChange {
    const refused: Refused[] = [];
    const present: { peer: Peer; before: PeerConfig | undefined }[] = [];
    const keys = new Set<string>();
    for (const config of configs) {
      const why = refusalOf(config, ourPublicKey, keys);
      const entry = why ?? this.#admit(config, now) ?? 'too_many';
      if (typeof entry === 'string') refused.push({ config, why: entry });
      else present.push(entry);
    }
    const configured = present.map(({ peer }) => peer);
    const gone = this.peers.replaceAll([...this.#meshPeers(configured), ...configured]);
    for (const { slot } of gone) this.#parts.slots.release(slot, now);
    const clear = this.#parts.clearPeers.adopt(clearPeers, now);
    for (const each of clear.refused) refused.push(each);
    return { writes: this.#writes(present, gone, clear), gone, present, refused };
  }

  /**
   * A peer by the mesh is added, or is another now. One that is configured stays as it is;
   * undefined then, and where there is no place for another.
   */
  upsert(
    config: PeerConfig,
    otherKey: Uint8Array | undefined,
    now: Instant,
  ): MeshChange | undefined {
    const other = otherKey && this.peers.withKey(otherKey);
    const known = this.peers.withKey(config.publicKey) ?? other;
    if (known && !known.isMesh) return undefined;
    const slot = known?.slot ?? this.#parts.slots.claim(now);
    if (slot === undefined) return undefined;
    const before = known?.config;
    const peer = known ?? this.#create(slot, config, true);
    this.peers.rename(peer, config, otherKey);
    const writes: TableWrite[] = known ? [] : [{ kind: 'addPeer', peer: slot }];
    const isFixed = (owner: PeerSlot): boolean => this.peers.atSlot(owner)?.isMesh !== true;
    const [old, wanted] = [before?.allowedIps ?? [], config.allowedIps];
    for (const write of this.#prefixes.assignTo(slot, old, wanted, isFixed)) writes.push(write);
    return { peer, before, writes };
  }

  /** Undefined where no peer by the mesh has this key. */
  dismiss(publicKey: Uint8Array, now: Instant): MeshChange | undefined {
    const peer = this.peers.withKey(publicKey);
    if (!peer?.isMesh) return undefined;
    this.peers.remove(peer);
    this.#parts.slots.release(peer.slot, now);
    this.#prefixes.release(peer.slot, peer.config.allowedIps);
    const writes: TableWrite[] = [{ kind: 'removePeer', peer: peer.slot }];
    return { peer, before: peer.config, writes };
  }

  /** Which of the peer's configured prefixes it owns. */
  prefixesOf(peer: Peer): PeerConfig['allowedIps'] {
    return peer.config.allowedIps.filter((prefix) => this.#prefixes.has(prefix, peer.slot));
  }

  clearSnapshot(now: Instant): ClearPeerSnapshot[] {
    return this.#parts.clearPeers.snapshot((prefix, peer) => this.#prefixes.has(prefix, peer), now);
  }

  #admit(
    config: PeerConfig,
    now: Instant,
  ): { peer: Peer; before: PeerConfig | undefined } | undefined {
    const known = this.peers.withKey(config.publicKey);
    if (known && !known.isMesh) {
      const before = known.config;
      known.config = config;
      return { peer: known, before };
    }
    const slot = this.#parts.slots.claim(now);
    if (slot === undefined) return undefined;
    return { peer: this.#create(slot, config, false), before: undefined };
  }

  #create(slot: PeerSlot, config: PeerConfig, isMesh: boolean): Peer {
    return new RosterPeer({ slot, config, isMesh }, this.#parts.createSession);
  }

  /** Those that stay beside these configured ones. */
  #meshPeers(configured: readonly Peer[]): Peer[] {
    const keys = new Set(configured.map(({ config }) => keyText(config.publicKey)));
    return [...this.peers.all()].filter(
      ({ isMesh, config }) => isMesh && !keys.has(keyText(config.publicKey)),
    );
  }

  #writes(
    present: RosterChange['present'],
    gone: readonly Peer[],
    clear: ClearPeersChange,
  ): readonly TableWrite[] {
    const removed = new Set([...gone.map(({ slot }) => slot), ...clear.gone]);
    const writes: TableWrite[] = [];
    for (const peer of removed) writes.push({ kind: 'removePeer', peer });
    for (const { peer, before } of present) {
      if (!before) writes.push({ kind: 'addPeer', peer: peer.slot });
      const { sealedVni } = peer.config;
      if (before?.sealedVni !== sealedVni) writes.push(sealedWrite(peer.slot, sealedVni));
    }
    for (const write of clear.writes) writes.push(write);
    this.#prefixes.forget(removed);
    for (const write of this.#prefixes.assign(this.#wanted(present))) writes.push(write);
    return writes;
  }

  /** The later one of two has a prefix: what is configured comes after what the mesh says. */
  *#wanted(present: RosterChange['present']): Iterable<{ prefix: Prefix; peer: PeerSlot }> {
    for (const peer of this.peers.all()) {
      if (!peer.isMesh) continue;
      for (const prefix of peer.config.allowedIps) yield { prefix, peer: peer.slot };
    }
    yield* this.#parts.clearPeers.prefixes();
    for (const { peer } of present) {
      for (const prefix of peer.config.allowedIps) yield { prefix, peer: peer.slot };
    }
  }
}

/** Of a mesh of thousands most are never talked to: their sessions are made on first use. */
class RosterPeer implements Peer {
  readonly slot: PeerSlot;
  readonly isMesh: boolean;
  config: PeerConfig;
  otherKey: Uint8Array | undefined = undefined;
  isStockTold = false;
  latestHandshake: Peer['latestHandshake'] = undefined;
  readonly #createSession: RosterParts['createSession'];
  #session: Session | undefined;

  constructor(
    { slot, config, isMesh }: Pick<Peer, 'slot' | 'config' | 'isMesh'>,
    createSession: RosterParts['createSession'],
  ) {
    this.slot = slot;
    this.config = config;
    this.isMesh = isMesh;
    this.#createSession = createSession;
  }

  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  get session(): Session {
    this.#session ??= this.#createSession(this.slot, this.config.publicKey);
    return this.#session;
  }
}

function sealedWrite(peer: PeerSlot, vni: number | undefined): TableWrite {
  const encapsulation: SealedEncapsulation =
    vni === undefined ? { kind: 'wireguard' } : { kind: 'vxlan-sealed', vni };
  return { kind: 'setEncapsulation', peer, encapsulation };
}

function refusalOf(
  config: PeerConfig,
  ourPublicKey: Uint8Array | undefined,
  seen: Set<string>,
): Refusal | undefined {
  const key = keyText(config.publicKey);
  if (ourPublicKey && equal(config.publicKey, ourPublicKey)) return 'own_key';
  if (seen.has(key)) return 'duplicate_key';
  seen.add(key);
  return undefined;
}
