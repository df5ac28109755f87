import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Family } from '../../src/base/address.js';
import { type EncapsulationKind, isClear, overheadOf } from '../../src/encap/encapsulation.js';
import { UDP, VXLAN } from '../support/clear_rig.js';

const encap = suite('encap encapsulation');

const OVERHEADS: readonly [kind: EncapsulationKind, outer: Family, bytes: number, why: string][] = [
  ['wireguard', 4, 80, 'as wg-quick takes off: IPv6 40, UDP 8, header 16, tag 16'],
  ['wireguard', 6, 80, 'the same in both families'],
  ['vxlan-sealed', 4, 88, 'and a VXLAN header of 8'],
  ['vxlan', 4, 50, 'IPv4 20, UDP 8, VXLAN 8, Ethernet 14, as Flannel takes off'],
  ['vxlan', 6, 70, 'IPv6 40 in place of 20'],
  ['udp', 4, 28, 'IPv4 20, UDP 8'],
  ['udp', 6, 48, 'IPv6 40, UDP 8'],
];

for (const [kind, outer, bytes, why] of OVERHEADS) {
  encap(`overhead: ${kind} over IPv${outer} takes ${bytes} bytes: ${why}`, () => {
    assert.is(overheadOf(kind, outer), bytes);
  });
}

encap('encapsulation: VXLAN and bare UDP are clear, the sealed ones are not', () => {
  assert.ok(isClear(VXLAN));
  assert.ok(isClear(UDP));
  assert.not(isClear({ kind: 'wireguard' }));
  assert.not(isClear({ kind: 'vxlan-sealed', vni: 1 }));
});

encap.run();
