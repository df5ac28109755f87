import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Random } from '../../src/base/random.js';
import {
  checkIpv4,
  emitIpv4Header,
  type Ipv4Header,
  ipv4Checksum,
  ipv4DontFragment,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4MoreFragments,
  isIpv4ChecksumRight,
  parseIpv4Header,
  setIpv4Checksum,
  setIpv4TotalLength,
} from '../../src/wire/ipv4.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/ipv4');

/** 60 bytes from 172.16.10.99 to 172.16.10.12, a header whose checksum is known to be 0xb1e6. */
const KNOWN = hex('4500003c1c4640004006b1e6ac100a63ac100a0c');
const KNOWN_HEADER: Ipv4Header = {
  typeOfService: 0,
  totalLength: 60,
  identifier: 0x1c46,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
  timeToLive: 64,
  protocol: 6,
  source: Uint8Array.of(172, 16, 10, 99),
  destination: Uint8Array.of(172, 16, 10, 12),
  options: new Uint8Array(0),
};

function randomHeader(random: Random): Ipv4Header {
  const options = random.bytes(4 * random.below(11));
  return {
    typeOfService: random.below(256),
    totalLength: 20 + options.length + random.below(50),
    identifier: random.below(0x1_0000),
    dontFragment: random.below(2) === 1,
    moreFragments: random.below(2) === 1,
    fragmentOffset: 8 * random.below(0x2000),
    timeToLive: random.below(256),
    protocol: random.below(256),
    source: random.bytes(4),
    destination: random.bytes(4),
    options,
  };
}

test('ipv4: parses and emits a known header', () => {
  const packet = concat(KNOWN, new Uint8Array(40));
  assert.equal(parseIpv4Header(packet, 0), KNOWN_HEADER);
  const bytes = new Uint8Array(20).fill(0xa5);
  assert.is(emitIpv4Header(bytes, 0, KNOWN_HEADER), 20);
  equalBytes(bytes, KNOWN);
  assert.ok(isIpv4ChecksumRight(KNOWN, 0));
});

test('ipv4: emitting writes every byte of the header and none beside it', () => {
  withSeed('ipv4', (random) => {
    for (let round = 0; round < 300; round++) {
      const header = randomHeader(random);
      const bytes = new Uint8Array(150).fill(0xa5);
      const length = emitIpv4Header(bytes, 7, header);
      assert.is(length, 20 + header.options.length);
      assert.equal(parseIpv4Header(bytes, 7), header, `round ${round}`);
      assert.ok(isIpv4ChecksumRight(bytes, 7), `round ${round}`);
      equalBytes(bytes.slice(0, 7), new Uint8Array(7).fill(0xa5));
      equalBytes(bytes.slice(7 + length), new Uint8Array(143 - length).fill(0xa5));
      const other = new Uint8Array(150).fill(0x5a);
      emitIpv4Header(other, 7, header);
      equalBytes(other.slice(7, 7 + length), bytes.slice(7, 7 + length), `round ${round}`);
    }
  });
});

test('ipv4: a packet cut at any length is not whole', () => {
  const packet = concat(KNOWN, new Uint8Array(40));
  for (let length = 0; length < 60; length++) {
    assert.not.ok(checkIpv4(packet.slice(0, length), 0), `length ${length}`);
    assert.is(parseIpv4Header(packet.slice(0, length), 0), undefined);
  }
  assert.ok(checkIpv4(packet, 0));
  assert.ok(checkIpv4(concat(packet, new Uint8Array(9)), 0), 'padding may follow');
  assert.not.ok(checkIpv4(packet, 1));
  const moved = concat(new Uint8Array(9), packet);
  assert.ok(checkIpv4(moved, 9));
  assert.not.ok(checkIpv4(moved.slice(0, 68), 9));
});

test('ipv4: a header alone is a whole packet', () => {
  const packet = KNOWN.slice();
  setIpv4TotalLength(packet, 0, 20);
  assert.ok(checkIpv4(packet, 0));
});

test('ipv4: with any bit flipped a header is refused, or comes out flipped', () => {
  const whole = concat(KNOWN, new Uint8Array(40));
  for (let bit = 0; bit < 160; bit++) {
    const flipped = flipBit(whole, bit);
    const header = parseIpv4Header(flipped, 0);
    if (!header) continue;
    const bytes = new Uint8Array(60).fill(0xa5);
    const length = emitIpv4Header(bytes, 0, header);
    // The reserved flag is ignored, and the checksum made anew.
    flipped[6] = (flipped[6] ?? 0) & 0x7f;
    setIpv4Checksum(flipped, 0);
    equalBytes(bytes.slice(0, length), flipped.slice(0, length), `bit ${bit}`);
  }
});

const REFUSED: readonly [at: number, value: number, reason: string][] = [
  [0, 0x65, 'version 6'],
  [0, 0x05, 'version 0'],
  [0, 0x44, 'a header shorter than 20 bytes'],
  [0, 0x40, 'a header of no bytes'],
  [3, 19, 'a total shorter than the header'],
  [3, 61, 'a total longer than what is there'],
  [2, 0x80, 'a total far longer than what is there'],
];

for (const [at, value, reason] of REFUSED) {
  test(`ipv4: refuses ${reason}`, () => {
    const packet = concat(KNOWN, new Uint8Array(40));
    packet[at] = value;
    assert.not.ok(checkIpv4(packet, 0));
  });
}

test('ipv4: refuses a header with options that is longer than the packet', () => {
  const packet = KNOWN.slice();
  packet[0] = 0x46;
  packet[3] = 20;
  assert.is(ipv4HeaderLength(packet, 0), 24);
  assert.not.ok(checkIpv4(packet, 0));
});

test('ipv4: the reserved flag is neither don\u2019t fragment nor more fragments', () => {
  const packet = KNOWN.slice();
  packet[6] = 0x80;
  assert.equal([ipv4DontFragment(packet, 0), ipv4MoreFragments(packet, 0)], [false, false]);
  assert.is(ipv4FragmentOffset(packet, 0), 0);
  packet[6] = 0x3f;
  packet[7] = 0xff;
  assert.equal([ipv4DontFragment(packet, 0), ipv4MoreFragments(packet, 0)], [false, true]);
  assert.is(ipv4FragmentOffset(packet, 0), 65_528);
});

test('ipv4: a changed header has a right checksum again once it is set', () => {
  const packet = KNOWN.slice();
  setIpv4TotalLength(packet, 0, 1500);
  assert.not.ok(isIpv4ChecksumRight(packet, 0));
  setIpv4Checksum(packet, 0);
  assert.ok(isIpv4ChecksumRight(packet, 0));
  assert.is(ipv4Checksum(packet, 0), 0xb1e6 - (1500 - 60));
});

test('ipv4: refuses to emit options that are not whole words, or too many', () => {
  const bytes = new Uint8Array(100);
  const emit = (options: Uint8Array) => () =>
    emitIpv4Header(bytes, 0, { ...KNOWN_HEADER, options });
  assert.throws(emit(new Uint8Array(3)), /whole words/);
  assert.throws(emit(new Uint8Array(44)), /40 bytes at most/);
});

test.run();
