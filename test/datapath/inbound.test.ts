import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import type { Drop } from '../../src/datapath/drop.js';
import { HANDSHAKE_QUEUE } from '../../src/datapath/tables.js';
import { changed, equalBytes } from '../support/bytes.js';
import { ipv4, ipv6 } from '../support/inner_packets.js';
import { endpoint } from '../support/parsed.js';
import {
  at,
  createConnectedRig,
  createRig,
  datagrams,
  ENDPOINT,
  events,
  handshake,
  keypair,
  MAC1_KEY,
  news,
  opened,
  OTHER,
  OTHER_ENDPOINT,
  OTHER_MAC1_KEY,
  packets,
  PEER,
  sealed,
  WalkRig,
} from '../support/walk_rig.js';

const inbound = suite('inbound');

const KEYPAIR = keypair(1);
const CONFIRMED = { kind: 'confirmed', peer: PEER, localIndex: KEYPAIR.localIndex };
const REKEY = { kind: 'sessionNeeded', peer: PEER, reason: 'rekey' };
/** A packet from PEER: 10.0.0.2 to us. */
const FROM_PEER = ipv4({ source: '10.0.0.2', destination: '10.0.0.1' });

for (const type of [1, 2, 3] as const) {
  inbound(`inbound: hands a message of type ${type} up, with its source`, () => {
    const rig = createRig();
    const message = handshake(type);
    const [event, ...others] = events(rig.datagram(message, OTHER_ENDPOINT));
    assert.equal(others, []);
    assert.ok(event?.kind === 'handshake');
    equalBytes(event.datagram, message);
    assert.equal([event.source, event.queued], [OTHER_ENDPOINT, 0]);
    assert.equal(rig.drops(), {});
    assert.equal(rig.counters(), {
      datagram_in: 1,
      datagram_in_bytes: message.length,
      handshake_up: 1,
    });
  });
}

inbound('inbound: hands up a copy, for the datagram is only lent', () => {
  const rig = createRig();
  const message = handshake(1);
  rig.walk.handle({ kind: 'datagram', datagram: message, source: ENDPOINT }, rig.now);
  message.fill(0xa5);
  const [event] = events(rig.taken());
  assert.ok(event?.kind === 'handshake');
  equalBytes(event.datagram, handshake(1));
});

inbound('inbound: refuses a handshake message with any bit of it changed by its mac1', () => {
  const rig = createRig();
  for (const type of [1, 2] as const) {
    const message = handshake(type);
    const covered = message.length - 16;
    for (let bit = 32; bit < covered * 8; bit++) {
      const flipped = changed(message, bit >> 3, (message[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      assert.equal(rig.datagram(flipped), [], `type ${type} bit ${bit}`);
    }
  }
  assert.equal(rig.drops(), { mac1: (148 - 16 - 4 + 92 - 16 - 4) * 8 });
});

inbound('inbound: takes handshakes to either of our keys while there are two', () => {
  const rig = createRig();
  const [first, other] = [handshake(1), handshake(1, OTHER_MAC1_KEY)];
  assert.equal(rig.datagram(other), [], 'there is one');
  rig.write({ kind: 'setMac1Key', key: MAC1_KEY, other: OTHER_MAC1_KEY });
  for (const message of [first, other]) assert.is(events(rig.datagram(message)).length, 1);
  rig.write({ kind: 'setMac1Key', key: OTHER_MAC1_KEY });
  assert.equal(rig.datagram(first), [], 'the first is gone');
  assert.is(events(rig.datagram(other)).length, 1);
  assert.equal(rig.drops(), { mac1: 2 });
});

inbound('inbound: does not ask mac1 about mac2 and cookie replies', () => {
  const rig = createRig();
  const message = handshake(1);
  assert.is(events(rig.datagram(changed(message, 147, 1))).length, 1);
  assert.is(events(rig.datagram(changed(handshake(3), 63, 1))).length, 1);
});

inbound('inbound: refuses every handshake that needs mac1 before its key is known', () => {
  const blank = new WalkRig();
  assert.equal(blank.datagram(handshake(1)), []);
  assert.equal(blank.datagram(handshake(2)), []);
  assert.equal(blank.drops(), { mac1: 2 });
});

inbound('inbound: bounds the handshakes that wait and tells how many stand behind', () => {
  const rig = createRig();
  for (let i = 0; i < HANDSHAKE_QUEUE + 5; i++) {
    rig.walk.handle({ kind: 'datagram', datagram: handshake(3), source: ENDPOINT }, rig.now);
  }
  assert.equal(rig.drops(), { handshake_overflow: 5 });
  const queued = events(rig.taken()).map((event) => event.kind === 'handshake' && event.queued);
  assert.equal(
    queued,
    Array.from({ length: HANDSHAKE_QUEUE }, (_, i) => HANDSHAKE_QUEUE - 1 - i),
  );
  assert.is(events(rig.datagram(handshake(3))).length, 1, 'taken ones wait no more');
});

inbound('inbound: delivers what opens, without its padding', () => {
  const rig = createConnectedRig();
  const padded = new Uint8Array(32);
  padded.set(FROM_PEER);
  const out = rig.datagram(sealed(KEYPAIR, 0n, padded));
  equalBytes(packets(out)[0], FROM_PEER);
  assert.is(packets(out).length, 1);
  assert.equal(rig.counters(), {
    datagram_in: 1,
    datagram_in_bytes: 64,
    opened: 1,
    inner_out: 1,
    inner_out_bytes: 28,
  });
  assert.equal(rig.traffic(PEER), { rxBytes: 64, rxPackets: 1 });
});

inbound('inbound: takes a message whose plaintext nobody padded', () => {
  const rig = createConnectedRig();
  const out = rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER));
  equalBytes(packets(out)[0], FROM_PEER);
});

inbound('inbound: opens with a keypair that nothing is sent with yet', () => {
  const rig = createRig();
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: KEYPAIR });
  const out = rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER));
  assert.is(packets(out).length, 1);
  assert.equal(news(out), [CONFIRMED]);
});

