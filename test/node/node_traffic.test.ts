/** Two whole hosts and what comes between them: traffic, loss, roaming, restarts, attacks. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Endpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { isZero } from '../../src/base/bytes.js';
import { elapsed, micros, millis, seconds } from '../../src/base/time.js';
import { computeMac1, mac1Key } from '../../src/session/cookie.js';
import {
  MESSAGE_COOKIE_REPLY,
  MESSAGE_DATA,
  MESSAGE_INITIATION,
  MESSAGE_RESPONSE,
  mac2Of,
  setMac1,
} from '../../src/wire/wireguard.js';
import { connect, createPair, onlyPeer, type Pair, ping } from '../support/pair.js';
import { endpoint } from '../support/parsed.js';
import type { Host } from '../support/virtual_network.js';

const test = suite('node_traffic');

function drops(host: Host, reason: string): number {
  return host.node.snapshot().handshakeDrops[reason] ?? -1;
}

function texts(host: Host): string[] {
  return host.received.map((packet) => new TextDecoder().decode(packet.subarray(20)));
}

/** Random initiations with a right mac1, as anyone can make who knows the host's public key. */
function flood({ network }: Pair, host: Host, count: number): Uint8Array[] {
  const key = mac1Key(host.node.snapshot().publicKey);
  return Array.from({ length: count }, () => {
    const datagram = network.random.bytes(148);
    datagram.set([1, 0, 0, 0]);
    datagram.fill(0, 132);
    setMac1(datagram, computeMac1(key, datagram));
    return datagram;
  });
}

function spoofed(at: number): Endpoint {
  return endpoint(`198.51.${at >> 8}.${at & 255}:1000`);
}

test('traffic: ten minutes both ways lose nothing, with a handshake every 120 s', () => {
  const pair = createPair();
  connect(pair);
  for (let i = 0; i < 6000; i++) {
    ping(pair, pair.left, `${i}`);
    ping(pair, pair.right, `${i}`);
    pair.network.run(millis(100));
  }
  pair.network.run(seconds(1));
  assert.is(pair.right.received.length, 6001);
  assert.is(pair.left.received.length, 6000);
  assert.equal(texts(pair.left), texts(pair.right).slice(1), 'and in order');
  const initiations = pair.network.sentOfType(MESSAGE_INITIATION);
  assert.is(initiations.length, 6, 'the first, and one each 120 s');
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION, pair.right).length, 0);
});

test('traffic: with a third of all datagrams lost, sessions are renewed all the same', () => {
  const pair = createPair();
  const random = pair.network.random.fork('loss');
  pair.network.isLost = () => random.below(3) === 0;
  for (let i = 0; i < 4000; i++) {
    ping(pair, pair.left, `${i}`);
    ping(pair, pair.right, `${i}`);
    pair.network.run(millis(250));
  }
  for (const host of [pair.left, pair.right]) {
    const share = host.received.length / 4000;
    assert.ok(share > 0.55 && share < 0.75, `${host.name} got ${share}`);
  }
});

test('traffic: when both sides begin at once, the session is there after one round trip', () => {
  const pair = createPair();
  ping(pair, pair.left, 'to right');
  ping(pair, pair.right, 'to left');
  pair.network.run(millis(50));
  assert.equal([texts(pair.left), texts(pair.right)], [['to left'], ['to right']]);
  ping(pair, pair.left, 'again');
  ping(pair, pair.right, 'again');
  pair.network.run(seconds(20));
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 2, 'nothing was repeated');
  assert.equal([texts(pair.left)[1], texts(pair.right)[1]], ['again', 'again']);
});

test('roaming: the endpoint follows one authenticated packet, and the answer goes there', () => {
  const pair = createPair();
  connect(pair);
  pair.left.endpoint = endpoint('203.0.113.5:4444');
  ping(pair, pair.left, 'moved');
  pair.network.run(seconds(1));
  assert.is(onlyPeer(pair.right).endpoint?.text, '203.0.113.5:4444');
  ping(pair, pair.right, 'found');
  pair.network.run(seconds(1));
  assert.equal(texts(pair.left), ['found']);
});

