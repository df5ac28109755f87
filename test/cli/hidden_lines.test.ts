import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hideJoinLines, isJoinLine } from '../../src/cli/hidden_lines.js';

const test = suite('cli/hidden_lines');
const LINE = `heddle1${'aeb7qq'.repeat(30)}`;

test('hidden lines: no join line is repeated, and what to do about it is said', () => {
  for (const line of [LINE, LINE.toUpperCase()]) {
    const text = hideJoinLines(`error: unknown option '--join=${line}'\n`);
    assert.not.match(text.toLowerCase(), 'aeb7qq');
    assert.match(text, "unknown option '--join=heddle1...'");
    assert.match(text, 'heddle invitations revoke');
  }
  assert.not.match(hideJoinLines(`${LINE} and ${LINE}`), 'aeb7qq');
});

test('hidden lines: other text is as it was', () => {
  for (const text of ['', "error: unknown command 'x'\n", 'heddle1 is a word', 'heddle1-of-two']) {
    assert.is(hideJoinLines(text), text);
  }
});

test('hidden lines: what begins as a join line is one', () => {
  assert.ok(isJoinLine(LINE));
  assert.ok(isJoinLine(LINE), 'whatever was asked before');
  assert.not.ok(isJoinLine('/etc/line'));
  assert.not.ok(isJoinLine('heddle1.txt'));
});

test.run();
