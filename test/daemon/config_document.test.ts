/**
 * Places in a YAML text; its faults are tested as the operator reads them, in config_file.test.ts.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigDocument } from '../../src/daemon/config_document.js';

const test = suite('daemon/config_document');

const TEXT = `a: 1
list:
  - x: &anchor {deep: 2}
  - *anchor
none:
`;
const document = new ConfigDocument(new TextEncoder().encode(TEXT));

test('position: of a value', () => {
  assert.equal(document.positionOf(['a']), { line: 1, column: 4 });
  assert.equal(document.positionOf(['list', 0, 'x', 'deep']), { line: 3, column: 23 });
});

test('position: of a key', () => {
  assert.equal(document.positionOfKey(['list']), { line: 2, column: 1 });
  assert.equal(document.positionOfKey(['list', 0, 'x']), { line: 3, column: 5 });
});

test('position: through an alias it is where the value stands', () => {
  assert.equal(document.positionOf(['list', 1, 'deep']), { line: 3, column: 23 });
});

test('position: of what is absent it is what is around it', () => {
  assert.equal(document.positionOf(['list', 0, 'absent', 'more']), { line: 3, column: 5 });
  assert.equal(document.positionOf([]), { line: 1, column: 1 });
});

test('value: is plain', () => {
  assert.equal(document.faults, []);
  const expected = { a: 1, list: [{ x: { deep: 2 } }, { deep: 2 }], none: null };
  assert.equal(document.value, expected);
});

test('value: words that YAML 1.1 took for booleans are text', () => {
  const bytes = new TextEncoder().encode('table: off\nname: yes\n');
  assert.equal(new ConfigDocument(bytes).value, { table: 'off', name: 'yes' });
});

test('limits: any bytes end in a value or a fault, never in an exception', () => {
  const alphabet = 'a:- \n\t"\'[]{}&*!|>%@`#,?0\\~<\ufeff\u0000';
  const seed = Number(process.env.SEED ?? 7);
  let state = seed;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
  for (let i = 0; i < 3_000; i++) {
    const text = Array.from({ length: next(40) }, () => alphabet[next(alphabet.length)]).join('');
    const { faults, value } = new ConfigDocument(new TextEncoder().encode(text));
    const isFine = faults.length > 0 ? value === undefined : value !== undefined;
    assert.ok(isFine, `SEED=${seed} ${JSON.stringify(text)}`);
  }
});

test.run();
