/**
 * Debian's `wg` drives heddle as it drives any WireGuard: shows it, sets it, and reads back what it
 * set.
 */

import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, pause, pings, reaches, waitUntil } from '../support/netns.js';
import { LOW_ORDER_KEYS } from '../support/low_order.js';
import { toBase64 } from '../../src/base/bytes.js';
import { Capture } from './capture.js';
import { FAR, NEAR, PORT } from './pair.js';
import { pingAlong } from './rig.js';
import { makeKeyPair, makePresharedKey } from './tunnels.js';
import { ALLOWED, UNDER, withWgRig } from './wg_rig.js';

export const timeLimitSeconds = 120;

const test = suite('wg');

test('show: in all its forms', () =>
  withWgRig(async ({ near, far, nearKey, farKey }) => {
    const psk = makePresharedKey();
    await far.set('peer', nearKey, 'preshared-key', far.file(psk));
    await near.set('peer', farKey, 'preshared-key', near.file(psk));
    await near.set('fwmark', '0x7', 'peer', farKey, 'persistent-keepalive', '25');
    await pings(near.host, FAR.inner);
    const text = await near.wg('show', near.name);
    assert.match(text, `interface: ${near.name}\n  public key: ${nearKey}\n`);
    assert.match(text, `  private key: (hidden)\n  listening port: ${PORT}\n  fwmark: 0x7\n`);
    assert.match(text, `peer: ${farKey}\n  preshared key: (hidden)\n`);
    assert.match(text, `  endpoint: ${UNDER.far}:${PORT}\n`);
    assert.match(text, `  allowed ips: ${ALLOWED.far.join(', ')}\n`);
    assert.match(
      text,
      /latest handshake: (Now|\d+ seconds? ago)\n {2}transfer: [\d.]+ \w+ received/,
    );
    assert.match(text, 'persistent keepalive: every 25 seconds');
    // Others' interfaces may come and go meanwhile, and `wg` fails for those.
    assert.match((await near.tryWg('show', 'all')).stdout, `interface: ${near.name}\n`);
    assert.match((await near.tryWg('show', 'interfaces')).stdout, near.name);
    const fields: readonly (readonly [field: string, shown: RegExp | string])[] = [
      ['public-key', `${nearKey}\n`],
      ['private-key', `${near.tunnel.privateKey}\n`],
      ['listen-port', `${PORT}\n`],
      ['fwmark', '0x7\n'],
      ['peers', `${farKey}\n`],
      ['preshared-keys', `${farKey}\t${psk}\n`],
      ['endpoints', `${farKey}\t${UNDER.far}:${PORT}\n`],
      ['allowed-ips', `${farKey}\t${ALLOWED.far.join(' ')}\n`],
      ['latest-handshakes', /^\S+\t1[5-9]\d{8}\n$|^\S+\t[2-9]\d{9}\n$/],
      ['transfer', /^\S+\t[1-9]\d*\t[1-9]\d*\n$/],
      ['persistent-keepalive', `${farKey}\t25\n`],
      ['dump', /^(\S+\t){3}0x7\n(\S+\t){7}25\n$/],
    ];
    for (const [field, shown] of fields) {
      const said = await near.wg('show', near.name, field);
      if (typeof shown === 'string') assert.is(said, shown, field);
      else assert.match(said, shown, field);
    }
  }));

test('transfer: both ends count the same', () =>
  withWgRig(async ({ near, far, nearKey, farKey }) => {
    await pings(near.host, FAR.inner);
    for (let i = 0; i < 10; i++) await pings(near.host, FAR.inner, '-s', '1000');
    const ours = (await near.dump()).peers.get(farKey);
    const theirs = (await far.dump()).peers.get(nearKey);
    assert.equal([ours?.rx, ours?.tx], [theirs?.tx, theirs?.rx]);
  }));

