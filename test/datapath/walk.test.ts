import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { storeLe32, storeLe64 } from '../../src/base/bytes.js';
import { NEVER } from '../../src/base/time.js';
import { REJECT_AFTER_MESSAGES } from '../../src/session/constants.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { ipv4 } from '../support/inner_packets.js';
import { withSeed } from '../support/seed.js';
import {
  at,
  createConnectedRig,
  createRig,
  datagrams,
  ENDPOINT,
  events,
  handshake,
  keypair,
  news,
  OTHER,
  OTHER_ENDPOINT,
  packets,
  PEER,
  sealed,
  SUITE,
  WalkRig,
} from '../support/walk_rig.js';

const walk = suite('walk');

const KEYPAIR = keypair(1);
const FROM_PEER = ipv4({ source: '10.0.0.2', destination: '10.0.0.1' });
const READ = { kind: 'readActivity', peer: PEER } as const;

walk('walk: wants to be woken never', () => {
  assert.is(createConnectedRig().walk.deadline(), NEVER);
});

walk('walk: does not go on when time goes back', () => {
  const rig = createRig();
  rig.now = at(5);
  rig.packet(ipv4());
  rig.now = at(4);
  assert.throws(() => rig.packet(ipv4()), /time does not go back/);
});

walk('walk: carries a packet from one walk to another and back', () => {
  const here = createConnectedRig();
  const there = createRig();
  const { sendKey, receiveKey, localIndex, remoteIndex } = KEYPAIR;
  const mirrored = { ...KEYPAIR, sendKey: receiveKey, receiveKey: sendKey };
  there.insert('10.0.0.1/32', PEER);
  there.use(PEER, {
    ...mirrored,
    localIndex: remoteIndex,
    remoteIndex: localIndex,
    isInitiator: false,
  });
  const [request] = datagrams(here.packet(ipv4({ bytes: 1000 })));
  equalBytes(packets(there.datagram(present(request, 'sent')))[0], ipv4({ bytes: 1000 }));
  const answer = ipv4({ source: '10.0.0.2', destination: '10.0.0.1', bytes: 77 });
  const [response] = datagrams(there.packet(answer));
  equalBytes(packets(here.datagram(present(response, 'sent')))[0], answer);
  assert.equal([here.drops(), there.drops()], [{}, {}]);
});

walk('walk: hands each output out once, in order', () => {
  const rig = createRig();
  rig.walk.handle({ kind: 'packet', packet: ipv4() }, rig.now);
  rig.walk.handle({ kind: 'datagram', datagram: handshake(3), source: ENDPOINT }, rig.now);
  assert.equal(
    rig.taken().map((output) => output.kind === 'event' && output.event.kind),
    ['sessionNeeded', 'handshake'],
  );
  assert.equal(rig.taken(), []);
});

walk('walk: counts what its shell could not send or write', () => {
  const rig = createRig();
  for (const reason of ['send_no_buffer', 'send_refused', 'tun_write'] as const) {
    rig.walk.handle({ kind: 'failed', reason }, rig.now);
  }
  assert.equal(rig.drops(), { send_no_buffer: 1, send_refused: 1, tun_write: 1 });
  assert.equal(rig.drops(PEER), {});
  rig.walk.handle({ kind: 'failed', reason: 'send_refused', peer: PEER }, rig.now);
  assert.is(rig.dropped('send_refused'), 2);
  assert.equal(rig.drops(PEER), { send_refused: 1 });
});

walk('walk: copies keys, and wipes its copies when the keypair goes', () => {
  const seen: Uint8Array[] = [];
  const rig = new WalkRig({
    ...boundSuite(),
    sealMessage(by, plaintext) {
      seen.push(by.key);
      return SUITE.sealMessage(by, plaintext);
    },
  });
  rig.write({ kind: 'addPeer', peer: PEER });
  rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT });
  const material = keypair(1);
  rig.use(PEER, material);
  material.sendKey.fill(0xa5);
  rig.write({ kind: 'sendKeepalive', peer: PEER });
  equalBytes(seen[0], keypair(1).sendKey);
  rig.write({ kind: 'removeKeypair', localIndex: KEYPAIR.localIndex });
  equalBytes(seen[0], new Uint8Array(32));
  equalBytes(material.sendKey, new Uint8Array(32).fill(0xa5));
});

