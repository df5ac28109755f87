/** A changed configuration taken over by a running daemon, with traffic going on. */

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { ip, pings, waitUntil } from '../support/netns.js';
import { FAR, growth, pingAlong, readCounts, startBoth, withRig } from './rig.js';
import {
  HEDDLE,
  type HeddleEnd,
  type LabTunnel,
  makeKeyPair,
  makePresharedKey,
  prepareHeddle,
} from './tunnels.js';

const test = suite('interop/reload');

const PING_SECONDS = 2;

/** Writes the tunnel's file anew; it is where `HeddleEnd.start` put it. */
function rewrite(end: HeddleEnd, tunnel: LabTunnel): void {
  writeFileSync(end.file, JSON.stringify(tunnel), { mode: 0o600 });
}

test('reload: under traffic keeps the session and loses no packet', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    const before = await nearEnd.peer();
    const counted = await readCounts(nearEnd);
    const pinging = pingAlong(rig.near, FAR.inner, PING_SECONDS);
    const extra = {
      name: 'extra',
      publicKey: makeKeyPair().publicKey,
      allowedIps: ['10.90.0.0/16', 'fd90::/32'],
    };
    const [far, foe] = rig.nearTunnel.peers;
    if (!far || !foe) throw new Error('the rig has two peers');
    const changed: LabTunnel = {
      ...rig.nearTunnel,
      addresses: [...rig.nearTunnel.addresses, '10.91.0.1/24'],
      peers: [{ ...far, allowedIps: [...far.allowedIps, '10.92.0.0/24'] }, extra],
    };
    rewrite(nearEnd, changed);
    const reloaded = await nearEnd.run('reload');
    assert.is(reloaded.code, EXIT.ok, reloaded.stderr);
    for (const line of [
      'applied        addresses: +10.91.0.1/24',
      'applied        peer far: allowedIps: +10.92.0.0/24',
      'applied        peer extra: added',
      'applied        peer foe: removed',
    ]) {
      assert.match(reloaded.stdout, line);
    }
    const routes = ip(rig.near, 'route', 'show', 'table', 'all');
    for (const text of ['10.90.0.0/16 dev hd0', '10.92.0.0/24 dev hd0', '10.91.0.1 dev hd0']) {
      assert.match(routes, text);
    }
    assert.not.match(routes, '10.77.0.3 dev hd0');
    rewrite(nearEnd, rig.nearTunnel);
    assert.is((await nearEnd.run('reload')).code, EXIT.ok);
    assert.equal(await pinging, { sent: PING_SECONDS * 100, lost: 0 });
    assert.is((await nearEnd.peer()).latestHandshake, before.latestHandshake);
    const grown = growth(counted, await readCounts(nearEnd));
    for (const reason of ['tun_write', 'unknown_index', 'staged_expired']) {
      assert.is(grown[reason], undefined, `${reason} did not grow`);
    }
    const after = ip(rig.near, 'route', 'show', 'table', 'all');
    assert.not.match(after, '10.92.0.0');
    assert.not.match(ip(rig.near, 'addr', 'show', 'dev', 'hd0'), '10.91.0.1');
  }));

test('reload: by SIGHUP, to another port, and the far end follows', () =>
  withRig(async (rig) => {
    const { nearEnd, farEnd } = await startBoth(rig);
    rewrite(nearEnd, { ...rig.nearTunnel, listenPort: 51999 });
    nearEnd.child.kill('SIGHUP');
    await waitUntil('the port is another', 2_000, async () => {
      return (await nearEnd.status()).listenPort === 51999;
    });
    await pings(rig.near, FAR.inner);
    assert.match((await farEnd.peer()).endpoint ?? '', /:51999$/);
    assert.is(nearEnd.child.exitCode, null);
  }));

test('reload: a preshared key on both ends takes effect with the next handshake', () =>
  withRig(async (rig) => {
    const { nearEnd, farEnd } = await startBoth(rig);
    const presharedKey = makePresharedKey();
    for (const [end, tunnel] of [
      [nearEnd, rig.nearTunnel],
      [farEnd, rig.farTunnel],
    ] as const) {
      const [first, ...others] = tunnel.peers;
      if (!first) throw new Error('there is a peer');
      rewrite(end, { ...tunnel, peers: [{ ...first, presharedKey }, ...others] });
      const { code, stdout } = await end.run('reload');
      assert.is(code, EXIT.ok);
      assert.match(stdout, 'presharedKey added');
      assert.not.match(stdout, presharedKey.slice(0, 12));
    }
    await pings(rig.near, FAR.inner);
  }));

test('reload: a broken file and a taken port leave the old configuration running', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    writeFileSync(nearEnd.file, '{"peers": 7}');
    const broken = await nearEnd.run('reload');
    assert.is(broken.code, EXIT.failed);
    assert.match(broken.stderr, /the configuration before it runs on: .*peers: found/s);
    const status = await nearEnd.run('status');
    assert.is(status.code, EXIT.degraded);
    assert.match(status.stdout, 'warning  the last reload was refused');
    const other = { ...rig.nearTunnel, interface: 'hd7', listenPort: 52000, peers: [] };
    const taken = prepareHeddle(rig.lab, rig.near, other);
    const second = rig.near.start([HEDDLE, 'up', '-c', taken.file], taken.env);
    await waitUntil('a second daemon has the port', 10_000, () =>
      ip(rig.near, 'link').includes('hd7'),
    );
    rewrite(nearEnd, { ...rig.nearTunnel, listenPort: 52000, addresses: ['10.99.0.1/24'] });
    const refused = await nearEnd.run('reload');
    assert.is(refused.code, EXIT.failed);
    assert.match(refused.stderr, 'Open UDP port 52000: EADDRINUSE');
    assert.not.match(ip(rig.near, 'addr'), '10.99.0.1');
    second.kill('SIGTERM');
    await pings(rig.near, FAR.inner);
    rewrite(nearEnd, rig.nearTunnel);
    const mended = await nearEnd.run('reload');
    assert.is(mended.stdout, 'nothing changed\n');
    assert.is((await nearEnd.run('status')).code, EXIT.ok);
  }));

test('reload: what needs a restart is said, and stays as it is', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startBoth(rig);
    rewrite(nearEnd, { ...rig.nearTunnel, interface: 'hd9', datapath: 'reference' });
    const { stdout, code } = await nearEnd.run('reload');
    assert.is(code, EXIT.ok);
    assert.match(stdout, 'needs restart  interface: hd0 -> hd9');
    assert.match(stdout, 'needs restart  datapath: native -> reference');
    assert.is((await nearEnd.status()).interface, 'hd0');
    await pings(rig.near, FAR.inner);
  }));

test.run();