inbound('inbound: counts a keepalive and delivers nothing', () => {
  const rig = createConnectedRig();
  const out = rig.datagram(sealed(KEYPAIR, 0n, new Uint8Array(0)));
  assert.equal(out, [{ kind: 'event', event: CONFIRMED }]);
  assert.is(rig.counters().keepalive_in, 1);
  assert.equal(rig.drops(), {});
});

const PADDED6 = new Uint8Array(64);
PADDED6.set(ipv6({ source: 2, destination: 1 }));

const OPENED: readonly [why: string, plaintext: Uint8Array, reason: Drop | undefined][] = [
  ['an IPv6 packet with padding behind it', PADDED6, undefined],
  ['nothing but padding: first nibble 0', new Uint8Array(16), 'opened_protocol'],
  ['first nibble 1, never negotiated', changed(FROM_PEER, 0, 0x15), 'opened_protocol'],
  ['first nibble 15', Uint8Array.of(0xff), 'opened_protocol'],
  ['a single byte of IPv4', Uint8Array.of(0x45), 'opened_malformed'],
  ['IPv4 of 19 bytes', FROM_PEER.slice(0, 19), 'opened_malformed'],
  ['IPv4 total length above the plaintext', changed(FROM_PEER, 3, 29), 'opened_malformed'],
  ['IPv4 total length 19', changed(FROM_PEER, 3, 19), 'opened_malformed'],
  ['IPv4 total length 0', changed(FROM_PEER, 3, 0), 'opened_malformed'],
  ['IPv4 header length of 4 words', changed(FROM_PEER, 0, 0x44), 'opened_malformed'],
  ['IPv4 header length above the total', changed(FROM_PEER, 0, 0x4f), 'opened_malformed'],
  ['IPv6 of 39 bytes', PADDED6.slice(0, 39), 'opened_malformed'],
  ['IPv6 payload length above the plaintext', changed(PADDED6, 5, 25), 'opened_malformed'],
  ['an IPv4 source that is ours', ipv4({ source: '10.0.0.1' }), 'opened_source'],
  ["an IPv4 source of another peer's", ipv4({ source: '10.0.0.3' }), 'opened_source'],
  ['an IPv4 source of nobody', ipv4({ source: '192.0.2.1' }), 'opened_source'],
  ['an IPv6 source of nobody', ipv6({ source: 3 }), 'opened_source'],
];

for (const [why, plaintext, reason] of OPENED) {
  inbound(`inbound: ${why} is ${reason ?? 'delivered'}, and authenticates all the same`, () => {
    const rig = createConnectedRig();
    const out = rig.datagram(sealed(KEYPAIR, 0n, plaintext));
    assert.is(packets(out).length, reason ? 0 : 1);
    assert.equal(rig.drops(), reason ? { [reason]: 1 } : {});
    assert.equal(news(out), [CONFIRMED]);
    assert.is(rig.counters().opened, 1);
    assert.equal(rig.drops(PEER), reason ? { [reason]: 1 } : {});
  });
}

