import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { ClearOutbound } from '../../src/datapath/clear_outbound.js';
import { WalkCounters } from '../../src/datapath/counters.js';
import type { WalkOutput } from '../../src/datapath/walk_output.js';
import { WalkTables } from '../../src/datapath/walk_tables.js';
import { changed, equalBytes } from '../support/bytes.js';
import { createClearRig, OUR_MAC, PEER_MAC, UDP, VXLAN } from '../support/clear_rig.js';
import { vxlanFrame } from '../support/frames.js';
import { ipv4, ipv6, tcp } from '../support/inner_packets.js';
import { isIpv4ChecksumRight } from '../../src/wire/ipv4.js';
import { endpoint } from '../support/parsed.js';
import { at, datagrams, keypair, OTHER, PEER, START } from '../support/walk_rig.js';

const outbound = suite('clear outbound');

for (const [ethertype, packet] of [
  [0x0800, ipv4({ bytes: 77 })],
  [0x86dd, ipv6({ bytes: 77 })],
] as const) {
  outbound(`clear outbound: puts ${packet[0]} into a frame between the VTEPs`, () => {
    const rig = createClearRig();
    const [output, ...others] = rig.packet(packet);
    assert.equal(others, [], 'no event, no staging');
    assert.ok(output?.kind === 'datagram');
    assert.equal([output.peer, output.endpoint, output.via.kind], [PEER, VXLAN.endpoint, 'vxlan']);
    const link = { vni: 4096, destination: PEER_MAC, source: OUR_MAC, ethertype };
    equalBytes(output.datagram, vxlanFrame(link, packet));
    assert.equal(rig.counters(), {
      inner_in: 1,
      inner_in_bytes: 77,
      datagram_out: 1,
      datagram_out_bytes: 99,
      plaintext_out_bytes: 77,
    });
    assert.equal(rig.traffic(PEER), { txBytes: 99, txPackets: 1 });
    assert.equal(rig.drops(), {});
  });
}

outbound('clear outbound: sends a bare packet with one hop less, its checksum right', () => {
  const rig = createClearRig();
  rig.insert('10.0.0.1/32', OTHER);
  const packet = tcp({ family: 4, payload: 100 });
  const [output, ...others] = rig.packet(packet);
  assert.equal(others, []);
  assert.ok(output?.kind === 'datagram');
  assert.equal([output.peer, output.endpoint, output.via], [OTHER, UDP.endpoint, VIA_UDP]);
  assert.is(output.datagram[8], 63);
  assert.ok(isIpv4ChecksumRight(output.datagram, 0));
  equalBytes(output.datagram.slice(12), packet.slice(12));
  assert.is(packet[8], 64, 'the packet was only borrowed');
  assert.equal(rig.counters().plaintext_out_bytes, packet.length);
  assert.equal(rig.traffic(OTHER), { txBytes: packet.length, txPackets: 1 });
});

const VIA_UDP = { kind: 'udp', flow: 0 };

for (const hops of [0, 1]) {
  outbound(`clear outbound: a bare packet with ${hops} hops left ends here`, () => {
    const rig = createClearRig();
    assert.equal(rig.packet(changed(ipv6({ destination: 3 }), 7, hops)), []);
    assert.equal(rig.drops(), { ttl: 1 });
    assert.equal(rig.drops(OTHER), { ttl: 1 });
    assert.equal(rig.traffic(OTHER), {});
    const frame = changed(ipv6({ destination: 2 }), 7, hops);
    assert.is(datagrams(rig.packet(frame)).length, 1, 'a bridge takes no hop');
  });
}

outbound('clear outbound: ends at its instant, and not before', () => {
  const rig = createClearRig(at(10));
  rig.now = at(9);
  assert.is(datagrams(rig.packet(ipv4())).length, 1);
  rig.now = at(10);
  assert.equal(rig.packet(ipv4()), []);
  assert.equal(rig.packet(ipv4({ destination: '10.0.0.3' })), []);
  assert.equal(rig.drops(), { clear_ended: 2 });
  assert.equal([rig.drops(PEER), rig.drops(OTHER)], [{ clear_ended: 1 }, { clear_ended: 1 }]);
});

outbound('clear outbound: a packet longer than the MTU is not made into one that is cut', () => {
  const rig = createClearRig();
  rig.write({ kind: 'setMtu', mtu: 1450 });
  assert.equal(rig.packet(ipv4({ bytes: 1451 })), []);
  assert.equal(rig.drops(), { inner_too_big: 1 });
  assert.is(datagrams(rig.packet(ipv4({ bytes: 1450 })))[0]?.length, 1472);
});

outbound('clear outbound: packets of one flow leave with one hash, and flows have many', () => {
  const rig = createClearRig();
  rig.insert('10.0.0.1/32', PEER);
  const flowOf = (sourcePort: number, payload: number) => {
    const [output] = rig.packet(tcp({ family: 4, sourcePort, payload, sequence: payload }));
    return output?.kind === 'datagram' ? output.via.flow : undefined;
  };
  assert.is(flowOf(40_000, 1), flowOf(40_000, 900));
  const flows = new Set(Array.from({ length: 100 }, (_, i) => flowOf(40_000 + i, 1)));
  assert.ok(flows.size > 90, `${flows.size} of 100`);
  assert.ok([...flows].every((flow) => flow !== undefined && flow >= 0 && flow < 0x1_0000));
});

outbound('clear outbound: says when it sent last, and raises nothing', () => {
  const rig = createClearRig();
  rig.now = at(3);
  rig.packet(ipv4());
  const [read] = rig.write({ kind: 'readActivity', peer: PEER });
  assert.ok(read?.kind === 'event' && read.event.kind === 'activity');
  const { lastSent, lastReceived, unansweredSend } = read.event.activity;
  assert.equal([lastSent, lastReceived, unansweredSend], [at(3), 0, 0]);
});

outbound('clear outbound: seals nothing for a clear peer, whatever keys it had', () => {
  const rig = createClearRig();
  rig.use(PEER, keypair(1));
  assert.equal(rig.write({ kind: 'sendKeepalive', peer: PEER }), []);
  assert.equal(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: true }), []);
  assert.is(datagrams(rig.packet(ipv4()))[0]?.[0], 8, 'in the clear as configured');
});

outbound('clear outbound: a peer that becomes sealed sends nothing more in the clear', () => {
  const rig = createClearRig();
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: { kind: 'wireguard' } });
  const [output] = rig.packet(ipv4());
  assert.ok(output?.kind === 'event' && output.event.kind === 'sessionNeeded');
});

outbound('clear outbound: goes where the peer was moved to', () => {
  const rig = createClearRig();
  const moved = endpoint('192.0.2.9:4789');
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: { ...VXLAN, endpoint: moved } });
  const [output] = rig.packet(ipv4());
  assert.is(output?.kind === 'datagram' && output.endpoint.text, moved.text);
});

outbound('clear outbound: a peer that nothing was said of has no endpoint', () => {
  const [tables, out] = [new WalkTables(), [] as WalkOutput[]];
  tables.addPeer(PEER);
  const peer = present(tables.peers.get(PEER), 'it was added');
  const clear = new ClearOutbound(tables, new WalkCounters(), out);
  assert.is(clear.packet(peer, VXLAN, ipv4(), START), 'no_endpoint');
  assert.equal(out, []);
});

outbound.run();
