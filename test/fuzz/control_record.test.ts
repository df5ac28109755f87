/** The fuzzer of signed records, from its kept corpus. */

import { suite } from 'uvu';
import { emitRecord, formatRecord, parseRecord, recordSignature } from '../../src/wire/record.js';
import { type Decoder, fuzz, replay } from '../support/control_fuzz.js';
import { NETWORK, randomRecord } from '../support/control_samples.js';

const test = suite('fuzz/control_record');

const DECODER: Decoder = {
  name: 'control_record',
  make: (random) => randomRecord(random).bytes,
  decode: (bytes) => {
    const value = parseRecord(bytes);
    if (!value) return undefined;
    const again = emitRecord(value, NETWORK, () => recordSignature(value)).bytes;
    return { again, text: formatRecord(value) };
  },
};

test('record: what was kept comes out as before', () => replay(DECODER));

test('record: damaged bytes are refused whole, or taken as they are', () => fuzz(DECODER));

test.run();
