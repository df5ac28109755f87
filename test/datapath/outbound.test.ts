import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { WalkCounters } from '../../src/datapath/counters.js';
import type { Drop } from '../../src/datapath/drop.js';
import { Outbound } from '../../src/datapath/outbound.js';
import { STAGED_PER_PEER } from '../../src/datapath/tables.js';
import type { WalkOutput } from '../../src/datapath/walk_output.js';
import { WalkTables } from '../../src/datapath/walk_tables.js';
import { REJECT_AFTER_MESSAGES, REKEY_AFTER_MESSAGES } from '../../src/session/constants.js';
import { changed, equalBytes } from '../support/bytes.js';
import { ipv4, ipv6 } from '../support/inner_packets.js';
import {
  at,
  createConnectedRig,
  createRig,
  datagrams,
  ENDPOINT,
  events,
  keypair,
  laneKeypair,
  news,
  opened,
  OTHER,
  PEER,
  START,
  SUITE,
} from '../support/walk_rig.js';

const outbound = suite('outbound');

const STAGED = { kind: 'sessionNeeded', peer: PEER, reason: 'staged' };
const REKEY = { kind: 'sessionNeeded', peer: PEER, reason: 'rekey' };

const REFUSED: readonly [why: string, packet: Uint8Array, reason: Drop][] = [
  ['nothing at all', new Uint8Array(0), 'inner_malformed'],
  ['one byte', Uint8Array.of(0x45), 'inner_malformed'],
  ['a version that is neither 4 nor 6', changed(ipv4(), 0, 0x55), 'inner_malformed'],
  ['version 0', new Uint8Array(40), 'inner_malformed'],
  ['IPv4 header cut short', ipv4().slice(0, 19), 'inner_malformed'],
  ['IPv4 header length of 4 words', changed(ipv4(), 0, 0x44), 'inner_malformed'],
  ['IPv4 header longer than the packet', changed(ipv4(), 0, 0x4f), 'inner_malformed'],
  ['IPv4 total length above what there is', changed(ipv4(), 3, 29), 'inner_malformed'],
  ['IPv4 total length below what there is', changed(ipv4(), 3, 27), 'inner_malformed'],
  ['IPv4 total length below its header', changed(ipv4(), 3, 19), 'inner_malformed'],
  ['IPv4 total length 0', changed(ipv4(), 3, 0), 'inner_malformed'],
  ['IPv6 header cut short', ipv6().slice(0, 39), 'inner_malformed'],
  ['IPv6 payload length above what there is', changed(ipv6(), 5, 9), 'inner_malformed'],
  ['IPv6 payload length below what there is', changed(ipv6(), 5, 7), 'inner_malformed'],
  ['one byte more than the MTU', ipv4({ bytes: 1421 }), 'inner_too_big'],
  ['an IPv4 destination nobody owns', ipv4({ destination: '10.0.0.9' }), 'no_route'],
  ['an IPv6 destination nobody owns', ipv6({ destination: 9 }), 'no_route'],
];

for (const [why, packet, reason] of REFUSED) {
  outbound(`outbound: drops ${why} as ${reason}`, () => {
    const rig = createConnectedRig();
    const isTold = reason === 'no_route';
    assert.is(rig.packet(packet).length, isTold ? 1 : 0);
    assert.equal(rig.drops(), { [reason]: 1 });
    assert.equal(rig.counters(), {
      inner_in: 1,
      ...(packet.length > 0 ? { inner_in_bytes: packet.length } : {}),
      ...(isTold ? { refusals: 1 } : {}),
    });
  });
}

outbound('outbound: drops for a peer without endpoint, and asks for nothing', () => {
  const rig = createRig();
  rig.write({ kind: 'removePeer', peer: PEER });
  rig.write({ kind: 'addPeer', peer: PEER });
  rig.insert('10.0.0.2/32', PEER);
  rig.use(PEER, keypair(1));
  const out = rig.packet(ipv4());
  assert.equal([datagrams(out), events(out)], [[], []]);
  assert.equal(rig.drops(), { no_endpoint: 1 });
});

