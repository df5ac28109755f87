import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/daemon/config_file.js';
import { importWgQuick } from '../../src/daemon/wg_quick_import.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { Config } from '../../src/node/config.js';

const test = suite('daemon/wg_quick_import');

const SUITE = new SodiumSuite();
const PRIVATE = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
const OWN = 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=';
const PEER = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const PSK = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=';

const FULL = `# The road warrior's
[Interface]
PrivateKey = ${PRIVATE}
Address = 10.0.0.1/24, fd00::1/64
address = 10.9.0.1
ListenPort = 51820
FwMark = 0xca6c
MTU = 1400
Table = main
DNS = 1.1.1.1
PreUp = echo secret
PostUp = iptables -A FORWARD -i %i -j ACCEPT
PreDown = true
PostDown = true
SaveConfig = true
Colour = red

# alice
[Peer]
PublicKey = ${PEER}
PresharedKey = ${PSK}
Endpoint = vpn.example.org:51821
AllowedIPs = 10.0.0.2/32
AllowedIPs = fd00::2, 10.1.2.3/16
PersistentKeepalive = 25
Colour = red
`;

/** Imports, and has the result judged as `heddle check` does. */
function imported(text: string, name = 'wg0.conf'): { config: Config; notes: string[] } {
  const result = importWgQuick(text, name, SUITE);
  if (result.kind === 'faulty') throw new Error(JSON.stringify(result.faults));
  const bytes = new TextEncoder().encode(result.yaml);
  const config = parseConfig({ file: '/x/heddle.yaml', bytes, mode: 0o600 }, SUITE);
  return { config, notes: result.notes.map(({ line, message }) => `${line}: ${message}`) };
}

function faults(text: string): string[] {
  const result = importWgQuick(text, 'wg0.conf', SUITE);
  assert.is(result.kind, 'faulty');
  if (result.kind !== 'faulty') return [];
  return result.faults.map(({ line, message }) => `${line}: ${message}`);
}

test('import: what heddle has too is taken over', () => {
  const { config } = imported(FULL);
  const { peers, addresses, ...own } = config;
  assert.is(own.interface, 'wg0');
  assert.is(own.listenPort, 51820);
  assert.is(own.fwMark, 0xca6c);
  assert.is(own.mtu, 1400);
  assert.is(own.table, 254);
  assert.equal(
    addresses.map(({ text }) => text),
    ['10.0.0.1/24', 'fd00::1/64', '10.9.0.1/32'],
  );
  const [peer] = peers;
  assert.is(peers.length, 1);
  assert.is(peer?.name, 'alice');
  assert.is(peer?.presharedKey?.length, 32);
  assert.equal(peer?.endpoint, { host: 'vpn.example.org', port: 51821 });
  assert.is(peer?.persistentKeepalive, 25_000_000);
  assert.equal(
    peer?.allowedIps.map(({ text }) => text),
    ['10.0.0.2/32', 'fd00::2/128', '10.1.0.0/16'],
  );
});

test('import: what heddle has not is told line by line, without its value', () => {
  const { notes } = imported(FULL);
  assert.equal(
    notes.map((note) => note.replace(/ left out: .*/, '')),
    [
      '10: DNS',
      '11: PreUp',
      '12: PostUp',
      '13: PreDown',
      '14: PostDown',
      '15: SaveConfig',
      '16: Colour',
      '26: Colour',
    ],
  );
  assert.not.ok(notes.join().includes('secret'));
});

test('import: what the file does not say is as wg-quick has it', () => {
  const { config, notes } = imported(`[Interface]\nPrivateKey=${PRIVATE}\n`, 'a b.conf');
  assert.is(config.listenPort, 0, 'any port');
  assert.is(config.fwMark, 0);
  assert.is(config.mtu, undefined);
  assert.is(config.table, 'auto');
  assert.is(config.interface, 'heddle0');
  assert.match(notes.join(), '1: the file');
});

test('import: a private key that a command reads from a file is read from there', () => {
  const text = '[Interface]\nPostUp = wg set %i private-key /etc/wireguard/%i.key\n';
  const known = importWgQuick(text, 'wg0.conf', SUITE);
  assert.is(known.kind, 'imported');
  if (known.kind !== 'imported') return;
  assert.match(known.yaml, 'privateKeyFile: /etc/wireguard/wg0.key\n');
  assert.not.match(known.yaml, 'privateKey:');
  const piped = text.replace('/etc/wireguard/%i.key', '<(pass wg)');
  assert.match(faults(piped).join(), 'has no private key');
});

test('import: a prefix at two peers goes to the later, our own key is nobody', () => {
  const { config, notes } = imported(
    `[Interface]
PrivateKey = ${PRIVATE}
[Peer]
PublicKey = ${PEER}
AllowedIPs = 10.0.0.0/8, 10.1.0.0/16
[Peer]
PublicKey = ${PSK}
AllowedIPs = 10.0.0.0/8
[Peer]
PublicKey = ${OWN}
AllowedIPs = 10.2.0.0/16
`,
  );
  assert.equal(
    config.peers.map(({ allowedIps }) => allowedIps.map(({ text }) => text)),
    [['10.1.0.0/16'], ['10.0.0.0/8']],
  );
  assert.equal(
    notes.map((note) => note.split(':', 2).join(':')),
    ['5: 10.0.0.0/8 left out', '10: [Peer] left out'],
  );
});

test('import: a name that two peers would have is left to neither', () => {
  const peer = (key: string): string => `# phone\n[Peer]\nPublicKey = ${key}\n`;
  const { config } = imported(`[Interface]\nPrivateKey=${PRIVATE}\n${peer(PEER)}${peer(PSK)}`);
  assert.equal(
    config.peers.map(({ name }) => name),
    [PEER.slice(0, 8), PSK.slice(0, 8)],
  );
});

test('import: every fault is told with its line', () => {
  const text = `[Interface]
PrivateKey = ${PRIVATE.slice(1)}
Address = 10.0.0.1/33
ListenPort = 70000
Table = blue
MTU = big
What is this
[Peer]
AllowedIPs = 10.0.0.0/8, example.org
[Peer]
PublicKey = ${PEER}
Endpoint = 192.0.2.1
[Peer]
PublicKey = ${PEER}
PersistentKeepalive = 70000
`;
  assert.equal(
    faults(text).map((fault) => fault.split(/ found|;|, expected| has/)[0]),
    [
      '2: PrivateKey:',
      '3: Address:',
      '4: ListenPort:',
      '5: Table:',
      '6: MTU:',
      '7: expected a key, an equals sign and a value',
      '8: [Peer]',
      '9: AllowedIPs:',
      '12: Endpoint:',
      '13: [Peer]',
      '15: PersistentKeepalive:',
    ],
  );
  const zeros = `${'A'.repeat(43)}=`;
  assert.equal(faults(`[Interface]\nPrivateKey=${zeros}\n[Peer]\nPublicKey=${zeros}\n`), [
    '2: PrivateKey: zeros are no key',
    '4: PublicKey: a key of zeros is nobody',
  ]);
});

test.run();
