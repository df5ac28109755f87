import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onStopSignal } from '../../src/daemon/signals.js';

const test = suite('daemon/signals');

test('signals: the first asks to stop, later ones do not ask again', () => {
  const asked: string[] = [];
  const off = onStopSignal((signal) => asked.push(signal));
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGHUP', 'SIGHUP');
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

test('signals: nothing stays behind', () => {
  const before = process.listenerCount('SIGTERM');
  onStopSignal(() => {})();
  assert.is(process.listenerCount('SIGTERM'), before);
});

test.run();
