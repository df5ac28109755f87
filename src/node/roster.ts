/**
 * Who a node's peers are, and what of that the walk has been told: peers by key and slot, and the
 * prefixes they own. A new configuration is taken as a difference: a peer whose public key is in
 * both keeps its slot and its session core.
 *
 * Left out of a configuration: our own public key (a peer cannot be ourselves), a second peer with
 * the same public key, and what is more than there are slots.
 */

import { equal } from '../base/bytes.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import type { TableWrite } from '../datapath/tables.js';
import type { Session } from '../session/session.js';
import type { PeerConfig } from './config.js';
import { keyText, type Peer, PeerTable } from './peer_table.js';
import { PrefixOwners } from './prefix_owners.js';
import { Slots } from './slots.js';

export type Refusal = 'own_key' | 'duplicate_key' | 'too_many';

/** What a new configuration changed. */
export interface RosterChange {
  /** In order: removed peers, new peers, prefixes. */
  readonly writes: readonly TableWrite[];
  readonly gone: readonly Peer[];
  /** All peers there are now, each with the configuration it had before, if it was there. */
  readonly present: readonly { readonly peer: Peer; readonly before: PeerConfig | undefined }[];
  readonly refused: readonly { readonly config: PeerConfig; readonly why: Refusal }[];
}

export class Roster {
  readonly peers = new PeerTable();
  readonly #createSession: (slot: PeerSlot, publicKey: Uint8Array) => Session;
  readonly #slots = new Slots();
  readonly #prefixes = new PrefixOwners();

  constructor(createSession: (slot: PeerSlot, publicKey: Uint8Array) => Session) {
    this.#createSession = createSession;
  }

  adopt(configs: readonly PeerConfig[], ourPublicKey: Uint8Array, now: Instant): RosterChange {
    const refused: { config: PeerConfig; why: Refusal }[] = [];
    const present: { peer: Peer; before: PeerConfig | undefined }[] = [];
    const keys = new Set<string>();
    for (const config of configs) {
      const why = refusalOf(config, ourPublicKey, keys);
      const entry = why ?? this.#admit(config, now) ?? 'too_many';
      if (typeof entry === 'string') refused.push({ config, why: entry });
      else present.push(entry);
    }
    const gone = this.peers.replaceAll(present.map(({ peer }) => peer));
    return { writes: this.#writes(present, gone, now), gone, present, refused };
  }

  /** Which of the peer's configured prefixes it owns. */
  prefixesOf(peer: Peer): PeerConfig['allowedIps'] {
    return peer.config.allowedIps.filter((prefix) => this.#prefixes.has(prefix, peer.slot));
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
    const slot = this.#slots.claim(now);
    if (slot === undefined) return undefined;
    const session = this.#createSession(slot, config.publicKey);
    return { peer: { slot, session, config, latestHandshake: undefined }, before: undefined };
  }

  #writes(
    present: RosterChange['present'],
    gone: readonly Peer[],
    now: Instant,
  ): readonly TableWrite[] {
    const writes: TableWrite[] = [];
    for (const { slot } of gone) {
      writes.push({ kind: 'removePeer', peer: slot });
      this.#slots.release(slot, now);
    }
    for (const { peer, before } of present) {
      if (!before) writes.push({ kind: 'addPeer', peer: peer.slot });
    }
    this.#prefixes.forget(new Set(gone.map(({ slot }) => slot)));
    const wanted = present.flatMap(({ peer }) =>
      peer.config.allowedIps.map((prefix) => ({ prefix, peer: peer.slot })),
    );
    for (const write of this.#prefixes.assign(wanted)) writes.push(write);
    return writes;
  }
}

function refusalOf(
  config: PeerConfig,
  ourPublicKey: Uint8Array,
  seen: Set<string>,
): Refusal | undefined {
  const key = keyText(config.publicKey);
  if (equal(config.publicKey, ourPublicKey)) return 'own_key';
  if (seen.has(key)) return 'duplicate_key';
  seen.add(key);
  return undefined;
}
