/** The fuzzer of gossip messages, from its kept corpus. */

import { suite } from 'uvu';
import { emitGossip, formatGossip, parseGossip } from '../../src/wire/gossip.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import { randomGossip } from '../support/control_samples.js';

const test = suite('fuzz/control_gossip');

const DECODER: Decoder = {
  name: 'control_gossip',
  make: (random) => emitGossip(randomGossip(random)),
  decode: (bytes) => {
    const value = parseGossip(bytes);
    return value && { again: emitGossip(value), text: formatGossip(value) };
  },
};

test('gossip: what was kept comes out as before', () => replay(DECODER));

test('gossip: damaged bytes are refused whole, or taken as they are', () => fuzz(DECODER));

test.run();
