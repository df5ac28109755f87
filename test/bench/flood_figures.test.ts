import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packetsOf, parseFlood } from '../../bench/flood_figures.js';

const test = suite('flood figures');

test('flood: the last line is the figure', () => {
  assert.is(parseFlood('ready\n{"packets":500,"seconds":0.25}\n'), 2000);
});

for (const text of ['', 'ready\n', '{"packets":1}\n', '{"packets":1,"seconds":0}\n']) {
  test(`flood: refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseFlood(text)));
}

const HEADERS = 28;
const COUNTED: readonly [string, { bytes: number; units: number }, number][] = [
  ['nothing', { bytes: 0, units: 0 }, 0],
  ['packets one by one', { bytes: 3 * (HEADERS + 64), units: 3 }, 3],
  ['a super-packet of sixty', { bytes: HEADERS + 60 * 64, units: 1 }, 60],
  ['both', { bytes: 2 * HEADERS + 61 * 64, units: 2 }, 61],
];

for (const [what, counted, packets] of COUNTED) {
  test(`flood: a device that carried ${what} tells how many`, () => {
    assert.is(packetsOf(counted, HEADERS), packets);
  });
}

test.run();
