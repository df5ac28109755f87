/** The reference walk with heddle peers: sub-keypairs, control messages, partial checksums. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { concat, loadLe32, storeLe32 } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { WalkCounters } from '../../src/datapath/counters.js';
import { Inbound } from '../../src/datapath/inbound.js';
import { CONTROL_QUEUE, type KeypairMaterial, MAX_CONTROL } from '../../src/datapath/tables.js';
import { WalkTables } from '../../src/datapath/walk_tables.js';
import { changed, equalBytes } from '../support/bytes.js';
import { UDP } from '../support/clear_rig.js';
import { ipv4, ipv4Udp, outerPacket, tcp, udp } from '../support/inner_packets.js';
import {
  at,
  createConnectedRig,
  createRig,
  datagrams,
  ENDPOINT,
  keypair,
  laneKeypair,
  news,
  OTHER,
  opened,
  packets,
  PEER,
  sealed,
  START,
  SUITE,
  type WalkRig,
} from '../support/walk_rig.js';

const heddle = suite('heddle walk');

const BASE = keypair(16, { takesControl: true, remoteIndex: sessionIndex(0x120) });
const LANE_0 = laneKeypair(24, {}, { remoteIndex: sessionIndex(0x128) });
const LANE_1 = laneKeypair(25, { lane: 1 }, { remoteIndex: sessionIndex(0x129) });
const FROM_PEER = ipv4({ source: '10.0.0.2', destination: '10.0.0.1' });
const CONTROL = Uint8Array.of(0x10, 1, 2, 3);
const [HEDDLE, PARTIAL] = [0x48, 0x0100_0048];

/** A session that sends by its lane. */
function laneRig(changes: Partial<KeypairMaterial> = {}): WalkRig {
  const rig = createRig();
  for (const material of [BASE, LANE_0, LANE_1]) {
    rig.write({ kind: 'installKeypair', peer: PEER, keypair: { ...material, ...changes } });
  }
  for (const { localIndex } of [BASE, LANE_0, LANE_1]) {
    rig.write({ kind: 'useKeypair', peer: PEER, localIndex });
  }
  return rig;
}

function control(
  rig: WalkRig,
  material: KeypairMaterial,
  counter: bigint,
  message: Uint8Array = CONTROL,
) {
  return rig.datagram(sealed(material, counter, message));
}

/** Which of the keypairs the next packet is sealed with. */
function sender(rig: WalkRig, materials: readonly KeypairMaterial[]): number {
  const [sent] = datagrams(rig.packet(ipv4()));
  return materials.findIndex((material) => sent && opened(material, sent) !== undefined);
}

for (const cipher of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
  heddle(`heddle walk: packets cross under ${cipher}, in messages of heddle's own type`, () => {
    const rig = createRig();
    const material = laneKeypair(24, { suite: cipher });
    rig.use(PEER, material);
    const sent = present(datagrams(rig.packet(ipv4({ bytes: 30 })))[0], 'a datagram');
    assert.is(loadLe32(sent, 0), HEDDLE);
    equalBytes(opened(material, sent), concat(ipv4({ bytes: 30 }), new Uint8Array(2)));
    equalBytes(packets(rig.datagram(sealed(material, 0n, FROM_PEER)))[0], FROM_PEER);
  });
}

heddle('heddle walk: of several lanes the only one there is sends with its own keypair', () => {
  const rig = laneRig();
  assert.is(sender(rig, [BASE, LANE_0, LANE_1]), 1);
  for (const material of [BASE, LANE_0, LANE_1]) {
    equalBytes(packets(rig.datagram(sealed(material, 0n, FROM_PEER)))[0], FROM_PEER);
  }
  rig.write({ kind: 'useKeypair', peer: PEER, localIndex: BASE.localIndex });
  assert.is(sender(rig, [BASE, LANE_0, LANE_1]), 0, 'a keypair without a lane is for all');
});

for (const [material, types] of [
  [BASE, [HEDDLE, PARTIAL]],
  [LANE_0, [4]],
] as const) {
  heddle(`heddle walk: no keypair opens another type than its own: ${material.localIndex}`, () => {
    const rig = laneRig();
    for (const type of types) rig.datagram(sealed(material, 0n, FROM_PEER, type));
    assert.equal(rig.drops(PEER), { datagram_type: types.length });
    assert.is(rig.counters().opened, undefined);
  });
}