for (const [family, packet] of [
  ['IPv4', ipv4()],
  ['IPv6', ipv6()],
] as const) {
  outbound(`outbound: seals an ${family} packet, padded with zeros, for the peer`, () => {
    const rig = createConnectedRig();
    const out = rig.packet(packet);
    const sent = out.find((output) => output.kind === 'datagram');
    assert.ok(sent);
    assert.equal([sent.peer, sent.endpoint], [PEER, ENDPOINT]);
    const header = new DataView(sent.datagram.buffer);
    assert.is(header.getUint32(0, true), 4);
    assert.is(header.getUint32(4, true), keypair(1).remoteIndex);
    assert.is(header.getBigUint64(8, true), 0n);
    const plaintext = present(opened(keypair(1), sent.datagram), 'it opens');
    const expected = new Uint8Array(Math.ceil(packet.length / 16) * 16);
    expected.set(packet);
    equalBytes(plaintext, expected);
  });
}

outbound('outbound: takes the next counter for each message', () => {
  const rig = createConnectedRig();
  for (let counter = 0n; counter < 3n; counter++) {
    const [sent] = datagrams(rig.packet(ipv4()));
    assert.is(new DataView(present(sent, 'sent').buffer).getBigUint64(8, true), counter);
  }
});

outbound('outbound: counts a message whole, header and tag with it', () => {
  const rig = createConnectedRig();
  rig.packet(ipv4({ bytes: 100 }));
  assert.equal(rig.counters(), {
    inner_in: 1,
    inner_in_bytes: 100,
    sealed: 1,
    datagram_out: 1,
    datagram_out_bytes: 32 + 112,
  });
  assert.equal(rig.traffic(PEER), { txBytes: 144, txPackets: 1 });
});

outbound('outbound: pads up to the MTU and never past it (WG-5)', () => {
  const rig = createConnectedRig();
  rig.write({ kind: 'setMtu', mtu: 1300 });
  for (const [bytes, padded] of [
    [1280, 1280],
    [1281, 1296],
    [1296, 1296],
    [1297, 1300],
    [1299, 1300],
    [1300, 1300],
  ] as const) {
    const [sent] = datagrams(rig.packet(ipv4({ bytes })));
    assert.is(present(sent, 'sent').length, 32 + padded, `${bytes} bytes`);
  }
});

outbound('outbound: pads what fits a smaller route no further than that (WG-5)', () => {
  const rig = createConnectedRig();
  rig.write({ kind: 'setMtu', mtu: 1420 });
  rig.write({ kind: 'setRouteMtu', mtu: 1299 });
  for (const [bytes, padded] of [
    [1280, 1280],
    [1281, 1296],
    [1297, 1299],
    [1299, 1299],
    [1300, 1312],
    [1420, 1420],
  ] as const) {
    const [sent] = datagrams(rig.packet(ipv4({ bytes })));
    assert.is(present(sent, 'sent').length, 32 + padded, `${bytes} bytes`);
  }
});

outbound('outbound: pads a packet staged before the MTU shrank as its last MTU', () => {
  const rig = createRig();
  rig.packet(ipv4({ bytes: 1400 }));
  rig.write({ kind: 'setMtu', mtu: 600 });
  rig.use(PEER, keypair(1));
  const [sent] = datagrams(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: false }));
  assert.is(present(sent, 'sent').length, 32 + 1200 + 208);
});

outbound('outbound: stages without a session, and asks for one once', () => {
  const rig = createRig();
  assert.equal(rig.packet(ipv4()), [{ kind: 'event', event: STAGED }]);
  assert.equal(rig.packet(ipv4()), []);
  assert.equal(rig.counters(), { inner_in: 2, inner_in_bytes: 56, staged: 2 });
  assert.equal(rig.drops(), {});
});

outbound('outbound: asks for a session again after a keypair came and went', () => {
  const rig = createRig();
  rig.packet(ipv4());
  rig.use(PEER, keypair(1));
  rig.write({ kind: 'removeKeypair', localIndex: keypair(1).localIndex });
  assert.equal(events(rig.packet(ipv4())), [STAGED]);
});

outbound('outbound: asks for a session again after what was staged was given up', () => {
  const rig = createRig();
  rig.packet(ipv4());
  assert.equal(rig.write({ kind: 'dropStaged', peer: PEER }), []);
  assert.equal(rig.drops(), { staged_expired: 1 });
  assert.equal(events(rig.packet(ipv4())), [STAGED]);
});

outbound('outbound: does not send with a keypair that is only installed', () => {
  const rig = createRig();
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: keypair(1) });
  assert.equal(datagrams(rig.packet(ipv4())), []);
  assert.is(rig.counters().staged, 1);
});

outbound('outbound: seals until Reject-After-Time and stages from then on', () => {
  const rig = createConnectedRig({ isInitiator: false });
  rig.now = at(179.999999);
  assert.is(datagrams(rig.packet(ipv4())).length, 1);
  rig.now = at(180);
  const out = rig.packet(ipv4());
  assert.is(datagrams(out).length, 0);
  assert.equal(events(out), [STAGED]);
});

