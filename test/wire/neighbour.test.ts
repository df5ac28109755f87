import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import {
  emitAdvertisement,
  parseAdvertisement,
  parseSolicitation,
} from '../../src/wire/neighbour.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { ipv6Hex, neighbour, type NeighbourOptions } from '../support/frames.js';
import { mac } from '../support/parsed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/neighbour');

const ASKER = ipv6Hex(1);
const TARGET = ipv6Hex(9);
const LINK = hex('010102005e100001');
const OPTIONS: NeighbourOptions = { source: ASKER, target: TARGET, options: LINK };
const SOLICITATION = neighbour(OPTIONS);
const ADVERTISEMENT = neighbour({
  type: 136,
  flags: 0x60,
  source: TARGET,
  destination: ASKER,
  target: TARGET,
  options: hex('020102005e100009'),
});

test('neighbour: a solicitation tells who asks for what', () => {
  const parsed = present(parseSolicitation(SOLICITATION, 0), 'it is valid');
  equalBytes(parsed.source, hex(ASKER));
  equalBytes(parsed.target, hex(TARGET));
  const moved = new Uint8Array(SOLICITATION.length + 3);
  moved.set(SOLICITATION, 3);
  assert.equal(parseSolicitation(moved, 3), parsed);
});

test('neighbour: an advertisement is 72 bytes that others read', () => {
  const bytes = new Uint8Array(76).fill(0xa5);
  const parsed = present(parseAdvertisement(ADVERTISEMENT, 0), 'it is valid');
  assert.equal(parsed, {
    source: hex(TARGET),
    destination: hex(ASKER),
    target: hex(TARGET),
    targetMac: mac('02:00:5e:10:00:09'),
    isSolicited: true,
    isOverride: true,
  });
  assert.is(emitAdvertisement(bytes, 2, parsed), 72);
  equalBytes(bytes.slice(2, 74), ADVERTISEMENT);
  assert.equal([bytes[1], bytes[74]], [0xa5, 0xa5]);
});

for (const [flags, isSolicited, isOverride] of [
  [0, false, false],
  [0x40, true, false],
  [0x20, false, true],
] as const) {
  test(`neighbour: flags 0x${flags.toString(16)} are the right ones`, () => {
    const answer = present(parseAdvertisement(ADVERTISEMENT, 0), 'it is valid');
    const bytes = new Uint8Array(72);
    emitAdvertisement(bytes, 0, { ...answer, isSolicited, isOverride });
    assert.is(bytes[44], flags);
    const parsed = parseAdvertisement(bytes, 0);
    assert.equal([parsed?.isSolicited, parsed?.isOverride], [isSolicited, isOverride]);
  });
}

test('neighbour: a packet cut at any length is refused', () => {
  for (let length = 0; length < SOLICITATION.length; length++) {
    assert.is(parseSolicitation(SOLICITATION.slice(0, length), 0), undefined, `${length} bytes`);
    assert.is(parseAdvertisement(ADVERTISEMENT.slice(0, length), 0), undefined, `${length} bytes`);
  }
});

test('neighbour: any bit flipped is refused, but for what nobody has to look at', () => {
  for (let bit = 0; bit < 8 * SOLICITATION.length; bit++) {
    // The traffic class and the flow label stand under no checksum.
    const isFree = bit < 4 || (bit >= 8 && bit < 32);
    const parsed = parseSolicitation(flipBit(SOLICITATION, bit), 0);
    assert.is(parsed !== undefined, isFree, `bit ${bit}`);
  }
});

const INVALID: readonly [why: string, changes: Partial<NeighbourOptions>][] = [
  ['the hop limit is not 255: it was forwarded', { hops: 254 }],
  ['the code is not 0', { code: 1 }],
  ['it answers', { type: 136 }],
  ['it is an echo request', { type: 128 }],
  ['the target is a group', { target: `ff02${TARGET.slice(4)}` }],
  ['an option has no length', { options: hex('010002005e100001') }],
  ['an option ends behind the packet', { options: hex('010202005e100001') }],
  ['an option is cut after its type', { options: hex('010102005e10000101') }],
];

for (const [why, changes] of INVALID) {
  test(`neighbour: refuses a solicitation where ${why} (RFC 4861 §7.1.1)`, () => {
    assert.is(parseSolicitation(neighbour({ ...OPTIONS, ...changes }), 0), undefined);
  });
}

test('neighbour: takes a solicitation without options, or with unknown ones', () => {
  for (const options of ['', '0e01000000000000', `0e02${'00'.repeat(14)}0101${'02'.repeat(6)}`]) {
    assert.ok(parseSolicitation(neighbour({ ...OPTIONS, options: hex(options) }), 0), options);
  }
});

test('neighbour: refuses other next headers, and an advertisement that names no address', () => {
  assert.is(parseSolicitation(changed(SOLICITATION, 6, 0), 0), undefined);
  const nameless = neighbour({ type: 136, source: TARGET, target: TARGET });
  assert.is(parseAdvertisement(nameless, 0), undefined);
});

test.run();
