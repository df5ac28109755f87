import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LogLevel, openLog } from '../../src/io/log.js';

const test = suite('io/log');

function openTest(format: 'logfmt' | 'json', level: LogLevel = 'info') {
  const lines: string[] = [];
  const clock = { now: 0 };
  const log = openLog({
    level,
    format,
    write: (line) => lines.push(line),
    now: () => clock.now,
    wall: () => Date.UTC(2026, 10, 23, 1, 2, 3, 456),
  });
  return { lines, clock, log };
}

test('json: one object a line with level, time, message and fields', () => {
  const { lines, log } = openTest('json');
  log.warn('peer moved', { name: 'a', port: 5 });
  assert.equal(JSON.parse(lines[0] ?? ''), {
    level: 'warn',
    time: '2026-11-23T01:02:03.456Z',
    msg: 'peer moved',
    name: 'a',
    port: 5,
  });
  assert.match(lines[0] ?? '', /\n$/);
});

test('logfmt: reads as a line', () => {
  const { lines, log } = openTest('logfmt');
  log.info('peer moved', { name: 'a b', port: 5 });
  assert.equal(lines, ['01:02:03.456 info  peer moved name="a b" port=5\n']);
});

test('level: what is below it is not written', () => {
  const { lines, log } = openTest('logfmt', 'warn');
  log.info('a');
  log.debug('b');
  log.error('c');
  assert.is(lines.length, 1);
});

test('flood: one line a second a message, with the count of those held back', () => {
  const { lines, log, clock } = openTest('json');
  for (let i = 0; i < 1_000_000; i++) {
    clock.now = i / 400;
    log.warn('bad datagram', { from: `192.0.2.${i % 256}` });
  }
  assert.is(lines.length, 3);
  assert.is(JSON.parse(lines[1] ?? '').suppressed, 399_999);
});

test('flood: another message is not held back by it, another level neither', () => {
  const { lines, log } = openTest('json');
  log.warn('a');
  log.warn('b');
  log.error('a');
  assert.is(lines.length, 3);
});

test('values: are cut to length and cannot forge a line or move a cursor', () => {
  const { lines, log } = openTest('logfmt');
  log.warn('name', { name: `x\n01:00:00.000 error forged\u001b[2J\u202e${'y'.repeat(1000)}` });
  const line = lines[0] ?? '';
  assert.is(line.indexOf('\n'), line.length - 1);
  assert.not.ok(line.includes('\u001b') || line.includes('\u202e'));
  assert.match(line, '\\\\u{1b}[2J');
  assert.ok(line.length < 400, `${line.length} characters`);
});

test.run();