outbound('outbound: counts what it drops for a peer with the peer, too', () => {
  const rig = createRig();
  for (let i = 0; i < STAGED_PER_PEER + 2; i++) rig.packet(ipv4());
  rig.write({ kind: 'dropStaged', peer: PEER });
  rig.packet(ipv4({ destination: '10.0.0.9' }));
  assert.equal(rig.drops(PEER), { staged_overflow: 2, staged_expired: STAGED_PER_PEER });
  assert.equal(rig.drops(OTHER), {});
  assert.is(rig.dropped('no_route'), 1);
});

outbound('outbound: keeps the newest staged packets, each peer apart', () => {
  const rig = createRig();
  const count = STAGED_PER_PEER + 3;
  for (let i = 0; i < count; i++) rig.packet(ipv4({ bytes: 100 + i }));
  rig.packet(ipv4({ destination: '10.0.0.3' }));
  assert.equal(rig.drops(), { staged_overflow: 3 });
  rig.use(PEER, keypair(1));
  const sent = datagrams(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: true }));
  const lengths = sent.map((message) => {
    const plaintext = present(opened(keypair(1), message), 'it opens');
    return ((plaintext[2] ?? 0) << 8) | (plaintext[3] ?? 0);
  });
  assert.equal(
    lengths,
    Array.from({ length: STAGED_PER_PEER }, (_, i) => 103 + i),
  );
});

outbound('outbound: stages a copy, for the packet is only lent', () => {
  const rig = createRig();
  const packet = ipv4();
  rig.packet(packet);
  packet.fill(0xa5);
  rig.use(PEER, keypair(1));
  const [sent] = datagrams(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: false }));
  const plaintext = present(opened(keypair(1), present(sent, 'sent')), 'it opens');
  equalBytes(plaintext.subarray(0, 28), ipv4());
});

outbound('outbound: flushes a keepalive where nothing is staged and one is wanted', () => {
  const rig = createConnectedRig();
  const flush = (orKeepalive: boolean) =>
    datagrams(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive }));
  assert.equal(flush(false), []);
  const [sent] = flush(true);
  assert.is(present(sent, 'sent').length, 32);
  assert.is(present(opened(keypair(1), present(sent, 'sent')), 'it opens').length, 0);
  assert.is(rig.counters().keepalive_out, 1);
  assert.is(rig.counters().sealed, 1);
});

outbound('outbound: leaves staged packets where they are when a flush finds no session', () => {
  const rig = createRig();
  rig.packet(ipv4());
  assert.equal(rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: true }), []);
  rig.use(PEER, keypair(1));
  const out = rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: true });
  assert.is(datagrams(out).length, 1);
  assert.is(rig.counters().keepalive_out, undefined);
});

outbound('outbound: sends a keepalive only where there is a session', () => {
  const rig = createRig();
  assert.equal(rig.write({ kind: 'sendKeepalive', peer: PEER }), []);
  rig.use(PEER, keypair(1));
  assert.is(datagrams(rig.write({ kind: 'sendKeepalive', peer: PEER })).length, 1);
  rig.now = at(180);
  assert.equal(rig.write({ kind: 'sendKeepalive', peer: PEER }), []);
  assert.equal(rig.drops(), {});
});

outbound('outbound: an initiator asks for a successor once its keypair is 120 s old', () => {
  const rig = createConnectedRig();
  rig.now = at(119.999999);
  assert.equal(news(rig.packet(ipv4())), []);
  rig.now = at(120);
  assert.equal(news(rig.packet(ipv4())), [REKEY]);
  assert.equal(news(rig.packet(ipv4())), []);
  rig.use(PEER, keypair(2, { createdAt: at(0) }));
  assert.equal(news(rig.packet(ipv4())), [REKEY], 'once for each keypair');
});

outbound('outbound: a responder never asks for a successor because of age', () => {
  const rig = createConnectedRig({ isInitiator: false });
  rig.now = at(179);
  assert.equal(news(rig.packet(ipv4())), []);
});

outbound('outbound: a keepalive asks for a successor like any other message', () => {
  const rig = createConnectedRig();
  rig.now = at(120);
  assert.equal(news(rig.write({ kind: 'sendKeepalive', peer: PEER })), [REKEY]);
});