heddle('heddle walk: another type is told before what else is wrong, but an outer form', () => {
  const rig = laneRig();
  rig.datagram(sealed(LANE_0, (1n << 64n) - 1n, FROM_PEER, 4));
  rig.now = at(180);
  rig.datagram(sealed(LANE_0, 0n, FROM_PEER, 4));
  assert.equal(rig.drops(PEER), { datagram_type: 2 });
  rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: UDP });
  rig.datagram(sealed(LANE_0, 0n, FROM_PEER, 4));
  assert.equal(rig.drops(PEER), { datagram_type: 2, encapsulation: 1 });
});

heddle('heddle walk: no type becomes another on the way', () => {
  const rig = laneRig();
  const segment = tcp({ family: 4 });
  for (const [from, to] of [
    [HEDDLE, PARTIAL],
    [PARTIAL, HEDDLE],
  ] as const) {
    const message = sealed(LANE_0, 0n, segment, from);
    storeLe32(message, 0, to);
    rig.datagram(message);
  }
  assert.equal(rig.drops(PEER), { tag: 2 });
});

heddle('heddle walk: a control message goes up as it is, and is no packet', () => {
  const rig = laneRig();
  const padded = concat(CONTROL, new Uint8Array(12));
  const out = control(rig, BASE, 0n, padded);
  assert.equal(news(out).at(-1), {
    ...{ kind: 'control', peer: PEER, localIndex: BASE.localIndex, message: padded },
  });
  assert.is(news(control(rig, LANE_0, 0n)).at(-1)?.kind, 'control');
  const { control_in, inner_out, opened: seen, keepalive_in } = rig.counters();
  assert.equal([control_in, seen, inner_out, keepalive_in], [2, 2, undefined, undefined]);
  assert.equal(rig.traffic(PEER), { rxBytes: 48 + 36, rxPackets: 2 });
});

heddle('heddle walk: a control message is heard like a keepalive: it awaits no answer', () => {
  const rig = laneRig();
  rig.write({ kind: 'readActivity', peer: PEER });
  rig.now = at(1);
  assert.not.ok(
    control(rig, BASE, 0n).some((out) => {
      return out.kind === 'event' && out.event.kind === 'activity';
    }),
  );
  const [read] = rig.write({ kind: 'readActivity', peer: PEER });
  assert.ok(read?.kind === 'event' && read.event.kind === 'activity');
  assert.equal(
    [read.event.activity.lastReceived, read.event.activity.unansweredReceive],
    [at(1), 0],
  );
});

heddle('heddle walk: who never said heddle sends no control messages', () => {
  const rig = createConnectedRig();
  assert.equal(
    control(rig, keypair(1), 0n).filter((out) => out.kind === 'packet'),
    [],
  );
  assert.equal(rig.drops(PEER), { opened_protocol: 1 });
});

heddle('heddle walk: control messages are bounded in length and in number', () => {
  const rig = laneRig();
  const longest = new Uint8Array(MAX_CONTROL).fill(0x10);
  assert.is(news(control(rig, BASE, 0n, longest)).at(-1)?.kind, 'control');
  control(rig, BASE, 1n, new Uint8Array(MAX_CONTROL + 1).fill(0x10));
  assert.equal(rig.drops(PEER), { control_length: 1 });
  for (let i = 0; i <= CONTROL_QUEUE; i++) {
    const datagram = sealed(BASE, BigInt(2 + i), CONTROL);
    rig.walk.handle({ kind: 'datagram', datagram, source: ENDPOINT }, rig.now);
  }
  assert.equal(rig.drops(PEER), { control_length: 1, control_overflow: 1 });
  assert.is(rig.taken().length, CONTROL_QUEUE);
  control(rig, BASE, 10_000n);
  assert.is(rig.dropped('control_overflow'), 1, 'what was taken makes room');
});

heddle('heddle walk: a control message that is too long is so, however many wait', () => {
  const rig = laneRig();
  const send = (counter: number, message: Uint8Array) => {
    const datagram = sealed(BASE, BigInt(counter), message);
    rig.walk.handle({ kind: 'datagram', datagram, source: ENDPOINT }, rig.now);
  };
  for (let i = 0; i < CONTROL_QUEUE; i++) send(i, CONTROL);
  send(CONTROL_QUEUE, new Uint8Array(MAX_CONTROL + 1).fill(0x10));
  assert.equal(rig.drops(PEER), { control_length: 1 });
});

