/** The reference walk against the native one, step by step, over random lives of two hosts. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WALK_COUNTERS } from '../../src/datapath/counters.js';
import { DROPS } from '../../src/datapath/drop.js';
import { withSeed } from '../support/seed.js';
import { TwinProgram } from '../support/twin_program.js';

const walk = suite('twin walk');

/** What only the shell around the reference walk counts. */
const NOT_OF_THE_WALK = [
  'packet_to_javascript',
  'send_no_buffer',
  'send_unreachable',
  'send_refused',
  'send_too_big',
  'send_failed',
  'tun_write',
];
const PROGRAMS = Number(process.env.TWIN_PROGRAMS ?? 60);
const STEPS = 400;

walk('twin walk: both hands do the same, whatever happens', () => {
  withSeed('walk', (random) => {
    const counted = new Set<string>();
    for (let program = 0; program < PROGRAMS; program++) {
      const moved = new TwinProgram(random.fork(`program ${program}`)).run(STEPS);
      for (const name of moved) counted.add(name);
    }
    const unmoved = [...WALK_COUNTERS, ...DROPS].filter((name) => !counted.has(name));
    assert.equal(unmoved, NOT_OF_THE_WALK, 'the programs reach every reason to drop');
  });
});

walk.run();
