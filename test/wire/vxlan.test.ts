import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkVxlan, emitVxlanHeader, parseVxlanHeader, vxlanVni } from '../../src/wire/vxlan.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/vxlan');

const HEADER = hex('0800000012345600');

test('vxlan: flags, VNI and zeros stand where RFC 7348 §5 puts them', () => {
  const bytes = new Uint8Array(12).fill(0xa5);
  assert.is(emitVxlanHeader(bytes, 2, { vni: 0x123456 }), 8);
  equalBytes(bytes, hex('a5a50800000012345600a5a5'));
});

test('vxlan: every VNI survives emitting and parsing, and there are 2^24', () => {
  const bytes = new Uint8Array(8);
  for (const vni of [0, 1, 4096, 0x80_0000, 0xff_ffff]) {
    emitVxlanHeader(bytes, 0, { vni });
    assert.equal(parseVxlanHeader(bytes, 0), { vni });
  }
  for (const vni of [-1, 0x100_0000]) {
    assert.throws(() => emitVxlanHeader(bytes, 0, { vni }), /24 bits/);
  }
});

test('vxlan: a header cut at any length is refused', () => {
  for (let length = 0; length < 8; length++) {
    assert.is(parseVxlanHeader(HEADER.slice(0, length), 0), undefined, `${length} bytes`);
  }
  assert.not(checkVxlan(HEADER, 1));
});

test('vxlan: of all bits only I and the VNI matter', () => {
  for (let bit = 0; bit < 64; bit++) {
    const flipped = flipBit(HEADER, bit);
    const header = parseVxlanHeader(flipped, 0);
    if (bit === 3) assert.is(header, undefined, 'I is clear');
    else if (bit >> 3 >= 4 && bit >> 3 <= 6) assert.is.not(header?.vni, 0x123456, `bit ${bit}`);
    else assert.is(header?.vni, 0x123456, `bit ${bit}`);
  }
  assert.is(vxlanVni(hex('ffffffff123456ff'), 0), 0x123456);
});

test.run();
