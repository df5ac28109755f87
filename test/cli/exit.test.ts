import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError, EXIT } from '../../src/cli/exit.js';

const test = suite('cli/exit');

test('codes: are those that are published', () => {
  const published = {
    ok: 0,
    failed: 1,
    usage: 2,
    notRunning: 3,
    degraded: 4,
    notPermitted: 5,
    tryLater: 75,
  };
  assert.equal(EXIT, published);
  assert.is(new CommandError(EXIT.degraded, 'm').exitCode, 4);
});

test.run();