inbound('inbound: a more specific prefix of another peer takes the source away', () => {
  const rig = createConnectedRig();
  rig.insert('10.0.0.0/8', PEER);
  const from = (counter: bigint, source: string) =>
    packets(rig.datagram(sealed(KEYPAIR, counter, ipv4({ source })))).length;
  assert.is(from(0n, '10.9.9.9'), 1);
  rig.insert('10.9.0.0/16', OTHER);
  assert.is(from(1n, '10.9.9.9'), 0);
  assert.is(from(2n, '10.8.9.9'), 1);
  assert.equal(rig.drops(), { opened_source: 1 });
});

inbound('inbound: opens until Reject-After-Time and refuses from then on', () => {
  const rig = createConnectedRig({ isInitiator: false });
  rig.now = at(179.999999);
  assert.is(packets(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER))).length, 1);
  rig.now = at(180);
  assert.equal(rig.datagram(sealed(KEYPAIR, 1n, FROM_PEER)), []);
  assert.equal(rig.drops(), { keypair_expired: 1 });
});

inbound('inbound: a receiving initiator asks for a successor at 165 s, once', () => {
  const rig = createConnectedRig();
  rig.now = at(164.999999);
  assert.equal(news(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER))), [CONFIRMED]);
  rig.now = at(165);
  assert.equal(news(rig.datagram(sealed(KEYPAIR, 1n, FROM_PEER))), [REKEY]);
  assert.equal(news(rig.datagram(sealed(KEYPAIR, 2n, FROM_PEER))), []);
});

inbound('inbound: a receiving responder never asks for a successor', () => {
  const rig = createConnectedRig({ isInitiator: false });
  rig.now = at(170);
  assert.equal(news(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER))), [CONFIRMED]);
});

inbound('inbound: confirms each keypair once, by its first authentic message', () => {
  const rig = createConnectedRig();
  const next = keypair(2);
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  const kinds = [
    sealed(next, 0n, FROM_PEER),
    sealed(next, 1n, FROM_PEER),
    sealed(KEYPAIR, 5n, FROM_PEER),
    sealed(KEYPAIR, 4n, FROM_PEER),
  ].map((message) => news(rig.datagram(message)).map((event) => event.kind));
  assert.equal(kinds, [['confirmed'], [], ['confirmed'], []]);
});

inbound(
  'inbound: tells of a peer that speaks from elsewhere, once until its endpoint is set',
  () => {
    const rig = createConnectedRig();
    rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER));
    const moved = { kind: 'roamed', peer: PEER, endpoint: OTHER_ENDPOINT };
    const speak = (counter: bigint, from = OTHER_ENDPOINT) =>
      news(rig.datagram(sealed(KEYPAIR, counter, FROM_PEER), from));
    assert.equal(speak(1n), [moved]);
    assert.equal(speak(2n), []);
    assert.equal(speak(3n, endpoint('192.0.2.9:1')), [], 'nor of a third place');
    rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: OTHER_ENDPOINT });
    assert.equal(speak(4n), []);
    assert.equal(speak(5n, ENDPOINT), [{ ...moved, endpoint: ENDPOINT }]);
  },
);

inbound('inbound: answers go at once to where a peer speaks from', () => {
  const rig = createConnectedRig();
  const endpointOfNext = () => {
    const sent = rig.packet(ipv4()).find((output) => output.kind === 'datagram');
    return sent?.kind === 'datagram' ? sent.endpoint : undefined;
  };
  rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER), OTHER_ENDPOINT);
  assert.equal(endpointOfNext(), OTHER_ENDPOINT);
  rig.datagram(sealed(KEYPAIR, 1n, FROM_PEER), ENDPOINT);
  assert.equal(endpointOfNext(), OTHER_ENDPOINT, 'the control plane has not answered yet');
  rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT });
  assert.equal(endpointOfNext(), ENDPOINT);
});

inbound("inbound: a responder's keypair sends as soon as it is confirmed", () => {
  const rig = createConnectedRig();
  const next = keypair(2, { isInitiator: false, createdAt: at(1) });
  const sentWith = () => {
    const [sent] = datagrams(rig.packet(ipv4()));
    return [KEYPAIR, next].findIndex((material) => sent && opened(material, sent) !== undefined);
  };
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  assert.is(sentWith(), 0);
  rig.datagram(sealed(next, 0n, FROM_PEER));
  assert.is(sentWith(), 1);
  rig.write({ kind: 'useKeypair', peer: PEER, localIndex: next.localIndex });
  assert.is(sentWith(), 1);
  rig.use(PEER, keypair(3, { createdAt: at(2) }));
  assert.is(sentWith(), -1, 'answered, so the control plane has the say again');
});

