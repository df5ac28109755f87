import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onReloadSignal, onStopSignal } from '../../src/daemon/signals.js';

const test = suite('daemon/signals');

test('signals: the first asks to stop, later ones do not ask again', () => {
  const asked: string[] = [];
  const off = onStopSignal((signal) => asked.push(signal));
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGTERM', 'SIGTERM');
  off();
  assert.equal(asked, ['SIGTERM']);
});

test('signals: a second SIGINT ends the process', () => {
  const exit = process.exit;
  const codes: unknown[] = [];
  Object.assign(process, { exit: (code: unknown) => codes.push(code) });
  const off = onStopSignal(() => {});
  process.emit('SIGINT', 'SIGINT');
  assert.equal(codes, []);
  process.emit('SIGINT', 'SIGINT');
  off();
  Object.assign(process, { exit });
  assert.equal(codes, [130]);
});

test('signals: each SIGHUP reloads, and none stops', () => {
  const happened: string[] = [];
  const offStop = onStopSignal((signal) => happened.push(signal));
  const offReload = onReloadSignal(() => happened.push('reload'));
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  offReload();
  offStop();
  assert.equal(happened, ['reload', 'reload']);
  assert.is(process.listenerCount('SIGHUP'), 0);
});

test('signals: nothing stays behind', () => {
  const before = process.listenerCount('SIGTERM');
  onStopSignal(() => {})();
  assert.is(process.listenerCount('SIGTERM'), before);
});

test.run();
