import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitJoinLine, type JoinLine, parseJoinLine } from '../../src/identity/join_line.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { randomLine } from '../support/identity_samples.js';
import { sampleJoinLine } from '../support/sample_join_line.js';
import { withSeed } from '../support/seed.js';

const test = suite('identity/join_line');
const LINE = emitJoinLine(sampleJoinLine());

function parsed(text: string): JoinLine | string {
  const result = parseJoinLine(text);
  return result.kind === 'line' ? result.line : result.message;
}

test('join line: random lines come back as they were', () => {
  withSeed('join line', (random) => {
    for (let i = 0; i < 200; i++) {
      const line = randomLine(random);
      assert.equal(parsed(emitJoinLine(line)), line);
    }
  });
});

test('join line: one word that a shell and a person take whole', () => {
  assert.match(LINE, /^heddle1[a-z2-7]+$/);
  assert.ok(LINE.length < 300, `${LINE.length} characters`);
});

test('join line: breaks, blanks and capitals of a terminal do not matter', () => {
  const broken = (LINE.match(/.{1,40}/g) ?? []).join('\r\n   ');
  assert.equal(parsed(`  ${broken.toUpperCase()}\n`), sampleJoinLine());
});

test('join line: the network follows from its first root key', () => {
  const line = sampleJoinLine({ rootKey: new Uint8Array(32).fill(3) });
  const again = parsed(emitJoinLine(line));
  assert.is(typeof again === 'object' && again.network, nodeIdOf(line.rootKey));
});

test('join line: every fault is told, with what to do, and never with the line', () => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ['', /nothing was given/],
    ['   \n', /nothing was given/],
    ['hello', /begin with heddle1/],
    [LINE.slice(1), /begin with heddle1/],
    [`${LINE}!`, /Character \d+ is none/],
    [LINE.slice(0, -3), /changed or cut/],
    [`${LINE}aaaa`, /changed or cut/],
    [LINE.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')), /changed or cut/],
    [`${LINE.slice(0, 60)}${LINE[60] === 'a' ? 'b' : 'a'}${LINE.slice(61)}`, /changed or cut/],
    ['heddle1', /changed or cut/],
    [`heddle1${'a'.repeat(2_000)}`, /far too long/],
    ['x'.repeat(1_000_000), /far too long/],
  ];
  for (const [text, why] of faults) {
    const fault = parsed(text);
    assert.type(fault, 'string');
    assert.match(String(fault), why);
    assert.ok(String(fault).length < 200 && !String(fault).includes(LINE.slice(8, 40)));
  }
});

test('join line: a character that is changed anywhere is found out', () => {
  for (let at = 7; at < LINE.length; at += 3) {
    const other = LINE[at] === 'a' ? 'b' : 'a';
    assert.type(parsed(`${LINE.slice(0, at)}${other}${LINE.slice(at + 1)}`), 'string', `${at}`);
  }
});

test.run();