heddle('heddle walk: a control message confirms a keypair and promotes none', () => {
  const rig = createConnectedRig();
  const next = { ...BASE, isInitiator: false, createdAt: at(1) };
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  const confirmed = { kind: 'confirmed', peer: PEER, localIndex: next.localIndex };
  assert.equal(news(control(rig, next, 0n))[0], confirmed);
  assert.is(sender(rig, [keypair(1), next]), 0);
  assert.equal(news(rig.datagram(sealed(next, 1n, new Uint8Array(0)))), []);
  assert.is(sender(rig, [keypair(1), next]), 1, 'a keepalive does');
});

heddle('heddle walk: where another lane is confirmed, ours of that session sends', () => {
  const rig = createConnectedRig();
  const [own, beside] = [LANE_0, LANE_1].map((material) => {
    return { ...material, isInitiator: false, createdAt: at(1) };
  });
  assert.ok(own && beside);
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: beside });
  rig.datagram(sealed(beside, 0n, FROM_PEER));
  assert.is(sender(rig, [keypair(1), own, beside]), 0, 'ours is not there yet');
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: own });
  assert.is(sender(rig, [keypair(1), own, beside]), 1);
});

heddle('heddle walk: what we send as control is padded, counted, and no data', () => {
  const rig = laneRig();
  rig.write({ kind: 'readActivity', peer: PEER });
  rig.now = at(1);
  const localIndex = BASE.localIndex;
  const out = rig.write({ kind: 'sendControl', peer: PEER, localIndex, message: CONTROL });
  const [sent, ...others] = datagrams(out);
  assert.is(others.length, 0);
  equalBytes(opened(BASE, present(sent, 'sent')), concat(CONTROL, new Uint8Array(12)));
  assert.equal(news(out), []);
  const { control_out, sealed: count, keepalive_out } = rig.counters();
  assert.equal([control_out, count, keepalive_out], [1, 1, undefined]);
  assert.equal(rig.traffic(PEER), { txBytes: 48, txPackets: 1 });
  const [read] = rig.write({ kind: 'readActivity', peer: PEER });
  assert.ok(read?.kind === 'event' && read.event.kind === 'activity');
  assert.equal([read.event.activity.lastSent, read.event.activity.unansweredSend], [at(1), 0]);
});

heddle('heddle walk: a control message is sent with a keypair that nothing else is', () => {
  const rig = createConnectedRig();
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: BASE });
  const localIndex = BASE.localIndex;
  const out = rig.write({ kind: 'sendControl', peer: PEER, localIndex, message: CONTROL });
  assert.ok(opened(BASE, present(datagrams(out)[0], 'sent')));
});

for (const [why, prepare, peer] of [
  [
    'there is no such keypair',
    (rig) => rig.write({ kind: 'removeKeypair', localIndex: BASE.localIndex }),
    PEER,
  ],
  ['the keypair is of another peer', () => [], OTHER],
  ['the keypair has expired', (rig) => (rig.now = at(180)), PEER],
  [
    'the peer is in the clear',
    (rig) => rig.write({ kind: 'setEncapsulation', peer: PEER, encapsulation: UDP }),
    PEER,
  ],
  [
    'nothing says where the peer is',
    (rig) => {
      rig.write({ kind: 'removePeer', peer: PEER });
      rig.write({ kind: 'addPeer', peer: PEER });
      rig.write({ kind: 'installKeypair', peer: PEER, keypair: BASE });
    },
    PEER,
  ],
  ['there is no such peer', (rig) => rig.write({ kind: 'removePeer', peer: PEER }), PEER],
] as readonly (readonly [string, (rig: WalkRig) => unknown, typeof PEER])[]) {
  heddle(`heddle walk: no control message is sent where ${why}`, () => {
    const rig = laneRig();
    prepare(rig);
    const localIndex = BASE.localIndex;
    assert.equal(rig.write({ kind: 'sendControl', peer, localIndex, message: CONTROL }), []);
    assert.is(rig.counters().control_out, undefined);
  });
}

const SEGMENTS: readonly [name: string, packet: Uint8Array, checksumAt: number][] = [
  ['TCP over IPv4', tcp({ family: 4, payload: 9 }), 36],
  ['TCP over IPv6', tcp({ family: 6, payload: 9 }), 56],
  ['UDP over IPv4', udp({ family: 4, payload: 9 }), 26],
  ['UDP over IPv6', udp({ family: 6, payload: 9 }), 46],
];

