import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { formatShow } from '../../src/cli/show_text.js';
import { PLAIN } from '../../src/cli/style.js';
import { peerSnapshot, statusSource } from '../support/status.js';

const test = suite('cli/show_text');

test('blocks: in the manner of wg, keys hidden', () => {
  const text = formatShow(statusDocument(statusSource(undefined, { fwMark: 0xca6c })), PLAIN);
  assert.is(
    text,
    `interface: heddle0
  public key: CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=
  private key: (hidden)
  listening port: 51820
  addresses: 10.77.0.1/24
  mtu: 1420
  fwmark: 0xca6c
  datapath: native
  remark: chacha20-poly1305: openssl assembly

peer: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
  name: beta
  preshared key: (hidden)
  endpoint: 192.0.2.7:51820
  allowed ips: 10.77.0.2/32, fd77::2/128, 10.8.0.0/16
  latest handshake: 1 minute, 3 seconds ago
  handshake round trip: 1.5 ms
  transfer: 12.1 KiB received, 1.00 EiB sent
  persistent keepalive: every 25 seconds
`,
  );
});

test('blocks: what is not so is left out', () => {
  const peer = peerSnapshot({
    hasPresharedKey: false,
    endpoint: undefined,
    allowedIps: [],
    persistentKeepalive: undefined,
    latestHandshake: undefined,
    handshakeRoundTrip: undefined,
  });
  const text = formatShow(statusDocument(statusSource([peer])), PLAIN);
  assert.not.match(text, /preshared|endpoint|latest|round trip|keepalive|fwmark/);
  assert.match(text, 'allowed ips: (none)');
});

test.run();