/** An outbound half with a session whose next counter is `counter`. */
function atCounter(counter: bigint, isInitiator = true, material = keypair(1, { isInitiator })) {
  const tables = new WalkTables();
  const out: WalkOutput[] = [];
  const counters = new WalkCounters();
  tables.addPeer(PEER);
  tables.insertPrefix({ address: ENDPOINT.address, length: 0, text: '0.0.0.0/0' }, PEER);
  tables.endpoints.set(PEER, ENDPOINT);
  tables.installKeypair(PEER, material);
  tables.useKeypair(PEER, keypair(1).localIndex);
  const sending = present(tables.keypairs.get(keypair(1).localIndex), 'installed');
  sending.sendCounter = counter;
  return { half: new Outbound(tables, SUITE, counters, out), out, counters, sending };
}

for (const isInitiator of [true, false]) {
  outbound(`outbound: asks for a successor at 2^60 messages, initiator ${isInitiator}`, () => {
    const { half, out } = atCounter(REKEY_AFTER_MESSAGES - 2n, isInitiator);
    half.packet(ipv4(), START);
    assert.equal(news(out), [], 'message 2^60 - 1 leaves the counter below');
    half.packet(ipv4(), START);
    assert.equal(news(out), [REKEY]);
  });
}

outbound('outbound: of AES-256-GCM asks for a successor at 2^30 messages, ends at 2^32', () => {
  const asking = atCounter((1n << 30n) - 2n, false, laneKeypair(1));
  asking.half.packet(ipv4(), START);
  assert.equal(news(asking.out), []);
  asking.half.packet(ipv4(), START);
  assert.equal(news(asking.out), [REKEY]);
  const ending = atCounter((1n << 32n) - 1n, true, laneKeypair(1));
  ending.half.packet(ipv4(), START);
  ending.half.packet(ipv4(), START);
  assert.is(datagrams(ending.out).length, 1);
  assert.equal(news(ending.out), [REKEY, STAGED]);
});

outbound('outbound: never uses a counter at Reject-After-Messages', () => {
  const { half, out } = atCounter(REJECT_AFTER_MESSAGES - 1n);
  half.packet(ipv4(), START);
  assert.is(datagrams(out).length, 1);
  half.packet(ipv4(), START);
  half.sendKeepalive(PEER, START);
  half.sendControl(PEER, keypair(1).localIndex, Uint8Array.of(0x10), START);
  half.flushStaged(PEER, true, START);
  assert.is(datagrams(out).length, 1);
  assert.equal(news(out), [REKEY, STAGED]);
});

outbound('outbound: stages again what is left when counters end in the middle of a flush', () => {
  const { half, out, counters, sending } = atCounter(REJECT_AFTER_MESSAGES);
  for (let i = 0; i < 3; i++) half.packet(ipv4(), START);
  sending.sendCounter = REJECT_AFTER_MESSAGES - 1n;
  half.flushStaged(PEER, true, START);
  assert.is(datagrams(out).length, 1);
  assert.is(counters.read().walk.staged, 3n + 2n);
  sending.sendCounter = 0n;
  half.flushStaged(PEER, true, START);
  assert.is(datagrams(out).length, 3);
  assert.is(counters.read().walk.keepalive_out, 0n);
});

outbound('outbound: notes when data went unanswered, and raises activity once until read', () => {
  const rig = createConnectedRig();
  rig.now = at(1);
  const first = { lastSent: at(1), lastReceived: 0, unansweredSend: at(1), unansweredReceive: 0 };
  assert.equal(events(rig.packet(ipv4())), [{ kind: 'activity', peer: PEER, activity: first }]);
  rig.now = at(2);
  assert.equal(events(rig.packet(ipv4())), []);
  const second = { ...first, lastSent: at(2) };
  assert.equal(events(rig.write({ kind: 'readActivity', peer: PEER })), [
    { kind: 'activity', peer: PEER, activity: second },
  ]);
  rig.now = at(3);
  assert.equal(events(rig.packet(ipv4())), [
    { kind: 'activity', peer: PEER, activity: { ...first, lastSent: at(3) } },
  ]);
});

outbound('outbound: a keepalive is no data that awaits an answer', () => {
  const rig = createConnectedRig();
  rig.now = at(1);
  assert.equal(events(rig.write({ kind: 'sendKeepalive', peer: PEER })), []);
  const [event] = events(rig.write({ kind: 'readActivity', peer: PEER }));
  const activity = {
    lastSent: at(1),
    lastReceived: 0,
    unansweredSend: 0,
    unansweredReceive: 0,
  };
  assert.equal(event, { kind: 'activity', peer: PEER, activity });
});

outbound.run();