test('roaming: replayed and unauthenticated messages move nothing (attack rows 1, 2)', () => {
  const pair = createPair();
  connect(pair);
  ping(pair, pair.left, 'data');
  pair.network.run(seconds(1));
  const before = onlyPeer(pair.right);
  const deadline = pair.right.deadline();
  const elsewhere = endpoint('198.51.100.66:666');
  for (const { datagram } of pair.network.sent.filter(({ from }) => from.port === 51820)) {
    pair.right.receive(datagram, elsewhere);
    pair.left.receive(datagram, elsewhere);
    const broken = datagram.slice();
    broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1;
    pair.right.receive(broken, elsewhere);
  }
  assert.equal(onlyPeer(pair.right), before);
  assert.is(pair.right.deadline(), deadline, 'no timer moved');
  assert.is(onlyPeer(pair.left).endpoint?.text, pair.right.endpoint.text);
  pair.network.sent.length = 0;
  ping(pair, pair.right, 'still here');
  pair.network.run(seconds(1));
  assert.is(texts(pair.left).at(-1), 'still here');
});

test('attack row 7: guessed and reused receiver indices reach nobody', () => {
  const pair = createPair();
  ping(pair, pair.left);
  pair.network.run(seconds(1));
  const response = present(pair.network.sentOfType(MESSAGE_RESPONSE)[0], 'a response').datagram;
  for (let bit = 0; bit < 32; bit++) {
    const guess = response.slice();
    const at = 8 + (bit >> 3);
    guess[at] = (guess[at] ?? 0) ^ (1 << (bit & 7));
    setMac1(guess, computeMac1(mac1Key(pair.left.node.snapshot().publicKey), guess));
    pair.left.receive(guess, pair.right.endpoint);
  }
  assert.is(drops(pair.left, 'unknown_index'), 32);
  pair.left.receive(response, pair.right.endpoint);
  assert.is(drops(pair.left, 'unknown_index'), 33, "the index is a keypair's now");
  assert.is(pair.left.walk.sizes().keypairs, 1);
});

test('attack row 10: nothing unauthenticated tears a tunnel down', () => {
  const pair = createPair();
  connect(pair);
  const noise = pair.network.random;
  for (let type = 0; type < 256; type++) {
    for (const length of [0, 1, 4, 16, 32, 64, 92, 148]) {
      const datagram = noise.bytes(length);
      datagram.set([type, 0, 0, 0].slice(0, length));
      pair.left.receive(datagram, pair.right.endpoint);
    }
  }
  ping(pair, pair.left, 'alive');
  pair.network.run(seconds(1));
  assert.is(texts(pair.right).at(-1), 'alive');
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 1);
});

test('restart: a side that lost its state is found again within 15.4 s of traffic', () => {
  const pair = createPair({ rightKnowsLeft: false });
  connect(pair);
  pair.network.run(seconds(20));
  pair.right.start();
  const restarted = pair.network.now;
  const before = pair.right.received.length;
  const isBack = () => pair.right.received.length > before;
  while (!isBack() && elapsed(restarted, pair.network.now) < seconds(60)) {
    ping(pair, pair.left);
    pair.network.run(millis(100));
  }
  const took = elapsed(restarted, pair.network.now);
  assert.ok(isBack() && took <= micros(15_500_000), `${took} us`);
});

test('restart: a side that lost its state and has something to say is there at once', () => {
  const pair = createPair();
  connect(pair);
  pair.network.run(seconds(20));
  pair.left.start();
  ping(pair, pair.left, 'back');
  pair.network.run(millis(100));
  assert.is(texts(pair.right).at(-1), 'back');
  ping(pair, pair.right, 'welcome');
  pair.network.run(millis(100));
  assert.is(texts(pair.left).at(-1), 'welcome');
});

test('outage: after any time without a way through, traffic is back within 6 s of it', () => {
  for (const outage of [1, 14, 16, 60, 89, 91, 150, 179, 181, 600]) {
    const pair = createPair();
    connect(pair);
    pair.network.isLost = () => true;
    for (let second = 0; second < outage; second++) {
      ping(pair, pair.left);
      ping(pair, pair.right);
      pair.network.run(seconds(1));
    }
    pair.network.isLost = () => false;
    const [left, right] = [pair.left.received.length, pair.right.received.length];
    for (let i = 0; i < 60; i++) {
      ping(pair, pair.left);
      ping(pair, pair.right);
      pair.network.run(millis(100));
    }
    assert.ok(pair.left.received.length > left, `to the left after ${outage} s`);
    assert.ok(pair.right.received.length > right, `to the right after ${outage} s`);
  }
});

