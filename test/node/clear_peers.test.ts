import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Mac, parseMac } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { MAX_PEERS } from '../../src/base/identifiers.js';
import { after, instant, NEVER, seconds, wallTime } from '../../src/base/time.js';
import type { TableWrite } from '../../src/datapath/tables.js';
import { ClearPeers } from '../../src/node/clear_peers.js';
import type { ClearPeerConfig } from '../../src/node/config.js';
import { Slots } from '../../src/node/slots.js';
import { WallClock } from '../../src/base/wall_clock.js';
import { KeptLog } from '../support/kept_log.js';
import { endpoint, prefix } from '../support/parsed.js';

const test = suite('node/clear_peers');
const START = instant(seconds(1_000));
const WALL = 1_795_392_000_000_000;

function createScene(slots = new Slots()) {
  const wallClock = new WallClock();
  wallClock.set(wallTime(WALL), START);
  const log = new KeptLog();
  return { wallClock, log, peers: new ClearPeers(slots, wallClock, log) };
}

function mac(text: string): Mac {
  return present(parseMac(text), 'an Ethernet address');
}

function udp(name: string, at: string, untilSeconds?: number): ClearPeerConfig {
  return {
    name,
    carrier: { kind: 'udp' },
    endpoint: endpoint(at),
    allowedIps: [],
    ...(untilSeconds === undefined
      ? {}
      : { plaintextUntil: wallTime(WALL + untilSeconds * 1_000_000) }),
  };
}

function vxlan(vni: number, address = '02:00:5e:10:00:02'): ClearPeerConfig {
  const carrier = { kind: 'vxlan', vni, mac: mac(address) } as const;
  return { ...udp(`vni ${vni}`, '192.0.2.2:4789'), carrier };
}

/** Writes as a word, the slot, and when it ends. */
function told(writes: readonly TableWrite[]): unknown[] {
  return writes.map((write) => {
    if (write.kind !== 'setEncapsulation') return write.kind;
    const { encapsulation } = write;
    return [encapsulation.kind, write.peer, 'until' in encapsulation && encapsulation.until];
  });
}

test('clear peers: a new one is added with its way, and the same again is no news', () => {
  const { peers } = createScene();
  const configs = [udp('a', '192.0.2.2:8285'), vxlan(7)];
  const change = peers.adopt(configs, START);
  assert.equal(told(change.writes), ['addPeer', ['udp', 0, NEVER], 'addPeer', ['vxlan', 1, NEVER]]);
  assert.equal(peers.adopt(configs, START), { gone: [], writes: [], refused: [] });
  assert.is(peers.deadline(), NEVER);
});

test('clear peers: another address, port or VNI is another peer; a MAC or name is not', () => {
  const { peers } = createScene();
  peers.adopt([vxlan(7)], START);
  const moved = peers.adopt([vxlan(7, '02:00:5e:10:00:03')], START);
  assert.equal([moved.gone, told(moved.writes)], [[], [['vxlan', 0, NEVER]]]);
  const renamed = peers.adopt([{ ...vxlan(7, '02:00:5e:10:00:03'), name: 'new' }], START);
  assert.equal(renamed.writes, []);
  assert.is(peers.snapshot(() => true, START)[0]?.name, 'new');
  const other = peers.adopt([vxlan(8)], START);
  assert.equal([other.gone, told(other.writes)], [[0], ['addPeer', ['vxlan', 1, NEVER]]]);
});

test('clear peers: of two with one way the first stays, and none is left over', () => {
  const slots = new Slots();
  const { peers } = createScene(slots);
  const twice = [udp('a', '192.0.2.2:8285'), udp('b', '192.0.2.2:8285')];
  assert.equal(
    peers.adopt(twice, START).refused.map(({ config, why }) => [config.name, why]),
    [['b', 'duplicate_endpoint']],
  );
  assert.is(slots.claim(START), 1, 'the second took no slot');
});

