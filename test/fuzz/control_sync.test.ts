/** The fuzzer of sync messages, from its kept corpus. */

import { suite } from 'uvu';
import { emitSync, formatSync, parseSync } from '../../src/wire/sync.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import { randomSync } from '../support/control_samples.js';

const test = suite('fuzz/control_sync');

const DECODER: Decoder = {
  name: 'control_sync',
  make: (random) => emitSync(randomSync(random)),
  decode: (bytes) => {
    const value = parseSync(bytes);
    return value && { again: emitSync(value), text: formatSync(value) };
  },
};

test('sync: what was kept comes out as before', () => replay(DECODER));

test('sync: damaged bytes are refused whole, or taken as they are', () => fuzz(DECODER));

test.run();