test('attack row 3: a flood is answered by 64 bytes for 148, and no Diffie-Hellman (WG-18)', () => {
  const pair = createPair();
  connect(pair);
  pair.network.sent.length = 0;
  const count = 900;
  pair.right.receiveTogether(flood(pair, pair.right, count), spoofed);
  const snapshot = pair.right.node.snapshot();
  assert.ok(snapshot.underLoad);
  const replies = pair.network.sentOfType(MESSAGE_COOKIE_REPLY, pair.right);
  assert.is(drops(pair.right, 'answered_with_cookie'), replies.length);
  assert.is(replies.length, pair.network.sent.length, 'nothing else is sent');
  assert.ok(replies.every(({ datagram }) => datagram.length === 64));
  assert.ok(drops(pair.right, 'static_tag') <= count / 4, 'few were opened before the load showed');
  ping(pair, pair.left, 'established');
  pair.network.run(millis(20));
  assert.is(texts(pair.right).at(-1), 'established', 'sessions that exist are not affected');
});

test('attack row 57: a flood writes no line of log', () => {
  const pair = createPair();
  connect(pair);
  const before = pair.right.logged.length;
  pair.right.receiveTogether(flood(pair, pair.right, 900), spoofed);
  for (const datagram of flood(pair, pair.right, 200)) pair.right.receive(datagram, spoofed(1));
  for (let length = 0; length < 200; length++) {
    pair.right.receive(pair.network.random.bytes(length), spoofed(2));
  }
  pair.network.run(seconds(5));
  assert.is(pair.right.logged.length, before);
});

test('cookies: an honest peer gets through a flood with its second initiation', () => {
  const pair = createPair();
  const toRight = pair.right.endpoint.text;
  // The flood and what the left host sends reach the right host as one full queue.
  pair.network.isLost = (_, __, to) => to.text === toRight;
  ping(pair, pair.left, 'through');
  const queue = () => {
    const own = present(pair.network.sentOfType(MESSAGE_INITIATION, pair.left).at(-1), 'one');
    const datagrams = [...flood(pair, pair.right, 300), own.datagram];
    const from = (at: number) => (at === 300 ? pair.left.endpoint : spoofed(at));
    pair.right.receiveTogether(datagrams, from);
    return own.datagram;
  };
  assert.ok(isZero(mac2Of(queue())));
  assert.is(onlyPeer(pair.right).endpoint?.text, pair.left.endpoint.text);
  pair.network.run(micros(5_400_000));
  const second = queue();
  assert.not.ok(isZero(mac2Of(second)), 'the second carries the cookie');
  pair.network.isLost = () => false;
  pair.network.run(millis(100));
  assert.is(pair.network.sentOfType(MESSAGE_RESPONSE, pair.right).length, 1);
  assert.is(onlyPeer(pair.left).state, 'established');
});

test('attack row 4: a peer that floods with its own key makes 50 sessions a second at most', () => {
  const pair = createPair();
  connect(pair);
  pair.network.run(seconds(60));
  const before = pair.network.sentOfType(MESSAGE_RESPONSE, pair.right).length;
  // A compromised left host that forgets all restraint: a fresh daemon for each initiation.
  for (let i = 0; i < 1000; i++) {
    pair.network.run(millis(1));
    pair.left.wallOffset += 20_000;
    pair.left.start();
    ping(pair, pair.left);
  }
  pair.network.run(millis(100));
  const answered = pair.network.sentOfType(MESSAGE_RESPONSE, pair.right).length - before;
  assert.ok(answered > 0 && answered <= 50, `${answered} were answered in 1 s`);
  assert.ok(drops(pair.right, 'too_soon') > 900);
  assert.ok(pair.right.walk.sizes().keypairs <= 3, 'and no more than three keypairs live');
});

test("attack row 8: data counters are the walk's; a session is renewed when it asks", () => {
  const pair = createPair();
  connect(pair);
  pair.network.run(seconds(10));
  const slot = onlyPeer(pair.left).slot;
  pair.left.tell({ kind: 'sessionNeeded', peer: slot, reason: 'rekey' });
  assert.is(pair.network.sentOfType(MESSAGE_INITIATION).length, 2);
  pair.network.run(seconds(1));
  assert.is(pair.left.walk.sizes().keypairs, 2, 'the old one still receives');
  assert.is(pair.network.sentOfType(MESSAGE_DATA, pair.left).at(-1)?.datagram.length, 32);
});

test.run();
