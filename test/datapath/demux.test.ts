import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadLe32, storeLe32 } from '../../src/base/bytes.js';
import { demultiplex } from '../../src/datapath/demux.js';
import { withSeed } from '../support/seed.js';

const demux = suite('demux');

const HANDSHAKE = { kind: 'handshake', hasMac1: true };
const COOKIE_REPLY = { kind: 'handshake', hasMac1: false };
const DATA = { kind: 'data' };
const LENGTH = { kind: 'drop', reason: 'datagram_length' };
const TYPE = { kind: 'drop', reason: 'datagram_type' };

function datagram(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(4, length));
  storeLe32(bytes, 0, type);
  return bytes.subarray(0, length);
}

/** What a datagram of this type and length is, by the table of the paper. */
function expected(type: number, length: number): unknown {
  if (length < 4) return LENGTH;
  if (type === 1) return length === 148 ? HANDSHAKE : LENGTH;
  if (type === 2) return length === 92 ? HANDSHAKE : LENGTH;
  if (type === 3) return length === 64 ? COOKIE_REPLY : LENGTH;
  if ([4, 0x48, 0x0100_0048].includes(type)) return length >= 32 ? DATA : LENGTH;
  return TYPE;
}

for (const type of [0, 1, 2, 3, 4, 5, 0x47, 0x48, 255, 0x0100_0048, 0x0200_0048]) {
  demux(`demux: type ${type} at every length`, () => {
    for (let length = 0; length <= 1500; length++) {
      assert.equal(demultiplex(datagram(type, length)), expected(type, length), `${length} bytes`);
    }
    assert.equal(demultiplex(datagram(type, 65507)), expected(type, 65507));
  });
}

demux('demux: a known type with a reserved byte set is no known type', () => {
  for (const [type, length] of [
    [1, 148],
    [2, 92],
    [3, 64],
    [4, 32],
    [0x48, 32],
    [0x0100_0048, 32],
  ] as const) {
    for (let bit = 8; bit < 32; bit++) {
      // One of heddle's types is the other with this bit.
      if ((type & 0xff) === 0x48 && bit === 24) continue;
      const word = (type ^ (1 << bit)) >>> 0;
      assert.equal(demultiplex(datagram(word, length)), TYPE, `type ${type} bit ${bit}`);
    }
  }
});

demux('demux: takes the type from the first byte, little-endian', () => {
  const bigEndian = new Uint8Array(148);
  bigEndian[3] = 1;
  assert.equal(demultiplex(bigEndian), TYPE);
});

demux('demux: says something about any bytes', () => {
  withSeed('demux', (random) => {
    for (let i = 0; i < 10_000; i++) {
      const bytes = random.bytes(random.below(200));
      if (bytes.length > 3 && random.below(2) === 0) storeLe32(bytes, 0, random.below(0x50));
      const type = bytes.length > 3 ? loadLe32(bytes, 0) : 0;
      assert.equal(demultiplex(bytes), expected(type, bytes.length));
    }
  });
});

demux.run();
