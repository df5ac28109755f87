import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseStyle, PLAIN } from '../../src/cli/style.js';

const test = suite('cli/style');

test('colour: only at a terminal that shows it, for people who want it', () => {
  assert.is(chooseStyle(false, {}), PLAIN);
  assert.is(chooseStyle(true, { NO_COLOR: '1' }), PLAIN);
  assert.is(chooseStyle(true, { TERM: 'dumb' }), PLAIN);
  assert.is(chooseStyle(true, { NO_COLOR: '' }).good('x'), '\u001b[32mx\u001b[39m');
});

test.run();
