import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseUapiSet } from '../../src/api/uapi_set.js';
import { seconds } from '../../src/base/time.js';
import { endpoint, prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const test = suite('api/uapi_set');

const HEX = 'a1'.repeat(32);
const KEY = new Uint8Array(32).fill(0xa1);
const PEER = `public_key=${HEX}\n`;

test('set: each line is an edit, in order', () => {
  const parsed = parseUapiSet(
    `private_key=${HEX}
listen_port=51820
fwmark=0
replace_peers=true
${PEER}update_only=true
remove=true
preshared_key=${HEX}
protocol_version=1
endpoint=192.0.2.1:7
persistent_keepalive_interval=25
persistent_keepalive_interval=0
replace_allowed_ips=true
allowed_ip=10.1.2.3/8
allowed_ip=-fd00::/64
`,
  );
  assert.equal(parsed, {
    kind: 'edits',
    edits: [
      { kind: 'privateKey', key: KEY },
      { kind: 'listenPort', port: 51820 },
      { kind: 'fwMark', mark: 0 },
      { kind: 'replacePeers' },
      { kind: 'peer', publicKey: KEY },
      { kind: 'updateOnly' },
      { kind: 'remove' },
      { kind: 'presharedKey', key: KEY },
      { kind: 'endpoint', endpoint: endpoint('192.0.2.1:7') },
      { kind: 'persistentKeepalive', interval: seconds(25) },
      { kind: 'persistentKeepalive', interval: undefined },
      { kind: 'replaceAllowedIps' },
      { kind: 'allowIp', prefix: prefix('10.0.0.0/8') },
      { kind: 'denyIp', prefix: prefix('fd00::/64') },
    ],
  });
  assert.equal(parseUapiSet(''), { kind: 'edits', edits: [] });
});

/** Requests that are refused, and the errno. */
const REFUSED: readonly (readonly [request: string, errno: number, why: string])[] = [
  ['color=red\n', 22, 'an unknown key of the device'],
  [`${PEER}color=red\n`, 22, 'an unknown key of a peer'],
  [`${PEER}listen_port=1\n`, 22, 'a key of the device after a peer'],
  ['allowed_ip=10.0.0.0/8\n', 22, 'a key of a peer before a peer'],
  ['errno=0\n', 22, 'a key of answers'],
  ['listen_port\n', 71, 'no equals sign'],
  ['listen_port\nfwmark=1\n', 71, 'an equals sign in the next line alone'],
  ['listen_port=1', 71, 'no line feed'],
  ['\n', 71, 'an empty line'],
  ['private_key=\n', 22, 'no key'],
  [`private_key=${HEX.slice(2)}\n`, 22, 'a key that is short'],
  [`private_key=${HEX}00\n`, 22, 'a key that is long'],
  [`private_key=${HEX.slice(1)}g\n`, 22, 'a key that is not hexadecimal'],
  ['listen_port=65536\n', 22, 'a port that does not fit'],
  ['listen_port=-1\n', 22, 'a negative number'],
  ['listen_port= 1\n', 22, 'white space'],
  ['listen_port=1\r\n', 22, 'a carriage return'],
  ['listen_port=0x10\n', 22, 'another base'],
  ['fwmark=4294967296\n', 22, 'a mark that does not fit'],
  ['replace_peers=false\n', 22, 'a flag that is not true'],
  [`${PEER}remove=\n`, 22, 'an empty flag'],
  [`${PEER}endpoint=example.org:51820\n`, 22, 'a name, which the caller resolves'],
  [`${PEER}endpoint=192.0.2.1\n`, 22, 'no port'],
  [`${PEER}endpoint=192.0.2.1:0\n`, 22, 'port 0'],
  [`${PEER}persistent_keepalive_interval=65536\n`, 22, 'an interval that does not fit'],
  [`${PEER}allowed_ip=10.0.0.0\n`, 22, 'no length'],
  [`${PEER}allowed_ip=10.0.0.0/33\n`, 22, 'a length that does not fit'],
  [`${PEER}allowed_ip=--10.0.0.0/8\n`, 22, 'two hyphens'],
  [`${PEER}protocol_version=2\n`, 22, 'another version'],
  [`listen_port=${'0'.repeat(600)}\n`, 22, 'a line that is too long'],
];

test('set: what is wrong is refused as a whole, with the line and without its content', () => {
  for (const [request, errno, why] of REFUSED) {
    const parsed = parseUapiSet(request);
    if (parsed.kind === 'edits') throw new Error(`accepted ${why}`);
    assert.is(parsed.errno, errno, why);
    assert.match(parsed.why, /^line \d of the request (is|has) [a-z "=]+$/);
  }
});

test('set: a line that is too long is not looked at', () => {
  const line = (length: number): string => `listen_port=${'0'.repeat(length - 12)}\n`;
  const why = (text: string): string => {
    const parsed = parseUapiSet(text);
    return parsed.kind === 'refused' ? parsed.why : '';
  };
  assert.is(why(line(512)), 'line 1 of the request is not understood');
  assert.is(why(line(513)), 'line 1 of the request is too long');
});

test('set: whatever the text, it is edits or a refusal', () => {
  const right = `listen_port=1\n${PEER}endpoint=192.0.2.1:7\nallowed_ip=10.0.0.0/8\n`;
  withSeed('uapi', (random) => {
    for (let i = 0; i < 5_000; i++) {
      const text = new TextDecoder('latin1').decode(
        Uint8Array.from(right, (each) => {
          return random.below(40) === 0 ? random.below(256) : each.charCodeAt(0);
        }),
      );
      const { kind } = parseUapiSet(text);
      assert.ok(kind === 'edits' || kind === 'refused');
    }
  });
});

test.run();
