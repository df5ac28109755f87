/** Several lanes of the native hand over a TUN device and sockets, in a namespace of its own. */

import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WALK_COUNTERS, type WalkCounter } from '../../src/datapath/counters.js';
import { HandError } from '../../src/io/hand.js';
import { loadAddon } from '../../src/io/native.js';
import { NativeHand } from '../../src/io/native_hand.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('native lanes');
const alone = ownNamespace(test, import.meta.url);

const TUN = 'heddle8';
const PORT = 51_820;
const LANES = 4;
const FLOWS = 64;
const LIMIT_MS = 5_000;
const BASE_INDEX = 0x1234_5670;

function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: 'pipe' });
}

function openHand(lanes = LANES): NativeHand {
  const options = { tun: TUN, offloads: AUTO_OFFLOADS, port: PORT, threads: true, lanes };
  const hand = new NativeHand(loadAddon(), options);
  setUp();
  return hand;
}

/** So that 10.8.0.9 leads into the device. */
function setUp(): void {
  ip(`link set ${TUN} addrgenmode none up`);
  ip(`addr replace 10.8.0.1/24 dev ${TUN}`);
}

/** A counter by lane; outbound counters are the first of each lane's two blocks. */
function byLane(hand: NativeHand, name: WalkCounter): bigint[] {
  const blocks = loadAddon().engineCounters(hand.engine);
  const at = WALK_COUNTERS.indexOf(name);
  return Array.from({ length: hand.lanes }, (_, lane) => {
    return (blocks[2 * lane]?.[at] ?? 0n) + (blocks[2 * lane + 1]?.[at] ?? 0n);
  });
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!holds()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function socketOn(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port);
  await once(socket, 'listening');
  return socket;
}

function send(socket: Socket, bytes: Uint8Array, port: number, address: string): Promise<void> {
  return new Promise((resolve) => socket.send(bytes, port, address, () => resolve()));
}

/** A datagram of each flow into the device; all are read. */
async function sendFlows(hand: NativeHand): Promise<bigint[]> {
  const before = byLane(hand, 'inner_in');
  const socket = await socketOn(0);
  for (let flow = 0; flow < FLOWS; flow++) {
    await send(socket, Uint8Array.of(1), 10_000 + flow, '10.8.0.9');
  }
  socket.close();
  const gained = () => byLane(hand, 'inner_in').map((count, lane) => count - (before[lane] ?? 0n));
  const sum = () => gained().reduce((total, count) => total + count, 0n);
  await until(() => sum() >= FLOWS, `${gained()} of ${FLOWS} were read`);
  return gained();
}

/** A data message to each lane's index; it arrives at its lane. */
async function sendMessages(hand: NativeHand, port: number): Promise<void> {
  const socket = await socketOn(0);
  for (let lane = 0; lane < hand.lanes; lane++) {
    const before = byLane(hand, 'datagram_in');
    const message = new DataView(new ArrayBuffer(32));
    message.setUint32(0, 0x48, true);
    message.setUint32(4, BASE_INDEX | 8 | lane, true);
    await send(socket, new Uint8Array(message.buffer), port, '127.0.0.1');
    const expected = before.map((count, other) => (other === lane ? count + 1n : count));
    const now = () => byLane(hand, 'datagram_in');
    await until(() => now()[lane] === expected[lane], `lane ${lane} of ${now()}`);
    assert.equal(now(), expected);
  }
  socket.close();
}

function refused(code: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    assert.instance(error, HandError);
    assert.is((error as HandError).code, code);
    return;
  }
  assert.unreachable(`it must be refused with ${code}`);
}

alone('native lanes: flows spread over all lanes, and keep theirs', async () => {
  const hand = openHand();
  assert.is(hand.lanes, LANES);
  const first = await sendFlows(hand);
  assert.ok(
    first.every((count) => count > 0n),
    `${first}`,
  );
  const socket = await socketOn(40_000);
  const before = byLane(hand, 'inner_in');
  for (let i = 0; i < 50; i++) await send(socket, Uint8Array.of(i), 9, '10.8.0.9');
  socket.close();
  const gained = () => byLane(hand, 'inner_in').map((count, lane) => count - (before[lane] ?? 0n));
  await until(() => gained().some((count) => count === 50n), `${gained()}`);
  assert.equal(
    hand.remarks().filter((remark) => remark.includes('bpf')),
    [],
  );
  hand.close();
});

alone('native lanes: each thread has its name', () => {
  const hand = openHand(2);
  const tasks = readdirSync('/proc/self/task');
  const names = tasks.map((task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim());
  const ours = names.filter((name) => name.startsWith('heddle-')).sort();
  assert.equal(ours, ['heddle-in-0', 'heddle-in-1', 'heddle-out-0', 'heddle-out-1']);
  hand.close();
});

alone(
  'native lanes: datagrams arrive at the lane that their index names, at any port',
  async () => {
    const hand = openHand();
    await sendMessages(hand, PORT);
    hand.setListenPort(7_000);
    await sendMessages(hand, 7_000);
    hand.close();
  },
);

alone('native lanes: a device that was deleted is made again with all its queues', async () => {
  const hand = openHand();
  ip(`link delete ${TUN}`);
  assert.not(hand.hasTun());
  hand.reopenTun();
  setUp();
  const gained = await sendFlows(hand);
  assert.ok(
    gained.every((count) => count > 0n),
    `${gained}`,
  );
  refused('EBUSY', () => hand.reopenTun());
  hand.close();
  assert.not.match(ip('link'), new RegExp(TUN));
});

alone(
  'native lanes: a device or a port that another has is refused, be it one that shares',
  async () => {
    const hand = openHand();
    const addon = loadAddon();
    const options = { offloads: AUTO_OFFLOADS, threads: true };
    for (const lanes of [1, LANES]) {
      refused('EBUSY', () => new NativeHand(addon, { ...options, tun: TUN, port: 0, lanes }));
      refused('EADDRINUSE', () => {
        new NativeHand(addon, { ...options, tun: 'heddle9', port: PORT, lanes });
      });
    }
    hand.close();
  },
);

alone('native lanes: changes follow each other under traffic', async () => {
  const hand = openHand();
  const socket = await socketOn(0);
  const flood = setInterval(() => {
    for (let i = 0; i < 20; i++) socket.send('x', 10_000 + i, '10.8.0.9');
  }, 1);
  for (let i = 0; i < 50; i++) {
    hand.setListenPort(7_000 + (i % 2));
    hand.setClearPorts(i % 3 === 0 ? [] : [{ port: 4_789, kind: i % 2 === 0 ? 'vxlan' : 'udp' }]);
    hand.setMark(i);
    await new Promise((resolve) => setImmediate(resolve));
  }
  clearInterval(flood);
  socket.close();
  await sendFlows(hand);
  await sendMessages(hand, 7_001);
  hand.close();
});

test.run();
