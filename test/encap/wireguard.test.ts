import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paddedLength, paddingBound } from '../../src/encap/wireguard.js';

const encap = suite('encap wireguard');

const PADDED: readonly [length: number, mtu: number, padded: number, why: string][] = [
  [0, 1420, 0, 'a keepalive stays empty'],
  [1, 1420, 16, 'up to 16'],
  [15, 1420, 16, 'up to 16'],
  [16, 1420, 16, 'a multiple stays'],
  [17, 1420, 32, 'up to the next'],
  [1299, 1300, 1300, 'never past the MTU'],
  [1296, 1300, 1296, 'the last multiple below it'],
  [1297, 1300, 1300, 'a multiple would be past it'],
  [1300, 1300, 1300, 'the MTU itself'],
  [1301, 1300, 1316, 'longer than the MTU: its last MTU counts, here 1 byte'],
  [1400, 600, 1408, 'two MTUs and 200: 200 becomes 208'],
  [1200, 600, 1200, 'two MTUs exactly'],
  [1799, 600, 1800, 'two MTUs and 599: never past the third'],
  [1283, 0, 1296, 'no MTU, no bound'],
  [0, 0, 0, 'nothing, without a bound'],
  [5, 10, 10, 'an MTU below 16'],
];

for (const [length, mtu, padded, why] of PADDED) {
  encap(`padding: ${length} at MTU ${mtu} becomes ${padded}: ${why}`, () => {
    assert.is(paddedLength(length, mtu), padded);
  });
}

encap('padding: adds at most 15 bytes and never passes the MTU, at every length (WG-5)', () => {
  for (const mtu of [1, 16, 576, 1280, 1300, 1420, 1500]) {
    for (let length = 0; length <= mtu; length++) {
      const padded = paddedLength(length, mtu);
      assert.ok(padded >= length && padded - length < 16 && padded <= mtu, `${length} at ${mtu}`);
      assert.ok(padded % 16 === 0 || padded === mtu, `${length} at ${mtu}`);
    }
  }
});

for (const [length, mtu, routeMtu, bound, why] of [
  [1297, 1300, 1299, 1299, 'a smaller route bounds what fits it'],
  [1299, 1300, 1299, 1299, 'to the last byte'],
  [1300, 1300, 1299, 1300, 'what does not fit takes another way'],
  [1297, 1300, 0, 1300, 'there is no route with an MTU'],
  [1297, 1300, 1400, 1300, 'a greater route is no bound'],
  [1297, 0, 1400, 1400, 'without an MTU the route is the bound'],
] as const) {
  encap(`padding: ${length} at MTU ${mtu} and route ${routeMtu} ends at ${bound}: ${why}`, () => {
    assert.is(paddingBound(length, { mtu, routeMtu }), bound);
  });
}

encap.run();