function boundSuite() {
  return {
    dh: SUITE.dh.bind(SUITE),
    publicKey: SUITE.publicKey.bind(SUITE),
    seal: SUITE.seal.bind(SUITE),
    open: SUITE.open.bind(SUITE),
    openMessage: SUITE.openMessage.bind(SUITE),
    xseal: SUITE.xseal.bind(SUITE),
    xopen: SUITE.xopen.bind(SUITE),
  };
}

walk('walk: a removed keypair neither opens nor seals', () => {
  const rig = createConnectedRig();
  rig.write({ kind: 'removeKeypair', localIndex: KEYPAIR.localIndex });
  assert.equal(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER)), []);
  assert.equal(datagrams(rig.packet(ipv4())), []);
  assert.equal(rig.drops(), { unknown_index: 1 });
  assert.is(rig.counters().staged, 1);
});

walk('walk: removing a keypair that is not sent with leaves the one that is', () => {
  const rig = createConnectedRig();
  rig.use(PEER, keypair(2));
  rig.write({ kind: 'removeKeypair', localIndex: KEYPAIR.localIndex });
  assert.is(datagrams(rig.packet(ipv4())).length, 1);
});

walk('walk: keeps the first keypair of an index, and each to its peer', () => {
  const rig = createConnectedRig();
  const thief = keypair(1, { receiveKey: new Uint8Array(32) });
  rig.write({ kind: 'installKeypair', peer: OTHER, keypair: thief });
  rig.write({ kind: 'useKeypair', peer: OTHER, localIndex: KEYPAIR.localIndex });
  assert.is(packets(rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER))).length, 1);
  assert.equal(datagrams(rig.packet(ipv4({ destination: '10.0.0.3' }))), []);
});

walk('walk: takes with a peer all that it had', () => {
  const rig = createConnectedRig();
  rig.write({ kind: 'removeKeypair', localIndex: KEYPAIR.localIndex });
  rig.packet(ipv4());
  rig.write({ kind: 'installKeypair', peer: PEER, keypair: KEYPAIR });
  rig.write({ kind: 'removePeer', peer: PEER });
  assert.equal(rig.walk.sizes(), { peers: 1, prefixes: 1, keypairs: 0, endpoints: 1 });
  assert.equal(rig.drops(), { staged_expired: 1 });
  rig.packet(ipv4());
  rig.datagram(sealed(KEYPAIR, 0n, FROM_PEER));
  assert.equal(rig.drops(), { staged_expired: 1, no_route: 1, unknown_index: 1 });
  assert.equal(rig.traffic(PEER), {});
});

walk('walk: a slot starts anew for its next peer', () => {
  const rig = createConnectedRig();
  rig.packet(ipv4());
  rig.write({ kind: 'removePeer', peer: PEER });
  rig.write({ kind: 'addPeer', peer: PEER });
  assert.equal(rig.traffic(PEER), {});
  const [event] = events(rig.write(READ));
  const activity = { lastSent: 0, lastReceived: 0, unansweredSend: 0, unansweredReceive: 0 };
  assert.equal(event, { kind: 'activity', peer: PEER, activity });
});

