import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wipeDropped, wipeSecrets } from '../../src/daemon/secrets.js';
import type { Config, PeerConfig } from '../../src/node/config.js';

const test = suite('daemon/secrets');

function peer(presharedKey?: Uint8Array): PeerConfig {
  const publicKey = new Uint8Array(32).fill(2);
  return { name: 'p', publicKey, allowedIps: [], ...(presharedKey ? { presharedKey } : {}) };
}

function config(privateKey: Uint8Array, ...peers: PeerConfig[]): Config {
  return {
    interface: 'heddle0',
    privateKey,
    listenPort: 0,
    addresses: [],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers,
    clearPeers: [],
  };
}

const secret = (): Uint8Array => new Uint8Array(32).fill(7);
const WIPED = new Uint8Array(32);

test('secrets: the private key and all preshared keys are wiped', () => {
  const [own, shared] = [secret(), secret()];
  wipeSecrets(config(own, peer(), peer(shared)));
  assert.equal([own, shared], [WIPED, WIPED]);
});

test('secrets: what the next configuration shares stays', () => {
  const [own, kept, dropped] = [secret(), secret(), secret()];
  wipeDropped(config(own, peer(kept), peer(dropped)), config(own, peer(kept)));
  assert.equal([own, kept, dropped], [secret(), secret(), WIPED]);
});

test.run();
