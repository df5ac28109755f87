/**
 * Signs what this node says. Every record of ours is made here: by the identity, the admin key or
 * the root key, as far as this node has them. Holds secrets: borrowed, wiped by their owner.
 */

import type { NodeId } from '../base/identifiers.js';
import type { SignatureSuite } from '../crypto/signature.js';
import { nodeIdOf } from '../identity/node_id.js';
import { emitRecord, type RecordKind, type SignedRecord } from '../wire/record.js';

/** A key pair to sign with. */
export interface Signer {
  readonly id: NodeId;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
}

export interface Draft {
  readonly kind: RecordKind;
  /** NO_KEY, or what the kind says. */
  readonly key: string;
  readonly version: number;
  readonly body: Uint8Array;
}

export class Scribe {
  readonly #suite: SignatureSuite;
  readonly #network: NodeId;

  constructor(suite: SignatureSuite, network: NodeId) {
    this.#suite = suite;
    this.#network = network;
  }

  sign({ kind, key, version, body }: Draft, by: Signer): SignedRecord {
    const fields = { kind, key, version, body, author: by.id };
    return emitRecord(fields, this.#network, (message) => this.#suite.sign(by.seed, message));
  }
}

export function signerOf(suite: SignatureSuite, seed: Uint8Array): Signer {
  const publicKey = suite.publicKeyOf(seed);
  return { id: nodeIdOf(publicKey), publicKey, seed };
}
