import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkVirtioNet,
  emitVirtioNet,
  parseVirtioNet,
  VIRTIO_GSO_ECN,
  VIRTIO_GSO_NONE,
  VIRTIO_GSO_TCPV4,
  VIRTIO_GSO_TCPV6,
  VIRTIO_GSO_UDP_L4,
  VIRTIO_NEEDS_CSUM,
  VIRTIO_NET_BYTES,
} from '../../src/wire/virtio_net.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/virtio_net');

const HEADER = {
  flags: VIRTIO_NEEDS_CSUM,
  gsoType: VIRTIO_GSO_TCPV6 | VIRTIO_GSO_ECN,
  headerLength: 0x1122,
  gsoSize: 0x3344,
  checksumStart: 0x5566,
  checksumOffset: 0x7788,
};

test('virtio_net: each field stands where virtio 1.2 §5.1.6 puts it, little-endian', () => {
  const bytes = new Uint8Array(16).fill(0xa5);
  assert.is(emitVirtioNet(bytes, 3, HEADER), VIRTIO_NET_BYTES);
  equalBytes(bytes, hex('a5a5a501842211443366558877a5a5a5'));
  assert.equal(parseVirtioNet(bytes, 3), HEADER);
});

test('virtio_net: the constants are those of linux/virtio_net.h', () => {
  assert.is(VIRTIO_NEEDS_CSUM, 1);
  assert.equal([VIRTIO_GSO_NONE, VIRTIO_GSO_TCPV4, VIRTIO_GSO_TCPV6], [0, 1, 4]);
  assert.equal([VIRTIO_GSO_UDP_L4, VIRTIO_GSO_ECN], [5, 0x80]);
});

test('virtio_net: random headers survive emitting and parsing', () => {
  withSeed('virtio_net', (random) => {
    for (let round = 0; round < 100; round++) {
      const bytes = random.bytes(11);
      const header = parseVirtioNet(bytes, 0);
      const again = new Uint8Array(11).fill(0xa5);
      if (header) emitVirtioNet(again, 0, header);
      equalBytes(again.slice(0, 10), bytes.slice(0, 10), `round ${round}`);
    }
  });
});

test('virtio_net: refuses a header that is cut, or that no packet follows', () => {
  for (let length = 0; length <= 10; length++) {
    assert.not.ok(checkVirtioNet(new Uint8Array(length), 0), `length ${length}`);
    assert.is(parseVirtioNet(new Uint8Array(length), 0), undefined);
  }
  assert.ok(checkVirtioNet(new Uint8Array(11), 0));
  assert.not.ok(checkVirtioNet(new Uint8Array(11), 1));
});

test.run();
