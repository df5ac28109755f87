/** Every fault of a configuration file as the operator reads it: golden messages. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64 } from '../../src/base/bytes.js';
import { CONFIG_LIMIT, parseConfig, readConfigFile } from '../../src/daemon/config_file.js';
import {
  CRYPTO,
  FILE,
  faultsOf,
  KEY,
  OTHER_SECRET,
  PEER,
  PEER2,
  parse,
  SECRET,
} from '../support/config_text.js';

const test = suite('daemon/config_file');

const PREFIX = 'a prefix such as 10.0.0.0/24 or fd00::/64';
const ADDRESS = 'an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64';
const CIPHERS =
  'a list of aes-256-gcm and chacha20-poly1305, each once, the second always among them';
const ALL_KEYS =
  'interface, privateKey, privateKeyFile, mesh, listenPort, addresses, mtu, table, fwMark, ciphers, lanes, datapath, offloads, vtepMac, peers';

/** Reason, text, faults. */
const GOLDEN: readonly (readonly [string, string, string])[] = [
  [
    'an empty file',
    '',
    '1:1: the file: found nothing, expected a map with the keys of a configuration',
  ],
  [
    'a list',
    '- 1\n',
    '1:1: the file: found a list, expected a map with the keys of a configuration',
  ],
  [
    'text',
    'hello',
    '1:1: the file: found "hello", expected a map with the keys of a configuration',
  ],
  [
    'no key',
    'interface: a\n',
    '1:1: missing key: expected privateKey or privateKeyFile; make one with `heddle keygen`',
  ],
  [
    'wrong case',
    `${KEY}listenport: 1\n`,
    '2:1: unknown key "listenport"; did you mean "listenPort"?',
  ],
  [
    'a word, no mesh',
    'mesh: yes please\n',
    '1:7: mesh: found "yes please", expected true, false, or a map',
  ],
  [
    'a slip in the mesh',
    'mesh: {anounce: []}\n',
    '1:8: mesh: unknown key "anounce"; did you mean "announce"?',
  ],
  [
    'no length in the mesh',
    'mesh: {subnet: 31}\n',
    '1:16: mesh.subnet: found the number 31, expected the length of a prefix, from 18 to 30',
  ],
  ['a slip', `${KEY}adresses: []\n`, '2:1: unknown key "adresses"; did you mean "addresses"?'],
  ['swapped letters', `${KEY}metu: 1400\n`, '2:1: unknown key "metu"; did you mean "mtu"?'],
  ['nothing near', `${KEY}zebra: 1\n`, `2:1: unknown key "zebra"; expected one of ${ALL_KEYS}`],
  ['a merge key', `${KEY}<<: {a: 1}\n`, `2:1: unknown key "<<"; expected one of ${ALL_KEYS}`],
  [
    'a prototype',
    `${KEY}__proto__: {a: 1}\n`,
    `2:1: unknown key "__proto__"; expected one of ${ALL_KEYS}`,
  ],
  [
    'a key in a peer',
    `${KEY}peers:\n  - publicKey: ${PEER}\n    endpont: x\n`,
    '4:5: peers[0]: unknown key "endpont"; did you mean "endpoint"?',
  ],
  [
    'a long interface',
    `${KEY}interface: sixteencharacter\n`,
    '2:12: interface: found "sixteencharacter", expected a name of 1 to 15 letters, digits or any of _ = + . -',
  ],
  [
    'a path as interface',
    `${KEY}interface: ..\n`,
    '2:12: interface: found "..", expected a name of 1 to 15 letters, digits or any of _ = + . -',
  ],
  [
    'a port too high',
    `${KEY}listenPort: 65536\n`,
    '2:13: listenPort: found the number 65536, expected a port from 1 to 65535, or 0 for any',
  ],
  [
    'a port as text',
    `${KEY}listenPort: "51820"\n`,
    '2:13: listenPort: found "51820", expected a port from 1 to 65535, or 0 for any',
  ],
  [
    'no port',
    `${KEY}listenPort:\n`,
    '2:12: listenPort: found nothing, expected a port from 1 to 65535, or 0 for any',
  ],
  [
    'one address',
    `${KEY}addresses: 10.0.0.1/24\n`,
    `2:12: addresses: found "10.0.0.1/24", expected a list, each entry ${ADDRESS}`,
  ],
  [
    'a long prefix',
    `${KEY}addresses: [10.0.0.1/33]\n`,
    `2:13: addresses[0]: found "10.0.0.1/33", expected ${ADDRESS}`,
  ],
  [
    'an address twice',
    `${KEY}addresses: [10.0.0.1/24, 10.0.0.1/24]\n`,
    '2:26: addresses[1]: 10.0.0.1/24 stands here twice',
  ],
  [
    'a small MTU',
    `${KEY}mtu: 575\n`,
    '2:6: mtu: found the number 575, expected bytes from 576 to 65455',
  ],
  [
    'an MTU too small for IPv6',
    `${KEY}mtu: 1000\naddresses: [fd00::1/64]\n`,
    '2:6: mtu: found the number 1000, expected at least 1280 because IPv6 is configured',
  ],
  [
    'a table',
    `${KEY}table: main\n`,
    '2:8: table: found "main", expected auto, off, or the number of a routing table from 1 to 4294967295',
  ],
  [
    'a mark',
    `${KEY}fwMark: 0x100000000\n`,
    '2:9: fwMark: found the number 4294967296, expected a number from 0 to 0xffffffff, or off',
  ],
  [
    'a datapath',
    `${KEY}datapath: fast\n`,
    '2:11: datapath: found "fast", expected native or reference',
  ],
  [
    'a switch of an offload',
    `${KEY}offloads:\n  udpGso: yes\n`,
    '3:11: offloads.udpGso: found "yes", expected on, off or auto',
  ],
  [
    'an offload that nobody knows',
    `${KEY}offloads: {udpGsu: on}\n`,
    '2:12: offloads: unknown key "udpGsu"; did you mean "udpGso"?',
  ],
  [
    'offloads without a name',
    `${KEY}offloads: off\n`,
    '2:11: offloads: found "off", expected a map with any of tunTcp, tunUdp, udpGso, udpGro, checksums',
  ],
  [
    'a cipher that is none',
    `${KEY}ciphers: [aes-128-gcm, chacha20-poly1305]\n`,
    `2:11: ciphers[0]: found "aes-128-gcm", expected ${CIPHERS}`,
  ],
  [
    'ciphers without the one that every peer has',
    `${KEY}ciphers: [aes-256-gcm]\n`,
    `2:10: ciphers: found a list, expected ${CIPHERS}`,
  ],
  [
    'a cipher twice',
    `${KEY}ciphers: [chacha20-poly1305, chacha20-poly1305]\n`,
    `2:10: ciphers: found a list, expected ${CIPHERS}`,
  ],
  [
    'too many lanes',
    `${KEY}lanes: 9\n`,
    '2:8: lanes: found the number 9, expected a number from 1 to 8, or auto',
  ],
  [
    'lanes of the reference datapath',
    `${KEY}datapath: reference\nlanes: 2\n`,
    '3:8: lanes: the reference datapath has one lane; use 1 or auto',
  ],
  [
    'offloads of the reference datapath',
    `${KEY}datapath: reference\noffloads: {tunTcp: on, udpGso: auto}\n`,
    '3:20: offloads.tunTcp: the reference datapath has no offloads; use auto or off',
  ],
  ['peers as a map', `${KEY}peers: {a: 1}\n`, '2:8: peers: found a map, expected a list of peers'],
  [
    'a peer of nothing',
    `${KEY}peers: [~]\n`,
    '2:9: peers[0]: found nothing, expected a map with the keys of a peer',
  ],
  [
    'no public key',
    `${KEY}peers:\n  - name: a\n`,
    '3:5: peers[0].publicKey: found nothing, expected the public key: 32 bytes in base64 (44 characters)',
  ],
  [
    'a zero key',
    `${KEY}peers:\n  - publicKey: ${'A'.repeat(43)}=\n`,
    '3:16: peers[0].publicKey: a key of zeros is nobody',
  ],
  [
    'our own key',
    `${KEY}peers:\n  - publicKey: ${toBase64(CRYPTO.publicKey(decode(SECRET)))}\n`,
    '3:16: peers[0].publicKey: this is the public key of this host itself',
  ],
  [
    'a name with an escape',
    `${KEY}peers: [{name: "a\\e[31m", publicKey: ${PEER}}]\n`,
    '2:16: peers[0].name: found "a\\u001b[31m", expected 1 to 63 characters, none of them a control character',
  ],
  [
    'an endpoint',
    `${KEY}peers: [{publicKey: ${PEER}, endpoint: "fe80::1:51820"}]\n`,
    '2:77: peers[0].endpoint: found "fe80::1:51820", expected host:port, such as vpn.example.org:51820 or [2001:db8::1]:51820',
  ],
  [
    'a keepalive',
    `${KEY}peers: [{publicKey: ${PEER}, persistentKeepalive: 65536}]\n`,
    '2:88: peers[0].persistentKeepalive: found the number 65536, expected seconds from 1 to 65535, or off',
  ],
  [
    'a prefix',
    `${KEY}peers: [{publicKey: ${PEER}, allowedIps: [10.0.0.0/8, all]}]\n`,
    `2:92: peers[0].allowedIps[1]: found "all", expected ${PREFIX}`,
  ],
  [
    'a public key twice',
    `${KEY}peers:\n  - {name: a, publicKey: ${PEER}}\n  - {name: b, publicKey: ${PEER}}\n`,
    '4:26: peers[1].publicKey: peers[0] already has this public key',
  ],
  [
    'a name twice',
    `${KEY}peers:\n  - {name: a, publicKey: ${PEER}}\n  - {name: a, publicKey: ${PEER2}}\n`,
    '4:12: peers[1].name: peers[0] already is named "a"',
  ],
  [
    'a prefix twice',
    `${KEY}peers:\n  - {publicKey: ${PEER}, allowedIps: [10.0.0.9/8]}\n  - {publicKey: ${PEER2}, allowedIps: [10.1.0.0/8]}\n`,
    '4:76: peers[1].allowedIps[0]: peers[0] already has 10.0.0.0/8, and a prefix belongs to one peer',
  ],
  [
    'key and file',
    `${KEY}privateKeyFile: x\n`,
    '2:1: privateKeyFile: privateKey is given too; keep one',
  ],
  [
    'no such file',
    'privateKeyFile: /nonexistent/key\n',
    '1:17: privateKeyFile: Cannot read "/nonexistent/key": there is no such file',
  ],
  [
    'a device',
    'privateKeyFile: /dev/zero\n',
    '1:17: privateKeyFile: Cannot read "/dev/zero": it is not a regular file',
  ],
  [
    'a key twice',
    `${KEY}mtu: 1400\nmtu: 1400\n`,
    '3:1: this key stands here for the second time; keep one of them',
  ],
  [
    'a second document',
    `${KEY}---\na: 1\n`,
    '2:1: a second document starts here; a configuration is one document, so remove this `---`',
  ],
  ['a tab', `peers:\n\t- a\n`, '2:1: a tab indents this line; YAML indents with spaces'],
  ['an open quote', 'interface: "abc\n', '2:1: a quote, bracket, comma or colon is missing here'],
  ['an alias of nothing', 'interface: *a\n', '1:12: this alias refers to no anchor before it'],
  [
    'a tag',
    'interface: !!js/function a\n',
    '1:12: this tag has no meaning in a configuration; remove it',
  ],
];

