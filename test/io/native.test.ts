import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NATIVE_COUNTERS, WALK_COUNTERS } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';
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

native('native: seals with what OpenSSL this process has', () => {
  assert.match(addonHere().aeadBackend(), /^(low-level|evp): /);
});

native('native: reads a clock that goes on', () => {
  const addon = addonHere();
  const before = addon.bootTime();
  assert.ok(before > 0 && addon.bootTime() >= before);
});

native('native: an engine over channels needs no device, and closes twice', () => {
  const addon = addonHere();
  for (const threads of [true, false]) {
    const opened = addon.engineOpen({ tun: '', offload: false, port: 7, threads }, () => {});
    if ('errno' in opened) throw new Error(`${opened.step}: ${opened.errno}`);
    assert.equal([opened.name, opened.port, opened.remarks], ['channel', 7, []]);
    const blocks = addon.engineCounters(opened.engine);
    addon.engineClose(opened.engine);
    addon.engineClose(opened.engine);
    const words = WALK_COUNTERS.length + NATIVE_COUNTERS.length + DROPS.length;
    for (const block of blocks) assert.is(block.length, words, 'still there to be read');
  }
});

native('native: a name that no interface can have is refused, and says where', () => {
  const opened = addonHere().engineOpen(
    { tun: 'a-name-longer-than-15', offload: false, port: 0, threads: false },
    () => {},
  );
  if (!('errno' in opened)) throw new Error('it was opened');
  assert.is(opened.step, 'tun');
  assert.ok(opened.errno > 0);
});

native.run();
