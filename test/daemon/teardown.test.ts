import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import { Teardown } from '../../src/daemon/teardown.js';

const test = suite('daemon/teardown');

test('teardown: runs backwards, once', async () => {
  const undone: string[] = [];
  const teardown = new Teardown(() => SILENT);
  for (const name of ['a', 'b', 'c']) teardown.add(name, () => void undone.push(name));
  assert.is(await teardown.run(), true);
  assert.is(await teardown.run(), true);
  assert.equal(undone, ['c', 'b', 'a']);
});

test('teardown: a step that fails is logged and does not stop the others', async () => {
  const undone: string[] = [];
  const logged: unknown[] = [];
  const log = { ...SILENT, error: (_: string, fields: unknown) => void logged.push(fields) };
  const teardown = new Teardown(() => log);
  teardown.add('first', () => void undone.push('first'));
  teardown.add('second', () => Promise.reject(new Error('stuck')));
  assert.is(await teardown.run(), false);
  assert.equal(undone, ['first']);
  assert.equal(logged, [{ part: 'second', why: 'stuck' }]);
});

test.run();