test('showconf, setconf, addconf and syncconf: what is written is read back', () =>
  withWgRig(async ({ near, farKey }) => {
    const before = await near.dump();
    const shown = await near.wg('showconf', near.name);
    await near.wg('setconf', near.name, near.file(shown));
    assert.equal(settingsOf(await near.dump()), settingsOf(before));
    const printed = await near.heddle.run('show', '--wg');
    assert.is(printed.code, 0, printed.stderr);
    await near.wg('setconf', near.name, near.file(printed.stdout));
    assert.equal(settingsOf(await near.dump()), settingsOf(before));

    const added = makeKeyPair().publicKey;
    const more = `[Peer]\nPublicKey = ${added}\nAllowedIPs = 10.99.0.0/16, ${ALLOWED.far[1]}\n`;
    await near.wg('addconf', near.name, near.file(more));
    const { peers } = await near.dump();
    assert.equal(peers.get(added)?.allowedIps, ['10.99.0.0/16', ALLOWED.far[1]]);
    assert.equal(peers.get(farKey)?.allowedIps, [ALLOWED.far[0]], 'the later owner has it');
    await near.wg('syncconf', near.name, near.file(shown));
    assert.equal(settingsOf(await near.dump()), settingsOf(before));
    await pings(near.host, FAR.inner6);
  }));

/** What somebody set, without what traffic changes. */
function settingsOf({ own, peers }: Awaited<ReturnType<import('./wg_rig.js').WgEnd['dump']>>) {
  const settings = [...peers].map(([key, { psk, endpoint, allowedIps, keepalive }]) => {
    return [key, psk, endpoint, allowedIps, keepalive];
  });
  return [own, settings];
}

test('syncconf under load: no session, no packet and no connection is lost', () =>
  withWgRig(async ({ near, far, farKey }) => {
    await pings(near.host, FAR.inner);
    const handshake = (await near.dump()).peers.get(farKey)?.handshake;
    far.host.start(['iperf3', '-s', '-B', FAR.inner]);
    await waitUntil('iperf3 listens', 2_000, async () => {
      return /:5201\b/.test(await far.host.must(['ss', '-ltn']));
    });
    const conf = near.file(await near.wg('showconf', near.name));
    const more = near.file(
      `${await near.wg('showconf', near.name)}\n[Peer]\nPublicKey = ${makeKeyPair().publicKey}\n`,
    );
    const load = near.host.must(['iperf3', '-J', '-t', '3', '-b', '50M', '-c', FAR.inner]);
    const pinged = pingAlong(near.host, FAR.inner, 3);
    for (let i = 0; i < 10; i++) {
      await near.wg('syncconf', near.name, more);
      await near.wg('syncconf', near.name, conf);
      await near.wg('show', near.name, 'dump');
    }
    const { sent, lost } = await pinged;
    const report = JSON.parse(await load) as { end: { sum_received: { bytes: number } } };
    assert.is(sent, 300);
    assert.is(lost, 0);
    assert.ok(report.end.sum_received.bytes > 1 << 20);
    assert.is((await near.dump()).peers.get(farKey)?.handshake, handshake);
  }));

interface Listed {
  readonly key: string;
  readonly allowedIps: readonly string[];
}

/** As netns.sh of WireGuard's own tests has them. */
const SCALES: Readonly<Record<string, () => Listed[]>> = {
  'one peer with 130,560 prefixes': () => [
    { key: makeKeyPair().publicKey, allowedIps: many(130_560) },
  ],
  '40 peers with 52 each': () => {
    return Array.from({ length: 40 }, (_, i) => ({
      key: makeKeyPair().publicKey,
      allowedIps: many(52, i * 52),
    }));
  },
  '29 peers with none': () => {
    return Array.from({ length: 29 }, () => ({ key: makeKeyPair().publicKey, allowedIps: [] }));
  },
  'one peer with 197 of IPv6': () => {
    const allowedIps = Array.from({ length: 197 }, (_, i) => `abcd:${(i + 1).toString(16)}::/128`);
    return [{ key: makeKeyPair().publicKey, allowedIps }];
  },
};

