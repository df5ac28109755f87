/**
 * The keys of this node: the identity, WireGuard's static key and its successor, and the admin and
 * root keys where it has them. It owns the secrets, changes them, and wipes what has gone.
 */

import { copySecret, equal, wipe } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { generatePrivateKey } from '../crypto/keys.js';
import { SEED_BYTES, type SignatureSuite } from '../crypto/signature.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { emitKeys, type Keys } from './keys.js';
import { type Signer, signerOf } from './scribe.js';
import type { SelfKeys } from './self_statement.js';

export interface KeyRingParts {
  readonly suite: SignatureSuite;
  readonly crypto: CryptoSuite;
  readonly random: Random;
}

export class KeyRing {
  readonly #parts: KeyRingParts;
  readonly identity: Signer;
  #staticKey: Uint8Array;
  #otherKey: Uint8Array | undefined;
  /** The other key is the one before, which is not kept: a restart begins without it. */
  #isSwapped = false;
  #admin: Signer | undefined;
  #root: Signer | undefined;
  /** Until the network follows the new one: a crash may come between the files. */
  #formerRoot: Signer | undefined;

  /** Keeps copies. */
  constructor(parts: KeyRingParts, keys: Keys) {
    this.#parts = parts;
    this.identity = signerOf(parts.suite, copySecret(keys.identity));
    this.#staticKey = copySecret(keys.staticKey);
    this.#otherKey = keys.nextStaticKey && copySecret(keys.nextStaticKey);
    this.#admin = keys.admin && signerOf(parts.suite, copySecret(keys.admin));
    this.#root = keys.root && signerOf(parts.suite, copySecret(keys.root));
    this.#formerRoot = keys.formerRoot && signerOf(parts.suite, copySecret(keys.formerRoot));
  }

  get admin(): Signer | undefined {
    return this.#admin;
  }

  get root(): Signer | undefined {
    return this.#root;
  }

  /** How far a change of the static key has come. */
  get change(): 'none' | 'prepared' | 'swapped' {
    if (!this.#otherKey) return 'none';
    return this.#isSwapped ? 'swapped' : 'prepared';
  }

  /** Private keys, the first to make handshakes with. Borrowed. */
  staticKeys(): Uint8Array[] {
    return this.#otherKey ? [this.#staticKey, this.#otherKey] : [this.#staticKey];
  }

  /** As our node record names them. */
  selfKeys(): SelfKeys {
    const { crypto } = this.#parts;
    return {
      staticKey: crypto.publicKey(this.#staticKey),
      nextStaticKey: this.#otherKey && crypto.publicKey(this.#otherKey),
    };
  }

  /** Makes a static key to come. */
  prepareStaticKey(): void {
    this.dropOtherStaticKey();
    this.#otherKey = copySecret(generatePrivateKey(this.#parts.random));
  }

  /** The key to come is in use from now on, and the old one only answers. */
  swapStaticKeys(): void {
    if (!this.#otherKey) return;
    [this.#staticKey, this.#otherKey] = [this.#otherKey, this.#staticKey];
    this.#isSwapped = true;
  }

  /** The key before, or to come, is gone. */
  dropOtherStaticKey(): void {
    if (this.#otherKey) wipe(this.#otherKey);
    this.#otherKey = undefined;
    this.#isSwapped = false;
  }

  /** A new admin key in the place of what there was. */
  makeAdmin(): Signer {
    if (this.#admin && this.#admin !== this.identity) wipe(this.#admin.seed);
    this.#admin = this.#make();
    return this.#admin;
  }

  /** What the identity signs as an admin: where the root key certified it as one. */
  adoptAdmin(signer: Signer | undefined): void {
    this.#admin = signer;
  }

  /** A new root key was made, and the network does not follow it yet. */
  get isRootChanging(): boolean {
    return this.#formerRoot !== undefined;
  }

  /** A new root key; the one before stays until `settleRoot`. */
  makeRoot(): Signer {
    if (this.#formerRoot) wipe(this.#formerRoot.seed);
    this.#formerRoot = this.#root;
    this.#root = this.#make();
    return this.#root;
  }

  /** The network follows this root key: of two, the other one goes. True when one went. */
  settleRoot(rootKey: Uint8Array): boolean {
    const [root, former] = [this.#root, this.#formerRoot];
    if (!root || !former) return false;
    const isFormer = equal(former.publicKey, rootKey);
    if (!isFormer && !equal(root.publicKey, rootKey)) return false;
    wipe(isFormer ? root.seed : former.seed);
    this.#root = isFormer ? former : root;
    this.#formerRoot = undefined;
    return true;
  }

  /** The content of the file `keys`; holds secrets, the caller's to wipe. */
  emit(): Uint8Array {
    const isOwn = this.#admin !== this.identity;
    return emitKeys({
      identity: this.identity.seed,
      staticKey: this.#staticKey,
      nextStaticKey: this.#isSwapped ? undefined : this.#otherKey,
      admin: isOwn ? this.#admin?.seed : undefined,
      root: this.#root?.seed,
      formerRoot: this.#formerRoot?.seed,
    });
  }

  wipe(): void {
    wipe(this.identity.seed);
    wipe(this.#staticKey);
    this.dropOtherStaticKey();
    if (this.#admin) wipe(this.#admin.seed);
    if (this.#root) wipe(this.#root.seed);
    if (this.#formerRoot) wipe(this.#formerRoot.seed);
  }

  #make(): Signer {
    return signerOf(this.#parts.suite, copySecret(this.#parts.random.bytes(SEED_BYTES)));
  }
}
