import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitUapiGet, type UapiDevice, type UapiPeer } from '../../src/api/uapi_get.js';
import { seconds, wallTime } from '../../src/base/time.js';
import { endpoint, prefix } from '../support/parsed.js';

const test = suite('api/uapi_get');

const KEY = new Uint8Array(32).fill(0xab);
const LONGEST_PIECE = 40 * 1024;

function peer(changes: Partial<UapiPeer> = {}): UapiPeer {
  return {
    publicKey: new Uint8Array(32).fill(0x07),
    presharedKey: undefined,
    endpoint: undefined,
    latestHandshake: undefined,
    rxBytes: 0n,
    txBytes: 0n,
    persistentKeepalive: undefined,
    allowedIps: [],
    ...changes,
  };
}

function emit(changes: Partial<UapiDevice>): string {
  const device = { privateKey: KEY, listenPort: 51820, fwMark: 0, peers: [], ...changes };
  return [...emitUapiGet(device)].join('');
}

test('get: a device with a peer of which all is known', () => {
  const known = peer({
    presharedKey: new Uint8Array(32).fill(0x0c),
    endpoint: endpoint('[2001:db8::1]:51821'),
    latestHandshake: wallTime(1_795_395_723_456_001),
    rxBytes: 12n,
    txBytes: (1n << 64n) - 1n,
    persistentKeepalive: seconds(25),
    allowedIps: [prefix('10.0.0.0/8'), prefix('fd00::/64')],
  });
  assert.is(
    emit({ fwMark: 0xca6c, peers: [known] }),
    `private_key=${'ab'.repeat(32)}
listen_port=51820
fwmark=51820
public_key=${'07'.repeat(32)}
preshared_key=${'0c'.repeat(32)}
protocol_version=1
endpoint=[2001:db8::1]:51821
last_handshake_time_sec=1795395723
last_handshake_time_nsec=456001000
rx_bytes=12
tx_bytes=18446744073709551615
persistent_keepalive_interval=25
allowed_ip=10.0.0.0/8
allowed_ip=fd00::/64
`,
  );
});

test('get: what there is not has no line, or zeros where every reader expects one', () => {
  assert.is(emit({ privateKey: new Uint8Array(32), listenPort: 0 }), '');
  const text = emit({ peers: [peer()] });
  assert.match(text, `preshared_key=${'00'.repeat(32)}\n`);
  assert.match(text, 'last_handshake_time_sec=0\nlast_handshake_time_nsec=0\n');
  assert.match(text, 'persistent_keepalive_interval=0\n');
  assert.not.match(text, /endpoint|fwmark/);
});

test('get: a long answer comes in pieces of whole lines, made one by one', () => {
  const own = Array.from({ length: 5_000 }, (_, i) => prefix(`10.0.${i >> 8}.${i & 255}/32`));
  const peers = Array.from({ length: 500 }, () => peer());
  const device = { privateKey: KEY, listenPort: 0, fwMark: 0 };
  const pieces = [...emitUapiGet({ ...device, peers: [peer({ allowedIps: own }), ...peers] })];
  assert.ok(pieces.length > 3, `${pieces.length} pieces`);
  for (const piece of pieces) {
    assert.ok(piece.length < LONGEST_PIECE, `${piece.length} characters`);
    assert.ok(piece.endsWith('\n'));
  }
  assert.is(pieces.join('').match(/^allowed_ip=/gm)?.length, 5_000);
  assert.is(pieces.join('').match(/^public_key=/gm)?.length, 501);
});

test.run();