for (const [name, whole, checksumAt] of SEGMENTS) {
  heddle(
    `heddle walk: a checksum that the peer left is made, whatever stands there: ${name}`,
    () => {
      const rig = laneRig();
      rig.insert('10.0.0.2/32', PEER);
      for (const [counter, value] of [0, 0x5a].entries()) {
        const left = changed(changed(whole, checksumAt, value), checksumAt + 1, value);
        const padded = concat(left, new Uint8Array(5));
        const out = rig.datagram(sealed(LANE_0, BigInt(counter), padded, PARTIAL));
        equalBytes(packets(out)[0], whole);
      }
      const left = changed(whole, checksumAt, 0xa5);
      equalBytes(packets(rig.datagram(sealed(LANE_0, 9n, left)))[0], left, 'its type promised one');
    },
  );
}

for (const [what, packet] of [
  ['a packet without TCP or UDP', FROM_PEER],
  ["a stranger's packet without TCP or UDP", ipv4({ source: '10.0.0.9' })],
  ['a fragment', tcp({ family: 4, fragment: 0x2000 })],
  ['a control message', CONTROL],
  ['a keepalive', new Uint8Array(0)],
  ['what is no whole packet', tcp({ family: 4 }).slice(0, 30)],
] as const) {
  heddle(`heddle walk: no checksum can have been left in ${what}`, () => {
    const rig = laneRig();
    const out = rig.datagram(sealed(LANE_0, 0n, packet, PARTIAL));
    assert.equal(packets(out), []);
    assert.not.ok(news(out).some(({ kind }) => kind === 'control'));
    assert.equal(rig.drops(PEER), { opened_malformed: 1 });
  });
}

heddle("heddle walk: AES-256-GCM takes no counter from 2^32 on, ChaCha20 WireGuard's", () => {
  const chacha = laneKeypair(25, { suite: 'chacha20-poly1305', lane: 1 });
  const rig = createRig();
  for (const material of [LANE_0, chacha]) {
    rig.write({ kind: 'installKeypair', peer: PEER, keypair: material });
    for (const counter of [(1n << 32n) - 1n, 1n << 32n]) {
      rig.datagram(sealed(material, counter, FROM_PEER));
    }
  }
  assert.equal(rig.drops(PEER), { counter_limit: 1 });
  assert.is(rig.counters().inner_out, 3);
});

heddle('heddle walk: a key of AES-256-GCM that bore 2^36 failed tags opens nothing more', () => {
  const [tables, counters] = [new WalkTables(), new WalkCounters()];
  tables.addPeer(PEER);
  for (const material of [LANE_0, BASE]) tables.installKeypair(PEER, material);
  const half = new Inbound(tables, SUITE, counters, []);
  for (const { localIndex } of [LANE_0, BASE]) {
    present(tables.keypairs.get(localIndex), 'installed').failedTags = 2 ** 36 - 1;
  }
  for (const material of [LANE_0, BASE]) {
    const forged = sealed({ ...material, receiveKey: new Uint8Array(32) }, 0n, FROM_PEER);
    half.datagram(forged, ENDPOINT, undefined, START);
    half.datagram(sealed(material, 1n, new Uint8Array(0)), ENDPOINT, undefined, START);
  }
  const { tag, counter_limit } = counters.read().drops;
  assert.equal([tag, counter_limit], [2n, 1n], 'ChaCha20-Poly1305 bears any number');
});

heddle('heddle walk: a datagram of another lane of the session that comes back is a loop', () => {
  const rig = laneRig();
  rig.insert('0.0.0.0/0', PEER);
  for (const index of [BASE, LANE_0, LANE_1].map(({ remoteIndex }) => remoteIndex)) {
    const message = new Uint8Array(48);
    storeLe32(message, 0, HEDDLE);
    storeLe32(message, 4, index);
    assert.equal(datagrams(rig.packet(outerPacket(ENDPOINT, message))), []);
  }
  assert.equal(rig.drops(PEER), { loop: 3 });
  const usual = ipv4Udp({ source: '10.0.0.1', destination: '192.0.2.1', port: 51820 }, [1, 2]);
  assert.is(datagrams(rig.packet(usual)).length, 1);
});

heddle.run();
