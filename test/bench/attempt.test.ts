import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attempt } from '../../bench/attempt.js';

const test = suite('attempt');

test('attempt: says what failed and why, and goes on', async () => {
  const said: string[] = [];
  await attempt(
    'the first',
    (sentence) => said.push(sentence),
    async () => undefined,
  );
  await attempt(
    'the second',
    (sentence) => said.push(sentence),
    async () => {
      throw new Error('no reason');
    },
  );
  assert.equal(said, ['the second failed: no reason']);
});

test.run();
