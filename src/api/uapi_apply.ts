/**
 * Edits of WireGuard's configuration protocol applied to a configuration: all of them, or none.
 * What the protocol cannot say stays as it was: addresses, routes, clear peers, and the name,
 * `protocol` and encapsulation of a peer, also of one that is removed and added again by the same
 * request. A new peer is stock WireGuard.
 *
 * As in WireGuard, a prefix belongs to the peer that got it last, and our own public key as a peer
 * is passed over. More than MAX_PEERS peers are refused.
 */

import { copySecret, equal, isZero } from '../base/bytes.js';
import { MAX_PEERS } from '../base/identifiers.js';
import type { Config } from '../node/config.js';
import { PrefixOverlap } from './prefix_overlap.js';
import { ERRNO, type UapiEdit, type UapiRefusal } from './uapi_edit.js';
import { PeerDrafts } from './uapi_peers.js';

export type AppliedEdits = { readonly kind: 'applied'; readonly config: Config } | UapiRefusal;

/** X25519, as far as it is needed to keep private keys and to know our own public one. */
export interface OwnKeys {
  /** In place (RFC 7748 §5). */
  clamp(privateKey: Uint8Array): void;
  publicKey(privateKey: Uint8Array): Uint8Array;
}

/** The result shares with `config` and `edits` the key arrays that it keeps. */
export function applyEdits(
  config: Config,
  edits: readonly UapiEdit[],
  keys: OwnKeys,
): AppliedEdits {
  const application = new Application(config, keys);
  for (const edit of edits) {
    const refusal = application.add(edit);
    if (refusal) return refusal;
  }
  return application.finish();
}

class Application {
  readonly #keys: OwnKeys;
  readonly #peers: PeerDrafts;
  readonly #clear: PrefixOverlap;
  #config: Config;
  /** Our public key, where there is one. */
  #own: Uint8Array | undefined;

  constructor(config: Config, keys: OwnKeys) {
    this.#keys = keys;
    this.#config = config;
    this.#peers = new PeerDrafts(config);
    this.#clear = new PrefixOverlap(config.clearPeers.flatMap(({ allowedIps }) => allowedIps));
    this.#own = this.#derive(config.privateKey);
  }

  add(edit: UapiEdit): UapiRefusal | undefined {
    switch (edit.kind) {
      case 'privateKey':
        this.#setPrivateKey(edit.key);
        return undefined;
      case 'listenPort':
        this.#config = { ...this.#config, listenPort: edit.port };
        return undefined;
      case 'fwMark':
        this.#config = { ...this.#config, fwMark: edit.mark };
        return undefined;
      case 'replacePeers':
        this.#peers.removeAll();
        return undefined;
      case 'peer':
        if (this.#own && equal(this.#own, edit.publicKey)) this.#peers.selectNobody();
        else this.#peers.select(edit.publicKey);
        return undefined;
      case 'allowIp':
        if (this.#clear.overlaps(edit.prefix)) return takenInTheClear(edit.prefix.text);
        this.#peers.edit(edit);
        return undefined;
      default:
        this.#peers.edit(edit);
        return undefined;
    }
  }

  finish(): AppliedEdits {
    if (this.#peers.count + this.#config.clearPeers.length > MAX_PEERS) {
      return { kind: 'refused', errno: ERRNO.E2BIG, why: `it makes more than ${MAX_PEERS} peers` };
    }
    return { kind: 'applied', config: { ...this.#config, peers: this.#peers.build() } };
  }

  /** A peer that has our new public key goes: nobody is a peer of itself. */
  #setPrivateKey(key: Uint8Array): void {
    const privateKey = copySecret(key);
    if (!isZero(key)) this.#keys.clamp(privateKey);
    this.#config = { ...this.#config, privateKey };
    this.#own = this.#derive(privateKey);
    if (this.#own) this.#peers.remove(this.#own);
  }

  #derive(privateKey: Uint8Array): Uint8Array | undefined {
    return isZero(privateKey) ? undefined : this.#keys.publicKey(privateKey);
  }
}

function takenInTheClear(text: string): UapiRefusal {
  const why = `${text} overlaps a prefix of a peer in the clear`;
  return { kind: 'refused', errno: ERRNO.EADDRINUSE, why };
}