function many(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`;
  });
}

for (const [what, make] of Object.entries(SCALES)) {
  test(`setconf: ${what}, read back exactly`, () =>
    withWgRig(async ({ near }) => {
      const peers = make();
      const conf = [
        `[Interface]\nPrivateKey = ${near.tunnel.privateKey}\nListenPort = ${PORT}\n`,
        ...peers.map(({ key, allowedIps }) => {
          const allowed = allowedIps.length > 0 ? `AllowedIPs = ${allowedIps.join(', ')}\n` : '';
          return `[Peer]\nPublicKey = ${key}\n${allowed}`;
        }),
      ];
      const file = near.file(conf.join('\n'));
      const started = performance.now();
      await near.wg('setconf', near.name, file);
      const dump = await near.dump();
      const spent = performance.now() - started;
      const expected = peers.map(({ key, allowedIps }) => [key, [...allowedIps].sort()] as const);
      const found = [...dump.peers].map(([key, { allowedIps }]) => [key, allowedIps] as const);
      const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
        a[0] < b[0] ? -1 : 1;
      assert.equal(found.sort(byKey), expected.sort(byKey));
      assert.ok(spent < 2_000, `${spent} ms`);
    }));
}

test('keys: replaced on both sides, the next ping passes', () =>
  withWgRig(async ({ near, far, nearKey, farKey }) => {
    await pings(near.host, FAR.inner);
    const [ours, theirs] = [makeKeyPair(), makeKeyPair()];
    const allowed = ['allowed-ips', ALLOWED.far.join(), 'endpoint', `${UNDER.far}:${PORT}`];
    await near.set('private-key', near.file(ours.privateKey), 'peer', farKey, 'remove');
    await near.set('peer', theirs.publicKey, ...allowed);
    await far.set('private-key', far.file(theirs.privateKey), 'peer', nearKey, 'remove');
    await far.set('peer', ours.publicKey, 'allowed-ips', ALLOWED.near.join());
    await pings(near.host, FAR.inner);
    assert.equal([...(await far.dump()).peers.keys()], [ours.publicKey]);
  }));

test('private key: cleared by an empty file, nothing passes; back again, it does', () =>
  withWgRig(async ({ near }) => {
    await pings(near.host, FAR.inner);
    await near.set('private-key', near.file(''));
    assert.is(await near.wg('show', near.name, 'private-key'), '(none)\n');
    assert.is(await near.wg('show', near.name, 'public-key'), '(none)\n');
    assert.not.ok(await reaches(near.host, FAR.inner));
    await near.set('private-key', near.file(near.tunnel.privateKey));
    await waitUntil('traffic passes again', 8_000, () => reaches(near.host, FAR.inner));
  }));

test('private key: is shown clamped', () =>
  withWgRig(async ({ near }) => {
    await near.set('private-key', near.file(`${'/'.repeat(42)}8=`));
    assert.is(await near.wg('show', near.name, 'private-key'), `+P${'/'.repeat(39)}38=\n`);
  }));

test('own key: as a peer it is passed over', () =>
  withWgRig(async ({ near, nearKey, farKey }) => {
    await near.set('peer', nearKey, 'allowed-ips', '10.0.0.0/8');
    assert.equal([...(await near.dump()).peers.keys()], [farKey]);
    const ours = makeKeyPair();
    await near.set('peer', ours.publicKey, 'allowed-ips', '10.1.0.0/16');
    assert.is((await near.dump()).peers.size, 2);
    await near.set('private-key', near.file(ours.privateKey));
    assert.equal([...(await near.dump()).peers.keys()], [farKey]);
  }));

test('low-order keys: as peers nothing is sent to them', () =>
  withWgRig(async ({ lab, near, far }) => {
    const capture = await Capture.start(lab, far.host, 'under');
    for (const [i, [, key]] of LOW_ORDER_KEYS.entries()) {
      const at = ['endpoint', `${UNDER.far}:${2000 + i}`, 'allowed-ips', `10.78.0.${i}/32`];
      await near.set('peer', toBase64(key), ...at, 'persistent-keepalive', '1');
    }
    assert.is((await near.dump()).peers.size, 1 + LOW_ORDER_KEYS.length);
    ip(near.host, 'route', 'add', '10.78.0.0/16', 'dev', near.name);
    await Promise.all(LOW_ORDER_KEYS.map((_, i) => reaches(near.host, `10.78.0.${i}`)));
    await pause(1_000);
    const bytes = await capture.stop();
    for (const i of LOW_ORDER_KEYS.keys()) {
      const ports = Buffer.from([PORT >> 8, PORT & 255, (2000 + i) >> 8, (2000 + i) & 255]);
      assert.is(bytes.indexOf(ports), -1, `a datagram to key ${i}`);
    }
  }));

test('allowed prefixes: of the whole family, rewritten, and moved to another peer', () =>
  withWgRig(async ({ near, farKey }) => {
    const allowed = async (key: string): Promise<readonly string[] | undefined> =>
      (await near.dump()).peers.get(key)?.allowedIps;
    for (const list of ['0.0.0.0/0', '::/0', '0.0.0.0/0,::/0', '10.77.0.2/8,::/0', '']) {
      await near.set('peer', farKey, 'allowed-ips', list);
      const expected = list.replace('10.77.0.2/8', '10.0.0.0/8').split(',');
      assert.equal(await allowed(farKey), list === '' ? [] : expected.sort());
    }
    const other = makeKeyPair().publicKey;
    await near.set('peer', farKey, 'allowed-ips', ALLOWED.far.join());
    await near.set('peer', other, 'allowed-ips', ALLOWED.far[0] ?? '');
    assert.not.ok(await reaches(near.host, FAR.inner), 'it is another’s');
    await near.set('peer', other, 'remove', 'peer', farKey, 'allowed-ips', ALLOWED.far.join());
    await pings(near.host, FAR.inner);
  }));

test('port and mark: changed while traffic flows, and the other end follows', () =>
  withWgRig(async ({ near, far, nearKey }) => {
    await pings(near.host, FAR.inner);
    await near.set('listen-port', '4500', 'fwmark', '0x42');
    await pings(near.host, FAR.inner);
    assert.is((await far.dump()).peers.get(nearKey)?.endpoint, `${UNDER.near}:4500`);
    assert.equal((await near.dump()).own.slice(2), ['4500', '0x42']);
    await near.set('listen-port', '0', 'fwmark', 'off');
    await pings(near.host, FAR.inner);
    const [, , port, mark] = (await near.dump()).own;
    assert.not.ok(port === '0' || port === '4500', `${port}`);
    assert.is(mark, 'off');
  }));

test('port: one that is taken is refused, and nothing of the request applies', () =>
  withWgRig(async ({ near, farKey }) => {
    const before = await near.dump();
    near.host.start(['python3', '-c', HOLD_PORT]);
    await waitUntil('the port is taken', 3_000, async () => {
      return /:4500\b/.test(await near.host.must(['ss', '-uln']));
    });
    const request = ['set', near.name, 'listen-port', '4500', 'peer', farKey, 'remove'];
    const { code, stderr } = await near.tryWg(...request);
    assert.is.not(code, 0);
    assert.match(stderr, 'Address already in use');
    assert.equal(settingsOf(await near.dump()), settingsOf(before));
    await pings(near.host, FAR.inner);
  }));

const HOLD_PORT = `
import socket, time
held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
held.bind(('0.0.0.0', 4500))
time.sleep(60)
`;

test('endpoint: told again, a peer that roamed is sought where it was told', () =>
  withWgRig(async ({ near, far, farKey }) => {
    await pings(near.host, FAR.inner);
    ip(far.host, 'addr', 'add', '192.0.2.3/24', 'dev', 'under');
    await far.set('listen-port', '4500');
    await pings(far.host, NEAR.inner);
    const endpoint = async (): Promise<string | undefined> =>
      (await near.dump()).peers.get(farKey)?.endpoint;
    assert.is(await endpoint(), `${UNDER.far}:4500`);
    await near.set('peer', farKey, 'endpoint', `${UNDER.far}:${PORT}`);
    assert.is(await endpoint(), `${UNDER.far}:${PORT}`);
  }));

const CLEAR = {
  name: 'plain',
  encapsulation: 'udp',
  endpoint: '192.0.2.9:8285',
  allowedIps: ['10.88.0.0/16'],
} as const;

test('peers in the clear: are not shown, cannot be robbed, and outlive setconf', () =>
  withWgRig(
    async ({ near, farKey }) => {
      assert.equal([...(await near.dump()).peers.keys()], [farKey]);
      const robbed = await near.tryWg('set', near.name, 'peer', farKey, 'allowed-ips', '10.88.1.1');
      assert.is.not(robbed.code, 0);
      assert.match(robbed.stderr, 'Address already in use');
      await near.wg('setconf', near.name, near.file('[Interface]\n'));
      assert.is((await near.dump()).peers.size, 0);
      const { peers } = await near.heddle.status();
      assert.equal(
        peers.map(({ name }) => name),
        ['plain'],
      );
      assert.match((await near.heddle.run('show', '--wg')).stdout, '# plain: in the clear');
    },
    [CLEAR],
  ));

test('socket: private, gone with the daemon, and a live one is not taken over', () =>
  withWgRig(async ({ near, far }) => {
    const path = `/var/run/wireguard/${near.name}.sock`;
    assert.is(await near.host.must(['stat', '-c', '%a %F', path]), '600 socket\n');
    await near.heddle.stop();
    assert.is(existsSync(path), false);
    assert.ok(existsSync(`/var/run/wireguard/${far.name}.sock`));
    const { code, stderr } = await near.tryWg('show', near.name);
    assert.is.not(code, 0);
    assert.match(stderr, 'Unable to access interface');
  }));

test.run();
