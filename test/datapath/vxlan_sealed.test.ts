/** Sealed messages behind VXLAN headers, both ways, through the reference walk. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import type { Drop } from '../../src/datapath/drop.js';
import type { Encapsulation } from '../../src/encap/encapsulation.js';
import { equalBytes } from '../support/bytes.js';
import { UDP } from '../support/clear_rig.js';
import { ipv4, outerPacket } from '../support/inner_packets.js';
import { hex } from '../support/vectors.js';
import {
  createConnectedRig,
  datagrams,
  ENDPOINT,
  events,
  handshake,
  keypair,
  opened,
  packets,
  PEER,
  sealed,
  type WalkRig,
} from '../support/walk_rig.js';

const test = suite('vxlan-sealed');

const VNI = 51_820;
const HEADER = hex('0800000000ca6c00');
const KEYPAIR = keypair(1);
const FROM_PEER = ipv4({ source: '10.0.0.2', destination: '10.0.0.1' });

/** PEER's messages stand behind VXLAN, and so do ours to it. */
function createSealedRig(): WalkRig {
  const rig = createConnectedRig();
  const encapsulation = { kind: 'vxlan-sealed', vni: VNI } as const;
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation });
  rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: { ...ENDPOINT, vni: VNI } });
  return rig;
}

test('vxlan-sealed: a sealed packet leaves behind the header, from the listen port', () => {
  const rig = createSealedRig();
  const [output] = rig.packet(ipv4({ bytes: 100 }));
  assert.ok(output?.kind === 'datagram');
  equalBytes(output.datagram.slice(0, 8), HEADER);
  const plaintext = opened(KEYPAIR, output.datagram.slice(8));
  equalBytes(plaintext?.slice(0, 100), ipv4({ bytes: 100 }));
  assert.equal([output.via.kind, output.endpoint.vni], ['sealed', VNI]);
  const message = 16 + 112 + 16;
  assert.is(rig.counters().datagram_out_bytes, message + 8);
  assert.is(rig.traffic(PEER).txBytes, message, 'as WireGuard counts');
});

test('vxlan-sealed: keepalives and staged packets stand behind the header, too', () => {
  const rig = createSealedRig();
  const [keepalive] = datagrams(rig.write({ kind: 'sendKeepalive', peer: PEER }));
  equalBytes(keepalive?.slice(0, 8), HEADER);
  assert.is(keepalive?.length, 40);
});

test('vxlan-sealed: takes what stands behind its header, and follows where it comes from', () => {
  const rig = createSealedRig();
  const message = sealed(KEYPAIR, 0n, FROM_PEER);
  const source = { ...ENDPOINT, port: 9, text: '192.0.2.1:9' };
  const out = rig.datagram(concat(HEADER, message), source);
  equalBytes(packets(out)[0], FROM_PEER);
  const roamed = events(out).find(({ kind }) => kind === 'roamed');
  assert.ok(roamed?.kind === 'roamed');
  assert.equal([roamed.endpoint.text, roamed.endpoint.vni], ['192.0.2.1:9', VNI]);
  equalBytes(datagrams(rig.packet(ipv4()))[0]?.slice(0, 8), HEADER);
  assert.is(rig.counters().datagram_in_bytes, message.length + 8);
  assert.is(rig.traffic(PEER).rxBytes, message.length, 'as WireGuard counts');
});

test('vxlan-sealed: the reserved bits of a header are ignored', () => {
  const rig = createSealedRig();
  const out = rig.datagram(concat(hex('08ffffff00ca6cff'), sealed(KEYPAIR, 0n, FROM_PEER)));
  assert.is(packets(out).length, 1);
});

test('vxlan-sealed: a handshake goes up without its header, its source with the VNI', () => {
  const rig = createSealedRig();
  for (const type of [1, 2, 3] as const) {
    const [event] = events(rig.datagram(concat(HEADER, handshake(type))));
    assert.ok(event?.kind === 'handshake');
    equalBytes(event.datagram, handshake(type));
    assert.equal([event.source.text, event.source.vni], [ENDPOINT.text, VNI]);
  }
  assert.equal(rig.drops(), {});
});

const MESSAGE = () => sealed(KEYPAIR, 0n, FROM_PEER);
const FORMS: readonly [why: string, form: Encapsulation, header: string, isIt: boolean][] = [
  ['bare to bare', { kind: 'wireguard' }, '', true],
  ['behind VXLAN to bare', { kind: 'wireguard' }, '0800000000ca6c00', false],
  ['bare to behind VXLAN', { kind: 'vxlan-sealed', vni: VNI }, '', false],
  ['behind its VNI', { kind: 'vxlan-sealed', vni: VNI }, '0800000000ca6c00', true],
  ['behind another VNI', { kind: 'vxlan-sealed', vni: VNI }, '0800000000ca6d00', false],
  ['bare to a clear peer', UDP, '', false],
  ['behind VXLAN to a clear peer', UDP, '0800000000ca6c00', false],
];

for (const [why, encapsulation, header, isIt] of FORMS) {
  test(`vxlan-sealed: a message ${why} is ${isIt ? 'opened' : 'dropped unopened'}`, () => {
    const rig = createConnectedRig();
    rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation });
    const out = rig.datagram(concat(hex(header), MESSAGE()));
    assert.is(packets(out).length, isIt ? 1 : 0);
    assert.equal(rig.drops(PEER), isIt ? {} : { encapsulation: 1 });
    assert.equal(rig.drops(), isIt ? {} : { encapsulation: 1 });
    assert.is(rig.counters().opened, isIt ? 1 : undefined);
  });
}

const REFUSED: readonly [why: string, datagram: Uint8Array, reason: Drop][] = [
  ['a header alone', HEADER, 'datagram_length'],
  ['a header cut short', HEADER.slice(0, 3), 'datagram_length'],
  ['less than an empty message', concat(HEADER, new Uint8Array(31)), 'datagram_length'],
  ['VNI 0', concat(hex('0800000000000000'), handshake(1)), 'datagram_type'],
  ['a header behind a header', concat(HEADER, HEADER, handshake(1)), 'datagram_type'],
  ['another flag', concat(hex('0c00000000ca6c00'), handshake(1)), 'datagram_type'],
  ['a handshake a byte too long', concat(HEADER, handshake(1), hex('00')), 'datagram_length'],
  ['an unknown session', concat(HEADER, sealed(keypair(9), 0n, FROM_PEER)), 'unknown_index'],
];

for (const [why, datagram, reason] of REFUSED) {
  test(`vxlan-sealed: drops ${why} as ${reason}`, () => {
    const rig = createSealedRig();
    assert.equal(rig.datagram(datagram), []);
    assert.equal(rig.drops(), { [reason]: 1 });
  });
}

test('vxlan-sealed: our own datagram that comes back through the TUN is a loop', () => {
  const rig = createSealedRig();
  rig.insert('192.0.2.1/32', PEER);
  const [sent] = datagrams(rig.packet(ipv4()));
  assert.equal(rig.packet(outerPacket(ENDPOINT, sent ?? new Uint8Array(0))), []);
  assert.equal(rig.drops(), { loop: 1 });
});

test.run();
