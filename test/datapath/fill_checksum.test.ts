import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBe16, storeBe16 } from '../../src/base/bytes.js';
import { completeChecksum, fillChecksum } from '../../src/datapath/fill_checksum.js';
import { foldSum, isSumRight, sumBytes, sumPseudoHeader } from '../../src/wire/checksum.js';

const test = suite('datapath/fill_checksum');

const HEADERS = { 4: 20, 6: 40 } as const;
const TCP = { protocol: 6, header: 20, checksum: 16 };
const UDP = { protocol: 17, header: 8, checksum: 6 };

/** A packet whose checksum is the pseudo-header's sum, as CHECKSUM_PARTIAL leaves it. */
function partial(version: 4 | 6, { protocol, header, checksum }: typeof TCP): Uint8Array {
  const at = HEADERS[version];
  const length = header + 5;
  const packet = new Uint8Array(at + length).map((_, i) => i * 7);
  packet[0] = version === 4 ? 0x45 : 0x60;
  if (version === 4) {
    storeBe16(packet, 2, packet.length);
    storeBe16(packet, 6, 0);
    packet[9] = protocol;
  } else {
    storeBe16(packet, 4, length);
    packet[6] = protocol;
  }
  if (protocol === 6) packet[at + 12] = 0x50;
  else storeBe16(packet, at + 4, length);
  storeBe16(packet, at + checksum, foldSum(sumPseudoHeader(packet, 0, { protocol, length })));
  return packet;
}

function isRight(packet: Uint8Array, version: 4 | 6, protocol: number): boolean {
  const at = HEADERS[version];
  const length = packet.length - at;
  return isSumRight(
    sumPseudoHeader(packet, 0, { protocol, length }) + sumBytes(packet, at, length),
  );
}

for (const version of [4, 6] as const) {
  for (const transport of [TCP, UDP]) {
    const name = `protocol ${transport.protocol} in IPv${version}`;
    test(`fill: what is left for the hardware is made whole: ${name}`, () => {
      const packet = partial(version, transport);
      assert.not.ok(isRight(packet, version, transport.protocol));
      fillChecksum(packet);
      assert.ok(isRight(packet, version, transport.protocol));
    });

    test(`fill: what is known to have been left is made, whatever stands there: ${name}`, () => {
      for (const left of [0, 0x1234, 0xffff]) {
        const packet = partial(version, transport);
        storeBe16(packet, HEADERS[version] + transport.checksum, left);
        assert.ok(completeChecksum(packet));
        assert.ok(isRight(packet, version, transport.protocol));
      }
    });

    test(`fill: what is whole, or wrong in another way, stays: ${name}`, () => {
      const at = HEADERS[version] + transport.checksum;
      const packet = partial(version, transport);
      fillChecksum(packet);
      const whole = loadBe16(packet, at);
      fillChecksum(packet);
      assert.is(loadBe16(packet, at), whole);
      storeBe16(packet, at, whole ^ 0x0101);
      fillChecksum(packet);
      assert.is(loadBe16(packet, at), whole ^ 0x0101);
    });
  }
}

test('fill: nothing is made where no TCP or UDP header is found', () => {
  const fragment = partial(4, TCP);
  fragment[6] = 0x20;
  const cut = partial(4, UDP);
  cut[25] = 9; // longer than the packet, by the UDP header
  const other = partial(6, TCP);
  other[6] = 58;
  for (const packet of [fragment, cut, other]) {
    const before = packet.slice();
    assert.not.ok(completeChecksum(packet));
    assert.equal(packet, before);
  }
});

test.run();
