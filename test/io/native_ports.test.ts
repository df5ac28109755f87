/** The native hand's ports and TUN device, changed while it runs, in a namespace of its own. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { instant } from '../../src/base/time.js';
import type { WalkCounter } from '../../src/datapath/counters.js';
import { HandError } from '../../src/io/hand.js';
import { loadAddon } from '../../src/io/native.js';
import { NativeHand } from '../../src/io/native_hand.js';
import {
  AUTO_OFFLOADS,
  NO_OFFLOADS,
  OFFLOADS,
  type OffloadStates,
} from '../../src/node/offloads.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('native ports');
const alone = ownNamespace(test, import.meta.url);

const TUN = 'heddle7';
const PORT = 51_820;
const LIMIT_MS = 5_000;

function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: 'pipe' });
}

/** A hand with its device up and 10.7.0.1/24 on it, so that 10.7.0.9 leads into it. */
function openHand(): NativeHand {
  const options = { tun: TUN, offloads: AUTO_OFFLOADS, port: PORT, threads: true };
  const hand = new NativeHand(loadAddon(), options);
  setUp(TUN);
  return hand;
}

function setUp(name: string): void {
  ip(`link set ${name} addrgenmode none up`);
  ip(`addr replace 10.7.0.1/24 dev ${name}`);
}

async function socketOn(port: number, family: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
  const socket = createSocket({ type: family, ipv6Only: family === 'udp6' });
  socket.bind(port);
  await once(socket, 'listening');
  return socket;
}

