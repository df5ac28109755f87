import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeHop } from '../../src/encap/udp.js';
import { isIpv4ChecksumRight } from '../../src/wire/ipv4.js';
import { changed, equalBytes } from '../support/bytes.js';
import { fold, sum16, tcp, udp } from '../support/inner_packets.js';

const encap = suite('encap udp');

/** With this many hops left, and the checksum that goes with them. */
function withHops(family: 4 | 6, hops: number): Uint8Array {
  const packet = changed(tcp({ family }), family === 4 ? 8 : 7, hops);
  if (family === 6) return packet;
  packet.fill(0, 10, 12);
  const sum = ~fold(sum16(packet.subarray(0, 20))) & 0xffff;
  packet.set([sum >> 8, sum & 0xff], 10);
  return packet;
}

for (const family of [4, 6] as const) {
  encap(`udp: takes one hop from IPv${family}, down to the last, and nothing else`, () => {
    for (let hops = 255; hops > 1; hops--) {
      const packet = withHops(family, hops);
      assert.ok(takeHop(packet), `${hops} left`);
      equalBytes(packet, withHops(family, hops - 1), `${hops} left`);
    }
  });

  for (const hops of [0, 1]) {
    encap(`udp: a packet of IPv${family} with ${hops} left ends here, unchanged`, () => {
      const packet = withHops(family, hops);
      assert.not(takeHop(packet));
      equalBytes(packet, withHops(family, hops));
    });
  }
}

encap(
  'udp: a checksum that was right stays right, whatever else the header holds (RFC 1624)',
  () => {
    for (let identifier = 0; identifier < 0x1_0000; identifier += 7) {
      const packet = udp({ family: 4, identifier });
      takeHop(packet);
      assert.ok(isIpv4ChecksumRight(packet, 0), `identifier ${identifier}`);
    }
  },
);

encap('udp: a checksum that was wrong stays wrong: no error is hidden', () => {
  const packet = changed(udp({ family: 4 }), 10, 0x12);
  takeHop(packet);
  assert.not(isIpv4ChecksumRight(packet, 0));
});

encap.run();
