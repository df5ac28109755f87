/** The fuzzer of join messages, from its kept corpus. */

import { suite } from 'uvu';
import { emitJoin, formatJoin, parseJoin } from '../../src/wire/join.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import { randomJoin } from '../support/control_samples.js';

const test = suite('fuzz/control_join');

const DECODER: Decoder = {
  name: 'control_join',
  make: (random) => emitJoin(randomJoin(random)),
  decode: (bytes) => {
    const value = parseJoin(bytes);
    return value && { again: emitJoin(value), text: formatJoin(value) };
  },
};

test('join: what was kept comes out as before', () => replay(DECODER));

test('join: damaged bytes are refused whole, or taken as they are', () => fuzz(DECODER));

test.run();