for (const [reason, text, faults] of GOLDEN) {
  test(`faults: ${reason}`, () => {
    assert.is(
      faultsOf(() => parse(text)),
      faults,
    );
  });
}

test('faults: all of a file at once, in the order of its lines', () => {
  const text = `mtu: 1\n${KEY}port: 5\npeers:\n  - publicKey: short\n    allowedIps: [x]\n`;
  const places = faultsOf(() => parse(text))
    .split('\n')
    .map((line) => line.split(': ')[0]);
  assert.equal(places, ['1:6', '3:1', '5:16', '6:18']);
});

test('faults: the first fifty are shown, the others counted', () => {
  const text = Array.from({ length: 80 }, (_, i) => `key${i}: 1\n`).join('');
  const lines = faultsOf(() => parse(text)).split('\n');
  assert.is(lines.length, 51);
  assert.is(lines[50], '... and 30 more');
});

test('secrets: no message shows one, wherever it stands', () => {
  const broken = SECRET.slice(0, 43);
  const texts = [
    `privateKey: ${broken}\n`,
    `privatekey: ${SECRET}\n`,
    `${SECRET}: 1\n`,
    `interface: ${SECRET}\n`,
    `privateKey: [${SECRET}]\npeers: ${SECRET}\n`,
    `${KEY}peers:\n  - publicKey: ${PEER}\n    presharedKey: ${OTHER_SECRET}x\n`,
    `${KEY}peers:\n  - publicKey: ${broken}\n    endpoint: ${OTHER_SECRET}\n`,
    `privateKey: "${SECRET}\n`,
    `privateKey: *${SECRET}\n`,
    `privateKey: !${SECRET} x\n`,
    `privateKey: ${SECRET}\nprivateKey: ${OTHER_SECRET}\n`,
    `privateKeyFile: ${SECRET}\n`,
  ];
  for (const text of texts) {
    const faults = faultsOf(() => parse(text, 0o644));
    assert.is.not(faults, 'no fault', text);
    assert.not.match(faults, /yAnz5TF|FpCyhws9/, `the message about ${text}`);
  }
});