inbound('inbound: a keypair confirmed late does not displace a later one', () => {
  const rig = createConnectedRig();
  const crossed = keypair(2, { isInitiator: false });
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: crossed });
  rig.datagram(sealed(crossed, 0n, FROM_PEER));
  const [sent] = datagrams(rig.packet(ipv4()));
  assert.ok(opened(KEYPAIR, present(sent, 'sent')));
});

inbound('inbound: a later session in use ends what an unanswered confirmation began', () => {
  const rig = createConnectedRig();
  const next = keypair(2, { isInitiator: false, createdAt: at(1) });
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  rig.datagram(sealed(next, 0n, FROM_PEER));
  const later = keypair(3, { createdAt: at(2) });
  rig.use(PEER, later);
  const [sent] = datagrams(rig.packet(ipv4()));
  assert.ok(opened(later, present(sent, 'sent')));
});

inbound("inbound: a responder's confirmed keypair that is removed sends no more", () => {
  const rig = createConnectedRig();
  const next = keypair(2, { isInitiator: false, createdAt: at(1) });
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  rig.datagram(sealed(next, 0n, FROM_PEER));
  rig.write({ kind: 'removeKeypair', localIndex: next.localIndex });
  const [sent] = datagrams(rig.packet(ipv4()));
  assert.ok(opened(KEYPAIR, present(sent, 'sent')));
});

inbound("inbound: an initiator's keypair waits for its useKeypair", () => {
  const rig = createConnectedRig();
  const next = keypair(2);
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: next });
  rig.datagram(sealed(next, 0n, FROM_PEER));
  const [sent] = datagrams(rig.packet(ipv4()));
  assert.ok(opened(KEYPAIR, present(sent, 'sent')));
});

inbound('inbound: learns where a peer is even from a packet whose inner source it refuses', () => {
  const rig = createConnectedRig();
  const stolen = sealed(KEYPAIR, 0n, ipv4({ source: '10.0.0.3' }));
  const kinds = news(rig.datagram(stolen, OTHER_ENDPOINT)).map((event) => event.kind);
  assert.equal(kinds, ['roamed', 'confirmed']);
});

inbound('inbound: notes when data came that awaits an answer, and raises activity once', () => {
  const rig = createConnectedRig();
  rig.now = at(1);
  const first = { lastSent: 0, lastReceived: at(1), unansweredSend: 0, unansweredReceive: at(1) };
  const [, event] = events(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER)));
  assert.equal(event, { kind: 'activity', peer: PEER, activity: first });
  rig.now = at(2);
  assert.equal(events(rig.datagram(sealed(KEYPAIR, 1n, FROM_PEER))), []);
  rig.now = at(3);
  rig.packet(ipv4());
  rig.now = at(4);
  rig.datagram(sealed(KEYPAIR, 2n, FROM_PEER));
  const activity = {
    lastSent: at(3),
    lastReceived: at(4),
    unansweredSend: at(3),
    unansweredReceive: at(4),
  };
  assert.equal(events(rig.write({ kind: 'readActivity', peer: PEER })), [
    { kind: 'activity', peer: PEER, activity },
  ]);
});

inbound('inbound: a keepalive is heard, but awaits no answer', () => {
  const rig = createConnectedRig();
  rig.now = at(1);
  rig.datagram(sealed(KEYPAIR, 0n, new Uint8Array(0)));
  const [event] = events(rig.write({ kind: 'readActivity', peer: PEER }));
  assert.ok(event?.kind === 'activity');
  assert.is(event.activity.lastReceived, at(1));
  assert.is(event.activity.unansweredReceive, 0);
});

inbound('inbound: refuses a message that was sealed under another key (row 7)', () => {
  const rig = createConnectedRig();
  const guessed = sealed({ ...KEYPAIR, receiveKey: new Uint8Array(32) }, 0n, FROM_PEER);
  assert.equal(rig.datagram(guessed, OTHER_ENDPOINT), []);
  assert.equal(rig.drops(), { tag: 1 });
  assert.equal(rig.traffic(PEER), {});
});

inbound.run();
