import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeededRandom } from '../../src/base/random.js';
import { MAX_CONTROL } from '../../src/datapath/tables.js';
import {
  CONTROL_BODY_LIMIT,
  CONTROL_HEADER_BYTES,
  CONTROL_HELLO,
  emitControl,
  formatControl,
  parseControl,
} from '../../src/wire/control.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/control');

const GOLDEN = hex('10010300aabbcc');
const BODY = hex('aabbcc');

test('control: nibble, kind, length and body stand where the format puts them', () => {
  equalBytes(emitControl({ kind: CONTROL_HELLO, body: BODY }), GOLDEN);
  assert.is(formatControl({ kind: CONTROL_HELLO, body: BODY }), 'control hello 3 bytes aabbcc');
  assert.is(formatControl({ kind: 9, body: BODY }), 'control 9 3 bytes aabbcc');
});

test('control: what is behind the body is padding and ignored', () => {
  for (const padding of ['', '00', '0000000000000000', 'ffff']) {
    const parsed = parseControl(hex(`10010300aabbcc${padding}`));
    assert.is(parsed?.kind, CONTROL_HELLO);
    equalBytes(parsed?.body, BODY);
  }
});

test('control: a message cut at any length is refused', () => {
  for (let length = 0; length < GOLDEN.length; length++) {
    assert.is(parseControl(GOLDEN.slice(0, length)), undefined, `${length} bytes`);
  }
});

test('control: of the header each bit matters but the low nibble of the first byte', () => {
  for (let bit = 0; bit < 8 * CONTROL_HEADER_BYTES; bit++) {
    const parsed = parseControl(flipBit(GOLDEN, bit));
    const isSame = parsed?.kind === CONTROL_HELLO && parsed.body.length === BODY.length;
    assert.is(isSame, bit < 4, `bit ${bit}`);
  }
});

test("control: the longest one is as long as the walk's limit, and no body is longer", () => {
  assert.is(CONTROL_HEADER_BYTES + CONTROL_BODY_LIMIT, MAX_CONTROL);
  const longest = emitControl({ kind: 255, body: new Uint8Array(CONTROL_BODY_LIMIT) });
  assert.is(parseControl(longest)?.body.length, CONTROL_BODY_LIMIT);
  const body = new Uint8Array(CONTROL_BODY_LIMIT + 1);
  assert.throws(() => emitControl({ kind: 1, body }), /bounded/);
  assert.throws(() => emitControl({ kind: 256, body: BODY }), /8 bits/);
  const longer = new Uint8Array(4 + body.length);
  longer.set([0x10, 1, body.length & 255, body.length >> 8]);
  assert.is(parseControl(longer), undefined);
});

test('control: random bytes never throw, and what is taken lies within them', () => {
  withSeed('control', (random: SeededRandom) => {
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(40));
      if (bytes.length > 0 && random.below(4) > 0) bytes[0] = 0x10;
      if (bytes.length > 3 && random.below(4) > 0) bytes[3] = 0;
      const parsed = parseControl(bytes);
      if (parsed) assert.ok(CONTROL_HEADER_BYTES + parsed.body.length <= bytes.length);
    }
  });
});

test.run();
