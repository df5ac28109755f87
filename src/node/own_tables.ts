/** What the walk is told of ourselves: the writes for what changed since it was told last. */

import type { Address, Mac } from '../base/address.js';
import type { TableWrite } from '../datapath/tables.js';
import { mac1Key } from '../session/cookie.js';
import type { Config } from './config.js';
import { vtepMacOf } from './vtep_mac.js';

/** The public key of those who have none. */
const NO_KEY = new Uint8Array(32);

export class OwnTables {
  #vtepMac: Mac | undefined;
  #addresses: string | undefined;

  /** Where clear VXLAN frames come from; undefined before there is a configuration. */
  get vtepMac(): Mac | undefined {
    return this.#vtepMac;
  }

  /** `newKey`: our public key, where it is another than before. */
  adopt(
    config: Config,
    publicKey: Uint8Array | undefined,
    newKey: Uint8Array | undefined,
  ): TableWrite[] {
    const writes: TableWrite[] = [];
    if (newKey) writes.push({ kind: 'setMac1Key', key: mac1Key(newKey) });
    const mac = config.vtepMac ?? vtepMacOf(publicKey ?? NO_KEY);
    if (mac.text !== this.#vtepMac?.text) writes.push({ kind: 'setVtepMac', mac });
    this.#vtepMac = mac;
    const addresses: Address[] = config.addresses.map(({ address }) => address);
    const told = addresses.map(({ text }) => text).join(' ');
    if (told !== this.#addresses) writes.push({ kind: 'setOwnAddresses', addresses });
    this.#addresses = told;
    return writes;
  }
}