walk('walk: a prefix goes to whom it was given last, until it is removed', () => {
  const rig = createConnectedRig();
  rig.use(OTHER, keypair(2));
  const peerOf = () => {
    const [sent] = rig.packet(ipv4()).filter((output) => output.kind === 'datagram');
    return sent?.kind === 'datagram' ? sent.peer : undefined;
  };
  assert.is(peerOf(), PEER);
  rig.insert('10.0.0.2/32', OTHER);
  assert.is(peerOf(), OTHER);
  const prefix = present(parsePrefix('10.0.0.2/32'), 'a prefix');
  rig.write({ kind: 'removePrefix', prefix });
  rig.packet(ipv4());
  assert.equal(rig.drops(), { no_route: 1 });
});

walk('walk: ignores writes about peers and keypairs that are not there', () => {
  const rig = new WalkRig();
  rig.insert('10.0.0.0/8', PEER);
  rig.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT });
  rig.use(PEER, KEYPAIR);
  rig.write({ kind: 'removeKeypair', localIndex: KEYPAIR.localIndex });
  for (const kind of ['dropStaged', 'sendKeepalive', 'readActivity', 'removePeer'] as const) {
    assert.equal(rig.write({ kind, peer: PEER }), [], kind);
  }
  rig.write({ kind: 'noteHandshake', peer: PEER, direction: 'sent', bytes: 148 });
  rig.write({ kind: 'flushStaged', peer: PEER, orKeepalive: true });
  assert.equal(rig.walk.sizes(), { peers: 0, prefixes: 0, keypairs: 0, endpoints: 0 });
  assert.equal(rig.drops(), {});
});

walk('walk: counts handshake messages as the traffic and activity of their peer', () => {
  const rig = createRig();
  rig.now = at(1);
  rig.write({ kind: 'noteHandshake', peer: PEER, direction: 'sent', bytes: 148 });
  rig.now = at(2);
  rig.write({ kind: 'noteHandshake', peer: PEER, direction: 'received', bytes: 92 });
  assert.equal(rig.traffic(PEER), { rxBytes: 92, txBytes: 148, rxPackets: 1, txPackets: 1 });
  const [event] = events(rig.write(READ));
  const activity = {
    lastSent: at(1),
    lastReceived: at(2),
    unansweredSend: 0,
    unansweredReceive: 0,
  };
  assert.equal(event, { kind: 'activity', peer: PEER, activity });
});

walk('walk: a replayed message changes nothing but its counter (rows 1 and 2)', () => {
  const rig = createConnectedRig();
  const message = sealed(KEYPAIR, 0n, FROM_PEER);
  rig.datagram(message);
  rig.now = at(1);
  rig.write(READ);
  const before = rig.traffic(PEER);
  rig.now = at(2);
  assert.equal(rig.datagram(message), [], 'from where it came');
  assert.equal(rig.datagram(message, OTHER_ENDPOINT), [], 'from a spoofed source');
  assert.equal(rig.drops(), { replay: 2 });
  assert.equal(rig.drops(PEER), { replay: 2 });
  assert.equal(rig.traffic(PEER), before);
  const [event] = events(rig.write(READ));
  assert.ok(event?.kind === 'activity');
  assert.is(event.activity.lastReceived, at(0));
});

walk('walk: a data message with any bit changed changes nothing (row 7)', () => {
  const rig = createConnectedRig();
  const message = sealed(KEYPAIR, 3n, FROM_PEER);
  for (let bit = 0; bit < message.length * 8; bit++) {
    const flipped = flipBit(message, bit);
    assert.equal(rig.datagram(flipped, OTHER_ENDPOINT), [], `bit ${bit}`);
  }
  assert.equal(rig.drops(), {
    datagram_type: 32,
    unknown_index: 32,
    tag: (message.length - 8) * 8,
  });
  assert.is(packets(rig.datagram(message)).length, 1, 'the genuine one still opens');
});

walk('walk: a receiver index of another session opens nothing (row 7)', () => {
  const rig = createConnectedRig();
  rig.use(OTHER, keypair(2));
  const message = sealed(KEYPAIR, 0n, FROM_PEER);
  storeLe32(message, 4, keypair(2).localIndex);
  assert.equal(rig.datagram(message), []);
  assert.equal(rig.drops(), { tag: 1 });
  assert.equal(rig.traffic(OTHER), {});
});

