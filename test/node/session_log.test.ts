import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { peerSlot } from '../../src/base/identifiers.js';
import { type Log, SILENT } from '../../src/base/log.js';
import { after, seconds, wallTime } from '../../src/base/time.js';
import { SessionLog } from '../../src/node/session_log.js';
import { Session } from '../../src/session/session.js';
import { WallClock } from '../../src/base/wall_clock.js';
import { createParty, START } from '../support/session_scene.js';

const test = suite('node/session_log');

function createScene(isMesh: boolean) {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => lines.push(`${level} ${message}`);
  const log: Log = { ...SILENT, info: at('info'), debug: at('debug') };
  const clock = new WallClock();
  clock.set(wallTime(1_000_000), START);
  const party = createParty('peer');
  const { publicKey } = party.keys;
  const session = new Session(party, { slot: peerSlot(0), publicKey });
  const config = { name: 'beta', publicKey, allowedIps: [] };
  const rest = {
    isMesh,
    hasSession: true,
    otherKey: undefined,
    isStockTold: false,
    latestHandshake: undefined,
  };
  const peer = { slot: peerSlot(0), session, config, ...rest };
  return { lines, peer, log: new SessionLog(clock, log) };
}

test('session log: a first session is news, its successor a detail, one after a gap news', () => {
  const { lines, peer, log } = createScene(false);
  log.established(peer, START);
  log.established(peer, after(START, seconds(120)));
  log.established(peer, after(START, seconds(1_000)));
  assert.equal(lines, [
    'info Session established',
    'debug Session renewed',
    'info Session established',
  ]);
  assert.equal(peer.latestHandshake, { at: after(START, seconds(1_000)), wall: 1_001_000_000 });
});

test('session log: those of a mesh are details', () => {
  const { lines, peer, log } = createScene(true);
  log.established(peer, START);
  log.gaveUp(peer);
  assert.ok(lines.every((line) => line.startsWith('debug')));
});

test('session log: a peer that says no hello is told of once, until it does', () => {
  const { lines, peer, log } = createScene(false);
  for (const isAnswered of [false, false, true, false]) log.hello(peer, isAnswered);
  assert.is(lines.length, 2);
});

test.run();
