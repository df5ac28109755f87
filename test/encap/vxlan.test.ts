import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { behindVxlan, encapsulateFrame, fromBehindVxlan } from '../../src/encap/vxlan.js';
import { equalBytes } from '../support/bytes.js';
import { mac } from '../support/parsed.js';
import { hex } from '../support/vectors.js';

const encap = suite('encap vxlan');

const MESSAGE = hex('0400000001020304');

encap('vxlan: a sealed message stands 8 bytes behind its VNI, unchanged', () => {
  const datagram = behindVxlan(MESSAGE, 51_820);
  equalBytes(datagram, concat(hex('0800000000ca6c00'), MESSAGE));
  const { vni, message } = fromBehindVxlan(datagram);
  assert.is(vni, 51_820);
  equalBytes(message, MESSAGE);
});

encap('vxlan: reserved bytes that the sender set do not change the VNI', () => {
  const { vni } = fromBehindVxlan(concat(hex('08ffffff00ca6cff'), MESSAGE));
  assert.is(vni, 51_820);
});

encap('vxlan: a packet stands 22 bytes behind the headers, unpadded', () => {
  const datagram = encapsulateFrame(MESSAGE, {
    vni: 1,
    destination: mac('02:00:5e:10:00:01'),
    source: mac('02:00:5e:10:00:02'),
    ethertype: 0x0800,
  });
  const headers = hex('080000000000010002005e10000102005e1000020800');
  equalBytes(datagram, concat(headers, MESSAGE));
});

encap.run();
