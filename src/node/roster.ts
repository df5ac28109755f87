/**
 * Who a node's peers are, and what of that the walk has been told: peers by key and slot, those in
 * the clear (clear_peers.ts), and the prefixes they all own. A new configuration is taken as a
 * difference: a peer whose public key is in both keeps its slot and its session core.
 *
 * A prefix that a sealed peer and one in the clear both have is the sealed one's.
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
    const gone = this.peers.replaceAll(present.map(({ peer }) => peer));
    for (const { slot } of gone) this.#parts.slots.release(slot, now);
    const clear = this.#parts.clearPeers.adopt(clearPeers, now);
    for (const each of clear.refused) refused.push(each);
    return { writes: this.#writes(present, gone, clear), gone, present, refused };
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
    if (known) {
      const before = known.config;
      known.config = config;
      return { peer: known, before };
    }
    const slot = this.#parts.slots.claim(now);
    if (slot === undefined) return undefined;
    const session = this.#parts.createSession(slot, config.publicKey);
    return { peer: { slot, session, config, latestHandshake: undefined }, before: undefined };
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

  /** The later one of two has a prefix. */
  *#wanted(present: RosterChange['present']): Iterable<{ prefix: Prefix; peer: PeerSlot }> {
    yield* this.#parts.clearPeers.prefixes();
    for (const { peer } of present) {
      for (const prefix of peer.config.allowedIps) yield { prefix, peer: peer.slot };
    }
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
