/**
 * WireGuard's own exam, groups 5, 6, 14 and 15: who may send from which address (WG-7), keys that
 * change under way (WG-8), odd keys and prefixes, and keys of low order (WG-13). All changes are
 * made by Debian's `wg` while the tunnel is up.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pause, pings, reaches, waitUntil } from '../support/netns.js';
import { type Exam, type ExamEnd, INNER, withExam } from './exam.js';
import { makeKeyPair, makePresharedKey } from './tunnels.js';

export const timeLimitSeconds = 60;

const exam = suite('exam: keys');

let files = 0;

/** A private file that `wg` reads a key from. */
function keyFile(rig: Exam, key: string): string {
  const path = join(rig.lab.folder, `key${files++}`);
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  return path;
}

/** Sends a datagram to a socket of the left host; what came of it within a second. */
async function deliver(rig: Exam): Promise<boolean> {
  const { left, right } = rig;
  const hear = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${INNER.left[4]}', 1111))
s.settimeout(1)
print('ready', flush=True)
try: print(s.recv(9).decode(), flush=True)
except TimeoutError: print('nothing', flush=True)`;
  const child = left.host.start(['python3', '-c', hear]);
  let said = '';
  child.stdout?.on('data', (text) => {
    said += text;
  });
  await waitUntil('a socket is open', 5_000, () => said.includes('ready'));
  const send = `import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'X', ('${INNER.left[4]}', 1111))`;
  await right.host.must(['python3', '-c', send]);
  await waitUntil('it is known', 3_000, () => /X|nothing/.test(said));
  return said.includes('X');
}

exam('group 5: a more specific peer takes the address, and the endpoint follows still (WG-7)', () =>
  withExam(async (rig) => {
    const { left, right } = rig;
    await pings(left.host, INNER.right[4]);
    await left.set('peer', right.keys.publicKey, 'allowed-ips', '192.168.241.0/24');
    assert.ok(await deliver(rig), 'it is delivered by the general entry');
    const other = makeKeyPair().publicKey;
    await left.set('peer', other, 'allowed-ips', `${INNER.right[4]}/32`);
    await right.set('listen-port', '9997');
    assert.not(await deliver(rig), 'it is not delivered past the more specific one');
    await left.set('peer', other, 'remove');
    assert.is(await left.endpoint(), '127.0.0.1:9997');
    assert.ok(await deliver(rig), 'it is delivered again');
  }),
);

exam('group 6: keys replaced at both ends, and the next ping goes through (WG-8)', () =>
  withExam(async (rig) => {
    const { left, right } = rig;
    const psk = keyFile(rig, makePresharedKey());
    await left.set('peer', right.keys.publicKey, 'preshared-key', psk);
    await right.set('peer', left.keys.publicKey, 'preshared-key', psk);
    await pings(left.host, INNER.right[4]);
    for (let i = 0, old = left.keys.publicKey; i < 3; i++) {
      const next = makeKeyPair();
      await left.set('private-key', keyFile(rig, next.privateKey));
      const words = ['preshared-key', psk, 'allowed-ips', `${INNER.left[4]}/32`];
      await right.set('peer', next.publicKey, ...words, 'peer', old, 'remove');
      await pings(left.host, INNER.right[4]);
      assert.is((await show(right, 'peers')).trim(), next.publicKey);
      old = next.publicKey;
    }
  }),
);

/** What `wg show` prints of one thing. */
function show({ host, interface: name }: ExamEnd, what: string): Promise<string> {
  return host.must(['wg', 'show', name, what]);
}

exam('group 6: what was sealed with a key that is replaced opens nothing any more (WG-8)', () =>
  withExam(async (rig) => {
    const { left, right } = rig;
    await pings(left.host, INNER.right[4]);
    await right.set('private-key', keyFile(rig, makeKeyPair().privateKey));
    const { rx } = await right.transfer();
    assert.not(await reaches(left.host, INNER.right[4]));
    assert.is((await right.transfer()).rx, rx, 'the old session is heard no more');
  }),
);

exam('group 14: our own key is nobody’s, and one that becomes ours is dropped', () =>
  withExam(async (rig) => {
    const { left, right } = rig;
    const other = makeKeyPair();
    await left.set('peer', left.keys.publicKey);
    assert.is((await show(left, 'peers')).trim(), right.keys.publicKey);
    await left.set('peer', right.keys.publicKey, 'remove', 'peer', other.publicKey);
    assert.is((await show(left, 'peers')).trim(), other.publicKey);
    await left.set('private-key', keyFile(rig, other.privateKey));
    assert.is((await show(left, 'public-key')).trim(), other.publicKey);
    assert.is(await show(left, 'peers'), '');
    await left.set('peer', other.publicKey);
    assert.is(await show(left, 'peers'), '');
    await left.set('private-key', keyFile(rig, left.keys.privateKey), 'peer', other.publicKey);
    assert.is((await show(left, 'peers')).trim(), other.publicKey);
  }),
);

exam('group 14: a private key is shown clamped', () =>
  withExam(async (rig) => {
    const { left } = rig;
    const rest = left.keys.privateKey.slice(1);
    await left.set('private-key', keyFile(rig, `/${rest}`));
    assert.is((await show(left, 'private-key')).trim(), `+${rest}`);
  }),
);

exam('group 14: an empty file takes the private key away, until there is one again', () =>
  withExam(async (rig) => {
    const { left, right } = rig;
    await pings(left.host, INNER.right[4]);
    await left.set('private-key', '/dev/null');
    assert.is((await show(left, 'private-key')).trim(), '(none)');
    assert.not(await reaches(left.host, INNER.right[4]));
    await left.set('private-key', keyFile(rig, left.keys.privateKey));
    await pings(left.host, INNER.right[4]);
    await pings(right.host, INNER.left[4]);
  }),
);

exam('group 14: prefixes that contain each other are replaced as a whole', () =>
  withExam(async ({ left, right }) => {
    const key = right.keys.publicKey;
    const rows = [
      ['0.0.0.0/0', '10.0.0.0/8', '100.0.0.0/10', '172.16.0.0/12', '192.168.0.0/16'],
      ['0.0.0.0/0'],
      ['::/0', '1700::/111', '5000::/4', 'e000::/37', '9000::/75'],
      ['::/0'],
      [`${INNER.right[4]}/32`, '0.0.0.0/0', '::/0'],
    ];
    for (const prefixes of rows) {
      await left.set('peer', key, 'allowed-ips', prefixes.join(','));
      const [, shown = ''] = (await show(left, 'allowed-ips')).trim().split('\t');
      assert.equal(shown.split(' ').sort(), [...prefixes].sort());
    }
    await pings(left.host, INNER.right[4]);
  }),
);

/**
 * Public keys whose shared secret is zero whatever the private key (Wycheproof,
 * cr.yp.to/ecdh.html).
 */
const LOW_ORDER = [
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  '4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=',
  'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=',
  '7P///////////////////////////////////////38=',
  '7f///////////////////////////////////////38=',
  '7v///////////////////////////////////////38=',
];

exam('group 15: to seven keys of low order nothing is sent in two seconds (WG-13)', () =>
  withExam(async ({ middle, left, right }) => {
    const hear = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 1111))
print('ready', flush=True)
while True: print(len(s.recv(2000)), flush=True)`;
    const child = middle.start(['python3', '-c', hear]);
    let said = '';
    child.stdout?.on('data', (text) => {
      said += text;
    });
    await waitUntil('a socket is open', 5_000, () => said.includes('ready'));
    await left.set('peer', right.keys.publicKey, 'remove');
    const peerOf = (key: string): string[] => [
      ...['peer', key, 'persistent-keepalive', '1', 'endpoint', '127.0.0.1:1111'],
    ];
    await left.set(...LOW_ORDER.flatMap(peerOf));
    assert.is((await show(left, 'peers')).trim().split('\n').length, LOW_ORDER.length);
    await pause(2_000);
    assert.is(said, 'ready\n');
    // The socket hears what is sent: one of usual order is called within a second.
    await left.set(...peerOf(makeKeyPair().publicKey));
    await waitUntil('an initiation is heard', 3_000, () => said.includes('148'));
  }),
);

exam.run();