test('limits: an alias bomb is refused at once', () => {
  const levels = 'abcdefghi'.split('').map((name, i, all) => {
    const inner = i === 0 ? 'x' : `*${all[i - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 10 }, () => inner).join(',')}]\n`;
  });
  const faults = faultsOf(() => parse(levels.join('')));
  assert.is(faults, '1:1: aliases multiply to more than 100 values; write the values out');
});

test('limits: nesting is refused, not followed', () => {
  const faults = faultsOf(() => parse(`peers: ${'['.repeat(200_000)}`));
  assert.match(faults, /^1:\d+: the file is nested too deeply to be a configuration$/);
});

test('limits: a file of 100 MB is refused by its size alone', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const file = join(folder, 'big.yaml');
  fs.writeFileSync(file, KEY, { mode: 0o600 });
  fs.truncateSync(file, 100_000_000);
  const read = () => readConfigFile(file, CRYPTO);
  const text = `it has 100000000 bytes and at most ${CONFIG_LIMIT} are read`;
  assert.is(faultsOf(read), `${file}: Cannot read "${file}": ${text}`);
  fs.rmSync(folder, { recursive: true });
});

test('bytes: a byte order mark and CRLF are accepted, UTF-16 is not', () => {
  assert.is(parse(`\ufeff${KEY.trim()}\r\ninterface: wg7\r\n`).interface, 'wg7');
  const utf16 = Uint8Array.of(0xff, 0xfe, 0x61, 0x00);
  const source = { file: FILE, bytes: utf16, mode: 0o600 };
  assert.is(
    faultsOf(() => parseConfig(source, CRYPTO)),
    '1:1: the file is not UTF-8 text',
  );
});

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

test.run();
