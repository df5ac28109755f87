import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_MTU } from '../../src/datapath/mtu.js';
import { paddedLength } from '../../src/encap/wireguard.js';
import { FALLBACK_MTU } from '../../src/route/host_plan.js';

const mtu = suite('mtu');

mtu('mtu: the default fills an Ethernet under IPv6, and no more', () => {
  assert.is(DEFAULT_MTU, 1420);
  assert.is(40 + 8 + 16 + paddedLength(DEFAULT_MTU, DEFAULT_MTU) + 16, 1500);
});

mtu('mtu: the walk and the host plan start from the same', () => {
  assert.is(DEFAULT_MTU, FALLBACK_MTU);
});

mtu.run();