/** Whether the counter moves while datagrams go to `address` and `port`. */
async function counts(
  hand: NativeHand,
  name: WalkCounter,
  to: { readonly address: string; readonly port: number },
): Promise<boolean> {
  const socket = await socketOn(0, to.address.includes(':') ? 'udp6' : 'udp4');
  const before = hand.counters().walk[name];
  const end = Date.now() + LIMIT_MS;
  try {
    while (Date.now() < end) {
      // No route while the device is down or gone.
      await new Promise<void>((resolve) => {
        socket.send('neither handshake nor data', to.port, to.address, () => resolve());
      });
      if (hand.counters().walk[name] > before) return true;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return false;
  } finally {
    socket.close();
  }
}

const isRead = (hand: NativeHand): Promise<boolean> =>
  counts(hand, 'inner_in', { address: '10.7.0.9', port: 9 });

async function isHeard(hand: NativeHand, port: number): Promise<boolean> {
  for (const address of ['127.0.0.1', '::1']) {
    if (!(await counts(hand, 'datagram_in', { address, port }))) return false;
  }
  return true;
}

function refused(code: string, message: RegExp, change: () => void): void {
  try {
    change();
  } catch (error) {
    assert.instance(error, HandError);
    assert.is((error as HandError).code, code);
    assert.match(String(error), message);
    return;
  }
  assert.unreachable(`it must be refused with ${code}`);
}

/** Milliseconds of processor time that this process uses while it waits for a second. */
async function idleMs(): Promise<number> {
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const offloadsOf = (hand: NativeHand): OffloadStates =>
  present(hand.footing(instant(Date.now() * 1000)), 'a footing').offloads;

alone(
  'native ports: offloads are as switched, at the start and later, and traffic flows',
  async () => {
    const hand = openHand();
    for (const state of Object.values(offloadsOf(hand))) {
      assert.match(state.why, /^self-test (passed|failed: .+ \(Linux \d.+)/);
      assert.is(state.isOn, state.why === 'self-test passed');
      assert.is(state.resting, 0);
    }
    for (const offloads of [
      NO_OFFLOADS,
      { ...NO_OFFLOADS, udpGro: 'on' } as const,
      AUTO_OFFLOADS,
    ]) {
      hand.setOffloads(offloads);
      for (const name of OFFLOADS) {
        const { isOn, why } = offloadsOf(hand)[name];
        if (offloads[name] === 'off') assert.equal([isOn, why], [false, 'switched off'], name);
        if (offloads[name] === 'on') assert.equal([isOn, why], [true, 'self-test passed'], name);
      }
      assert.ok(await isRead(hand));
      assert.ok(await isHeard(hand, PORT));
    }
    hand.close();
  },
);

alone('native ports: the buffers of the sockets are told, asked and given', () => {
  const hand = openHand();
  const { buffers } = hand.footing(instant(1));
  assert.equal(buffers, { asked: 8 << 20, receive: 8 << 20, send: 8 << 20 });
  hand.close();
});

alone('native ports: an offload that is switched on is refused where the device is gone', () => {
  const hand = openHand();
  ip(`link delete ${TUN}`);
  refused(
    'OFFLOAD',
    /Use the offload tunTcp: self-test failed: .+`offloads: \{tunTcp: auto\}`/,
    () => hand.setOffloads({ ...NO_OFFLOADS, tunTcp: 'on' }),
  );
  assert.is(offloadsOf(hand).udpGso.isOn, true, 'all is as it was');
  hand.close();
});

alone('native ports: the listen port moves, and the old one is free', async () => {
  const hand = openHand();
  assert.is(hand.listenPort, PORT);
  hand.setListenPort(7_000);
  assert.is(hand.listenPort, 7_000);
  assert.ok(await isHeard(hand, 7_000));
  const socket = await socketOn(PORT);
  hand.setListenPort(0);
  assert.ok(hand.listenPort !== 0 && hand.listenPort !== 7_000);
  assert.ok(await isHeard(hand, hand.listenPort));
  socket.close();
  hand.close();
});

alone('native ports: a listen port that is taken changes nothing, and is named', async () => {
  const hand = openHand();
  for (const family of ['udp4', 'udp6'] as const) {
    const socket = await socketOn(7_001, family);
    refused('EADDRINUSE', /^HandError: Open UDP port 7001: EADDRINUSE; another program/, () =>
      hand.setListenPort(7_001),
    );
    socket.close();
    await once(socket, 'close');
  }
  hand.setListenPort(PORT);
  assert.is(hand.listenPort, PORT);
  assert.ok(await isHeard(hand, PORT));
  hand.close();
});

alone('native ports: clear ports open together or not at all, and close again', async () => {
  const hand = openHand();
  const socket = await socketOn(8_472);
  const both = [
    { port: 4_789, kind: 'vxlan' },
    { port: 8_472, kind: 'udp' },
  ] as const;
  refused('EADDRINUSE', /clear peers \(4789, 8472\): EADDRINUSE; another program, or the/, () =>
    hand.setClearPorts(both),
  );
  const free = await socketOn(4_789);
  free.close();
  socket.close();
  await Promise.all([once(free, 'close'), once(socket, 'close')]);
  hand.setClearPorts(both);
  for (const { port } of both) assert.ok(await isHeard(hand, port), `${port}`);
  hand.setClearPorts(both.slice(0, 1));
  (await socketOn(8_472)).close();
  assert.ok(await isHeard(hand, 4_789));
  assert.ok(await isHeard(hand, PORT));
  hand.close();
});

alone('native ports: the kernel’s own VXLAN device has its port', () => {
  const hand = openHand();
  ip('link add vx type vxlan id 1 dstport 4789 remote 127.0.0.1');
  ip('link set vx up');
  refused('EADDRINUSE', /the kernel's own VXLAN device/, () =>
    hand.setClearPorts([{ port: 4_789, kind: 'vxlan' }]),
  );
  hand.close();
});

alone(
  'native ports: a TUN that was down goes on by itself, and costs nothing meanwhile',
  async () => {
    const hand = openHand();
    assert.ok(await isRead(hand));
    ip(`link set ${TUN} down`);
    const ms = await idleMs();
    assert.ok(ms < 20, `${ms} ms of processor time in a second`);
    setUp(TUN);
    assert.ok(await isRead(hand));
    hand.close();
  },
);

alone('native ports: a TUN that was renamed goes on under its new name', async () => {
  const hand = openHand();
  ip(`link set ${TUN} down`);
  ip(`link set ${TUN} name other`);
  setUp('other');
  assert.ok(await isRead(hand));
  hand.close();
});

alone(
  'native ports: a TUN that was deleted is made again, and costs nothing meanwhile',
  async () => {
    const hand = openHand();
    for (let round = 0; round < 2; round++) {
      assert.ok(await isRead(hand));
      assert.ok(hand.hasTun());
      ip(`link delete ${TUN}`);
      assert.not(hand.hasTun());
      const ms = await idleMs();
      assert.ok(ms < 20, `${ms} ms of processor time in a second`);
      hand.reopenTun();
      setUp(TUN);
    }
    assert.ok(await isRead(hand));
    assert.ok(await isHeard(hand, PORT));
    hand.close();
    assert.not.match(ip('link'), new RegExp(TUN));
  },
);

alone('native ports: a TUN that was moved to another namespace is still there', () => {
  const hand = openHand();
  const other = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
  try {
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(`/proc/${other.pid}/ns/net`) === own) spawnSync('true');
    ip(`link set ${TUN} netns ${other.pid}`);
    assert.not.match(ip('link'), new RegExp(TUN));
    assert.ok(hand.hasTun());
  } finally {
    other.kill();
  }
  hand.close();
});

alone('native ports: a TUN that is there is not made again', async () => {
  const hand = openHand();
  refused('EBUSY', new RegExp(`Make the TUN interface "${TUN}" again: EBUSY`), () =>
    hand.reopenTun(),
  );
  assert.ok(await isRead(hand));
  hand.close();
});

alone('native ports: changes follow each other under traffic', async () => {
  const hand = openHand();
  const socket = await socketOn(0);
  const flood = setInterval(() => {
    for (let i = 0; i < 20; i++) socket.send('x', 9, '10.7.0.9');
  }, 1);
  for (let i = 0; i < 100; i++) {
    hand.setListenPort(7_000 + (i % 2));
    hand.setClearPorts(i % 3 === 0 ? [] : [{ port: 4_789, kind: i % 2 === 0 ? 'vxlan' : 'udp' }]);
    hand.setMark(i);
    await new Promise((resolve) => setImmediate(resolve));
  }
  clearInterval(flood);
  socket.close();
  assert.ok(await isRead(hand));
  assert.ok(await isHeard(hand, 7_001));
  hand.close();
});

test.run();
