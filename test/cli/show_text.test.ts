import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { formatShow } from '../../src/cli/show_text.js';
import { PLAIN } from '../../src/cli/style.js';
import { CLEAR_TRAFFIC, clearSnapshot, peerSnapshot, statusSource } from '../support/status.js';

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

test('blocks: lanes where there are many, and what a session of heddle is sealed with', () => {
  const fast = peerSnapshot({ protocol: 'heddle', suite: 'aes-256-gcm', lanes: 2 });
  const idle = peerSnapshot({ ...fast, state: 'idle' });
  const source = statusSource([fast, idle], { lanes: 4 });
  const blocks = formatShow(statusDocument(source), PLAIN).split('\n\n');
  assert.match(blocks[0] ?? '', '  datapath: native\n  lanes: 4\n');
  assert.match(blocks[1] ?? '', '\n  protocol: heddle, aes-256-gcm, 2 lanes\n');
  assert.not.match(blocks[2] ?? '', 'protocol');
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
  assert.not.match(text, /preshared|endpoint|latest|round trip|keepalive|fwmark|lanes|protocol/);
  assert.match(text, 'allowed ips: (none)');
});

test('blocks: a peer behind VXLAN says so, and one in the clear what passed', () => {
  const source = statusSource([peerSnapshot({ sealedVni: 7 })], { traffic: () => CLEAR_TRAFFIC });
  const clearPeers = [
    clearSnapshot(),
    clearSnapshot({ carrier: { kind: 'udp' }, plaintextUntil: undefined }),
    clearSnapshot({ hasEnded: true }),
  ];
  const snapshot = { ...source.snapshot, clearPeers };
  const blocks = formatShow(statusDocument({ ...source, snapshot }), PLAIN).split('\n\n');
  assert.match(blocks[0] ?? '', '  vtep: 02:00:5e:10:00:01\n');
  assert.match(blocks[1] ?? '', '  encapsulation: vxlan-sealed 7\n');
  assert.is(
    blocks[2],
    `peer: in the clear
  name: old-rack
  endpoint: 192.0.2.20:4789
  encapsulation: vxlan 20 at 02:00:5e:10:00:14
  plaintext: 11.9 KiB received, 10.5 KiB sent since 2026-11-23T01:02:03.456Z
  plaintext until: 2027-01-15T08:00:00.000Z
  allowed ips: 10.20.0.0/16
  transfer: 12.1 KiB received, 10.7 KiB sent`,
  );
  assert.match(blocks[3] ?? '', '  encapsulation: udp\n');
  assert.not.match(blocks[3] ?? '', 'plaintext until');
  assert.match(blocks[4] ?? '', '  plaintext ended: 2027');
});

test.run();
