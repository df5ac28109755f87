/** What the walk is told of ourselves: the writes for what changed since it was told last. */

import type { Address, Mac } from '../base/address.js';
import type { TableWrite } from '../datapath/tables.js';
import { addressesOf, type Config } from './config.js';
import { vtepMacOf } from './vtep_mac.js';

/** The public key of those who have none. */
const NO_KEY = new Uint8Array(32);

export class OwnTables {
  #vtepMac: Mac | undefined;
  #addresses: string | undefined;
  #mac1Keys: readonly Uint8Array[] = [];

  /** Where clear VXLAN frames come from; undefined before there is a configuration. */
  get vtepMac(): Mac | undefined {
    return this.#vtepMac;
  }

  /** The keys that mac1 is checked by, in order: as the identity has them. */
  adoptKeys(mac1Keys: readonly Uint8Array[]): TableWrite[] {
    const [key, other] = mac1Keys;
    const isSame =
      mac1Keys.length === this.#mac1Keys.length &&
      mac1Keys.every((each, i) => each === this.#mac1Keys[i]);
    this.#mac1Keys = mac1Keys;
    return key && !isSame ? [{ kind: 'setMac1Key', key, ...(other ? { other } : {}) }] : [];
  }

  adopt(config: Config, publicKey: Uint8Array | undefined): TableWrite[] {
    const writes: TableWrite[] = [];
    const mac = config.vtepMac ?? vtepMacOf(publicKey ?? NO_KEY);
    if (mac.text !== this.#vtepMac?.text) writes.push({ kind: 'setVtepMac', mac });
    this.#vtepMac = mac;
    const addresses: Address[] = addressesOf(config).map(({ address }) => address);
    const told = addresses.map(({ text }) => text).join(' ');
    if (told !== this.#addresses) writes.push({ kind: 'setOwnAddresses', addresses });
    this.#addresses = told;
    return writes;
  }
}
