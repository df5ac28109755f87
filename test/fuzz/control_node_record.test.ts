/** The fuzzer of the bodies of node records, from its kept corpus. */

import { suite } from 'uvu';
import { emitNodeRecord, formatNodeRecord, parseNodeRecord } from '../../src/wire/node_record.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import { randomStatement } from '../support/control_samples.js';

const test = suite('fuzz/control_node_record');

const DECODER: Decoder = {
  name: 'control_node_record',
  make: (random) => emitNodeRecord(randomStatement(random)),
  decode: (bytes) => {
    const value = parseNodeRecord(bytes);
    return value && { again: emitNodeRecord(value), text: formatNodeRecord(value) };
  },
};

test('node record: what was kept comes out as before', () => replay(DECODER));

test('node record: damaged bytes are refused whole, or taken as they are', () => fuzz(DECODER));

test.run();
