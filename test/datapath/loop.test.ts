import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { storeLe32 } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { isOwnDatagram } from '../../src/datapath/loop.js';
import { ipv4, outerPacket } from '../support/inner_packets.js';
import { endpoint } from '../support/parsed.js';
import { createConnectedRig, datagrams, ENDPOINT, keypair, PEER } from '../support/walk_rig.js';

const loop = suite('loop');

const V4 = endpoint('192.0.2.1:51820');
const V6 = endpoint('[2001:db8::1]:51820');
const INDEX = sessionIndex(0x89abcdef);

function dataMessage(receiver = 0x89abcdef, type = 4): Uint8Array {
  const message = new Uint8Array(48);
  storeLe32(message, 0, type);
  storeLe32(message, 4, receiver);
  return message;
}

for (const to of [V4, V6]) {
  const rows: readonly [string, Uint8Array, boolean][] = [
    ['is ours', outerPacket(to, dataMessage()), true],
    ['is ours in a first fragment', outerPacket(to, dataMessage(), { isFragment: true }), true],
    ['is not ours in a later fragment', outerPacket(to, dataMessage(), { offset: 1 }), false],
    ['is not ours for another session', outerPacket(to, dataMessage(1)), false],
    ['is not ours as a handshake', outerPacket(to, dataMessage(0x89abcdef, 2)), false],
    ['is not ours without a header', outerPacket(to, dataMessage().subarray(0, 15)), false],
    ['is not ours at another port', outerPacket({ ...to, port: 1 }, dataMessage()), false],
    ['is not ours at another address', outerPacket(other(to), dataMessage()), false],
  ];
  for (const [rule, packet, expected] of rows) {
    loop(`loop: a datagram to an IPv${to.address.family} endpoint ${rule}`, () => {
      assert.is(isOwnDatagram(packet, to, INDEX), expected);
    });
  }
}

function other(to: typeof V4): typeof V4 {
  return to === V4 ? endpoint('192.0.2.2:51820') : endpoint('[2001:db8::2]:51820');
}

loop('loop: no cut of a packet is read past its end', () => {
  for (const to of [V4, V6]) {
    const packet = outerPacket(to, dataMessage(), { isFragment: to === V6 });
    const header = to === V4 ? 20 : 40;
    for (let length = header; length < packet.length; length++) {
      const isLong = length >= packet.length - 48 + 16;
      assert.is(isOwnDatagram(packet.slice(0, length), to, INDEX), isLong, `${length} bytes`);
    }
  }
});

loop('loop: what was sealed and comes back is dropped once, and the packet itself is not', () => {
  const rig = createConnectedRig();
  const prefix = present(parsePrefix('0.0.0.0/0'), 'a prefix');
  rig.write({ kind: 'insertPrefix', prefix, peer: PEER });
  const [first] = datagrams(rig.packet(ipv4()));
  const sent = present(first, 'a datagram');
  assert.is(datagrams(rig.packet(outerPacket(ENDPOINT, sent))).length, 0);
  assert.equal(rig.drops(), { loop: 1 });
  const elsewhere = endpoint('192.0.2.77:51820');
  assert.is(datagrams(rig.packet(outerPacket(elsewhere, sent))).length, 1);
  rig.use(PEER, keypair(2));
  const another = 'a session of somebody else, or of ours that is over, passes';
  assert.is(datagrams(rig.packet(outerPacket(ENDPOINT, sent))).length, 1, another);
});

loop.run();
