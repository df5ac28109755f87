/** Our own static keys, shared with the session cores; none while the configuration has none. */

import { equal, isZero, wipe } from '../base/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { StaticKeys } from '../session/handshake.js';

export class Identity {
  readonly #crypto: CryptoSuite;
  #keys: StaticKeys | undefined;

  constructor(crypto: CryptoSuite) {
    this.#crypto = crypto;
  }

  get keys(): StaticKeys | undefined {
    return this.#keys;
  }

  /** Takes a copy of the key, all zeros for none; true when it is another than before. */
  adopt(privateKey: Uint8Array): boolean {
    const before = this.#keys;
    if (isZero(privateKey)) {
      this.forget();
      return before !== undefined;
    }
    if (before && equal(before.privateKey, privateKey)) return false;
    this.forget();
    const publicKey = this.#crypto.publicKey(privateKey);
    this.#keys = { privateKey: privateKey.slice(), publicKey };
    return true;
  }

  forget(): void {
    if (this.#keys) wipe(this.#keys.privateKey);
    this.#keys = undefined;
  }
}