walk('walk: judges the counter before it opens (row 8)', () => {
  const rig = createConnectedRig();
  for (const [counter, reason] of [
    [(1n << 64n) - 1n, 'counter_limit'],
    [(1n << 64n) - 8130n, 'counter_limit'],
    [REJECT_AFTER_MESSAGES, 'counter_limit'],
    [REJECT_AFTER_MESSAGES - 1n, 'tag'],
    [1n << 60n, 'tag'],
  ] as const) {
    const message = sealed(KEYPAIR, 0n, FROM_PEER);
    storeLe64(message, 8, counter);
    const before = rig.dropped(reason);
    rig.datagram(message);
    assert.is(rig.dropped(reason), before + 1, `counter ${counter}`);
  }
  const last = sealed(KEYPAIR, REJECT_AFTER_MESSAGES - 1n, FROM_PEER);
  assert.is(packets(rig.datagram(last)).length, 1, 'the last counter there is');
  rig.datagram(sealed(KEYPAIR, 1n << 60n, FROM_PEER));
  assert.is(rig.dropped('replay'), 1, 'everything else lies behind it');
});

walk('walk: drops datagrams of every length and type before cost is paid (row 6)', () => {
  const rig = createConnectedRig();
  const genuine = sealed(KEYPAIR, 0n, FROM_PEER);
  for (let length = 0; length < genuine.length; length++) {
    assert.equal(rig.datagram(genuine.slice(0, length)), [], `${length} bytes`);
  }
  const { datagram_length, tag } = rig.drops();
  assert.equal([datagram_length, tag], [32, genuine.length - 32]);
});

walk('walk: keeps nothing for senders it does not know (row 56)', () => {
  withSeed('walk unknown', (random) => {
    const rig = createConnectedRig();
    const before = rig.walk.sizes();
    for (let i = 0; i < 100_000; i++) {
      const bytes = random.bytes(32 + random.below(2) * 8);
      storeLe32(bytes, 0, random.below(8) === 0 ? random.u32() : 4);
      if (random.below(4) === 0) storeLe32(bytes, 4, KEYPAIR.localIndex);
      rig.walk.handle({ kind: 'datagram', datagram: bytes, source: OTHER_ENDPOINT }, rig.now);
    }
    assert.equal(rig.taken(), []);
    assert.equal(rig.walk.sizes(), before);
    const dropped = Object.values(rig.drops()).reduce((sum, count) => sum + count, 0);
    assert.is(dropped, 100_000);
  });
});

walk('walk: every datagram is either dropped under one reason or used', () => {
  withSeed('walk total', (random) => {
    const rig = createConnectedRig();
    let used = 0;
    for (let i = 0; i < 5_000; i++) {
      const message = sealed(KEYPAIR, BigInt(random.below(2000)), FROM_PEER);
      const at = random.below(message.length);
      if (random.below(3) === 0) message[at] = (message[at] ?? 0) ^ (1 << random.below(8));
      used += rig.datagram(message).some((output) => output.kind === 'packet') ? 1 : 0;
    }
    const dropped = Object.values(rig.drops()).reduce((sum, count) => sum + count, 0);
    assert.is(dropped + used, 5_000);
    assert.is(rig.counters().inner_out, used);
    assert.ok(used > 500 && rig.dropped('replay') > 500 && rig.dropped('tag') > 500);
  });
});

walk('walk: speaks of roaming once, though many packets tell it', () => {
  const rig = createConnectedRig();
  const told = [0n, 1n, 2n].flatMap((counter) =>
    news(rig.datagram(sealed(KEYPAIR, counter, FROM_PEER), OTHER_ENDPOINT)),
  );
  assert.equal(
    told.map((event) => event.kind),
    ['roamed', 'confirmed'],
  );
});

walk.run();
