import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { Statements } from '../../src/identity/statements.js';

const test = suite('identity/statements');
const [ONE, TWO] = [nodeId('0000000000000001'), nodeId('0000000000000002')];

test('statements: of each author the newest, in whatever order they came', () => {
  const said = new Statements<string>();
  said.insert('x', { value: 'new', author: ONE, version: 2 });
  said.insert('x', { value: 'old', author: ONE, version: 1 });
  said.insert('x', { value: 'other', author: TWO, version: 1 });
  assert.equal(
    said
      .about('x')
      .map(({ value }) => value)
      .sort(),
    ['new', 'other'],
  );
  assert.equal(said.about('y'), []);
  assert.is(said.size, 1);
  assert.is(said.find('x', { author: ONE, version: 2 })?.value, 'new');
  assert.is(said.find('x', { author: ONE, version: 1 }), undefined);
});

test('statements: what is removed leaves the others, and the last one the subject', () => {
  const said = new Statements<string>();
  said.insert('x', { value: 'a', author: ONE, version: 1 });
  said.insert('x', { value: 'b', author: TWO, version: 1 });
  said.remove('x', ONE);
  assert.equal(
    said.about('x').map(({ value }) => value),
    ['b'],
  );
  said.remove('x', TWO);
  assert.equal([...said.subjects()], []);
});

test.run();
