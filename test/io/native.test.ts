import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NATIVE_COUNTERS, WALK_COUNTERS } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';
import { NO_OFFLOADS } from '../../src/node/offloads.js';
import { addonHere } from '../support/twin.js';

const native = suite('native');

native('native: both sides of the border count by the same names in the same order', () => {
  const { counters, drops } = addonHere().layout();
  assert.equal(counters, [...WALK_COUNTERS, ...NATIVE_COUNTERS]);
  assert.equal(drops, DROPS);
});

native('native: names each errno as the system does', () => {
  const addon = addonHere();
  for (const name of ['EPERM', 'ENOBUFS', 'EMSGSIZE', 'EADDRINUSE', 'ENETUNREACH'] as const) {
    assert.is(addon.errnoName(constants.errno[name]), name);
  }
  assert.is(addon.errnoName(4095), 'errno 4095');
});

native('native: says for each suite how it is sealed, and why so', () => {
  const reports = addonHere().aeadBackends();
  assert.equal(
    reports.map(({ suite }) => suite),
    ['chacha20-poly1305', 'aes-256-gcm'],
  );
  for (const { backend, reason, usable } of reports) {
    assert.ok(usable.includes(backend), `${backend} is one of ${usable.join(', ')}`);
    assert.match(reason, /OpenSSL/);
  }
});

native('native: reads a clock that goes on', () => {
  const addon = addonHere();
  const before = addon.bootTime();
  assert.ok(before > 0 && addon.bootTime() >= before);
});

native('native: an engine over channels needs no device, and closes twice', () => {
  const addon = addonHere();
  for (const threads of [true, false]) {
    const options = { tun: '', offloads: NO_OFFLOADS, port: 7, threads, lanes: threads ? 3 : 1 };
    const opened = addon.engineOpen(options, () => {});
    if ('errno' in opened) throw new Error(`${opened.step}: ${opened.errno}`);
    assert.equal([opened.name, opened.port, opened.remarks], ['channel', 7, []]);
    const blocks = addon.engineCounters(opened.engine);
    assert.is(blocks.length, threads ? 7 : 3, 'one a thread');
    addon.engineClose(opened.engine);
    addon.engineClose(opened.engine);
    const words = WALK_COUNTERS.length + NATIVE_COUNTERS.length + DROPS.length;
    for (const block of blocks) assert.is(block.length, words, 'still there to be read');
  }
});

native('native: a name that no interface can have is refused, and says where', () => {
  const opened = addonHere().engineOpen(
    { tun: 'a-name-longer-than-15', offloads: NO_OFFLOADS, port: 0, threads: false, lanes: 1 },
    () => {},
  );
  if (!('errno' in opened)) throw new Error('it was opened');
  assert.is(opened.step, 'tun');
  assert.ok(opened.errno > 0);
});

native.run();
