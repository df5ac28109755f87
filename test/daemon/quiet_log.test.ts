import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { millis, seconds } from '../../src/base/time.js';
import { QuietLog } from '../../src/daemon/quiet_log.js';
import { FakeTimers } from '../support/fake_timers.js';
import { KeptLog } from '../support/kept_log.js';

const test = suite('daemon/quiet_log');

/** Runs `body` with a quiet log, the lines that came out of it, and time that it lets pass. */
function during(body: (quiet: QuietLog, lines: KeptLog['lines'], time: FakeTimers) => void): void {
  const [time, kept] = [new FakeTimers(), new KeptLog()];
  time.during(() => body(new QuietLog(kept, () => time.now()), kept.lines, time));
}

test('quiet: what comes alone is said at once', () => {
  during((quiet, lines, time) => {
    quiet.info('one', { count: 1 });
    assert.equal(lines, [{ level: 'info', message: 'one', fields: { count: 1 } }]);
    time.run(seconds(1));
    quiet.warn('two', {});
    assert.is(lines.length, 2);
  });
});

test('quiet: at most a line a second, numbers added up and words the latest', () => {
  during((quiet, lines, time) => {
    for (let i = 0; i < 1_000; i++) {
      quiet.info('changes', { count: 1, last: `c${i}` });
      time.run(millis(10));
    }
    time.run(seconds(2));
    assert.ok(lines.length >= 10 && lines.length <= 12, `${lines.length} lines in 12 s`);
    const counted = lines.map(({ fields }) => Number(fields.count));
    assert.is(
      counted.reduce((a, b) => a + b),
      1_000,
    );
    assert.is(lines.at(-1)?.fields.last, 'c999');
    assert.equal(time.waiting(), { timers: 0, immediates: 0 });
  });
});

test('quiet: other messages wait for their turn, in order', () => {
  during((quiet, lines, time) => {
    for (const message of ['a', 'b', 'c', 'b']) quiet.info(message, {});
    const said: string[][] = [];
    for (let i = 0; i < 4; i++) {
      said.push(lines.map(({ message }) => message));
      time.run(seconds(1));
    }
    assert.equal(said, [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c']]);
  });
});

test('quiet: a warning in the same words is said once in a minute', () => {
  during((quiet, lines, time) => {
    for (let i = 0; i < 59; i++) {
      quiet.warn('cannot', { why: 'EEXIST' });
      time.run(seconds(1));
    }
    assert.is(lines.length, 1);
    quiet.warn('cannot', { why: 'EPERM' });
    assert.is(lines.length, 2, 'other words are news');
    time.run(seconds(61));
    quiet.warn('cannot', { why: 'EPERM' });
    assert.is(lines.length, 3, 'and so are old ones after a minute');
  });
});

test('quiet: closing says what is kept, and leaves no timer', () => {
  during((quiet, lines, time) => {
    for (const message of ['a', 'b', 'c']) quiet.info(message, {});
    quiet.close();
    assert.equal(
      lines.map(({ message }) => message),
      ['a', 'b', 'c'],
    );
    assert.equal(time.waiting(), { timers: 0, immediates: 0 });
  });
});

test('quiet: more messages than anybody has are cut', () => {
  during((quiet, lines) => {
    for (let i = 0; i < 1_000; i++) quiet.info(`message ${i}`, {});
    quiet.close();
    assert.ok(lines.length < 20);
  });
});

test.run();