test('clear peers: without a slot one is left out', () => {
  const slots = new Slots();
  for (let i = 0; i < MAX_PEERS; i++) slots.claim(START);
  const { refused } = createScene(slots).peers.adopt([udp('a', '192.0.2.2:8285')], START);
  assert.is(refused[0]?.why, 'too_many');
});

test('clear peers: an end is told as the instant it comes, and warned of once when it does', () => {
  const { peers, log } = createScene();
  const configs = [udp('a', '192.0.2.2:8285', 60), udp('b', '192.0.2.3:8285', 90)];
  const end = after(START, seconds(60));
  assert.equal(told(peers.adopt(configs, START).writes)[1], ['udp', 0, end]);
  assert.is(peers.deadline(), end);
  peers.advance(after(START, seconds(59)));
  assert.equal(log.lines, []);
  peers.advance(end);
  assert.equal(log.lines, [{ level: 'warn', message: 'plaintext ended', fields: { peer: 'a' } }]);
  assert.is(peers.deadline(), after(START, seconds(90)));
  assert.equal(
    peers.snapshot(() => true, end).map(({ hasEnded }) => hasEnded),
    [true, false],
  );
  peers.adopt(configs, end);
  assert.is(log.lines.length, 1);
});

test('clear peers: an end that is past when it is configured is warned of at once', () => {
  const { peers, log } = createScene();
  const ended = [1, 2, 3].map((i) => udp(`p${i}`, `192.0.2.${i}:8285`, -i * 1e6));
  const { writes } = peers.adopt(ended, START);
  assert.equal(told(writes)[1], ['udp', 0, instant(0)], 'no instant lies before the boot');
  assert.equal(
    log.lines.map(({ fields }) => fields),
    [{ peer: 'p1', others: 2 }],
    'those of one moment in one line',
  );
  assert.is(peers.deadline(), NEVER);
});

test('clear peers: when the wall clock is set, ends move with it, back and forth', () => {
  const { peers, wallClock, log } = createScene();
  peers.adopt([udp('a', '192.0.2.2:8285', 60), udp('b', '192.0.2.3:8285')], START);
  wallClock.set(wallTime(WALL + 50_000_000), START);
  assert.equal(told(peers.clockSet(START)), [['udp', 0, after(START, seconds(10))]]);
  assert.is(peers.deadline(), after(START, seconds(10)));
  wallClock.set(wallTime(WALL + 100_000_000), START);
  peers.clockSet(START);
  assert.is(log.lines.length, 1);
  wallClock.set(wallTime(WALL), START);
  assert.equal(told(peers.clockSet(START)), [['udp', 0, after(START, seconds(60))]]);
  assert.equal(peers.clockSet(START), [], 'nothing changed');
  peers.advance(after(START, seconds(60)));
  assert.is(log.lines.length, 2, 'it ended anew');
});

test('clear peers: an end beyond all instants is never', () => {
  const { peers } = createScene();
  const far = { ...udp('a', '192.0.2.2:8285'), plaintextUntil: wallTime(253_402_300_799_000_000) };
  assert.equal(told(peers.adopt([far], START).writes)[1], ['udp', 0, NEVER]);
});

test('clear peers: a snapshot has the prefixes that each owns, and since when it is there', () => {
  const { peers } = createScene();
  const config = {
    ...udp('a', '192.0.2.2:8285'),
    allowedIps: ['10.0.0.0/8', '10.1.0.0/16'].map(prefix),
  };
  peers.adopt([config], START);
  assert.equal(
    [...peers.prefixes()].map((each) => [each.prefix.text, each.peer]),
    [
      ['10.0.0.0/8', 0],
      ['10.1.0.0/16', 0],
    ],
  );
  const later = after(START, seconds(5));
  const [peer] = peers.snapshot(({ length }) => length === 16, later);
  assert.equal(
    peer?.allowedIps.map(({ text }) => text),
    ['10.1.0.0/16'],
  );
  assert.is(peer?.since, WALL);
});

test.run();
