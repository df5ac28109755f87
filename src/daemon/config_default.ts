/**
 * The built-in configuration of `heddle up --default`: a key of this host's own, made once and
 * kept, the usual port, and an address that follows from the key, so that two hosts that start this
 * way already lie in one network.
 */

import { addressFromBytes, type InterfaceAddress } from '../base/address.js';
import { concat } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { formatKey } from '../crypto/keys.js';
import { KEY_BYTES } from '../crypto/suite.js';
import type { Config } from '../node/config.js';
import type { KeyDerivation } from './config_reader.js';
import { DEFAULT_INTERFACE, DEFAULT_PORT } from './config_schema.js';
import { keepKey } from './kept_key.js';

/**
 * fd68:6564:646c::/64, a unique local prefix (RFC 4193) that spells "hedl"; the interface half
 * comes from the key.
 */
const OVERLAY = Uint8Array.of(0xfd, 0x68, 0x65, 0x64, 0x64, 0x6c, 0, 0);
const OVERLAY_LENGTH = 64;

export interface DefaultConfig {
  readonly config: Config;
  readonly publicKey: Uint8Array;
  readonly keyFile: string;
  /** The key was made just now. */
  readonly isNewKey: boolean;
}

/** Reads the key in the state folder, or makes it. Throws ConfigError where it is damaged. */
export function defaultConfig(
  stateFolder: string,
  crypto: KeyDerivation,
  random: Random,
): DefaultConfig {
  const { privateKey, publicKey, file, isNew } = keepKey(stateFolder, crypto, random);
  const config: Config = {
    interface: DEFAULT_INTERFACE,
    privateKey,
    listenPort: DEFAULT_PORT,
    addresses: [overlayAddress(publicKey)],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers: [],
    clearPeers: [],
  };
  return { config, publicKey, keyFile: file, isNewKey: isNew };
}

/** What a host that has nothing but its mesh starts with: keys and addresses come from that. */
export function meshConfig(): Config {
  return {
    interface: DEFAULT_INTERFACE,
    privateKey: new Uint8Array(KEY_BYTES),
    listenPort: DEFAULT_PORT,
    addresses: [],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers: [],
    clearPeers: [],
  };
}

/** A label of the key, not a proof of it. */
export function overlayAddress(publicKey: Uint8Array): InterfaceAddress {
  const address = addressFromBytes(concat(OVERLAY, publicKey.subarray(0, 8)), 0, 6);
  return { address, length: OVERLAY_LENGTH, text: `${address.text}/${OVERLAY_LENGTH}` };
}

/** What to do next, for somebody who started without a configuration file. */
export function firstPeerAdvice(started: DefaultConfig): string {
  const address = started.config.addresses[0]?.address.text ?? '';
  const then = '`heddle down` and `heddle up`';
  return `To add the first peer, write /etc/heddle/heddle.yaml, then run ${then}:

  privateKeyFile: ${started.keyFile}
  addresses: [${address}/${OVERLAY_LENGTH}]
  peers:
    - name: other-host
      publicKey: (what \`heddle pubkey\` prints there)
      endpoint: other-host.example.org:${started.config.listenPort}
      allowedIps: [(the address of other-host in the overlay)/128]

The other host needs the same with this host's values:

  publicKey: ${formatKey(started.publicKey)}
  allowedIps: [${address}/128]
`;
}
