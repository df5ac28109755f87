/** Whatever comes from the network, the node counts it and goes on: nothing throws or grows. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeededRandom } from '../../src/base/random.js';
import { millis, seconds } from '../../src/base/time.js';
import { computeMac1, mac1Key } from '../../src/session/cookie.js';
import {
  messageType,
  MESSAGE_COOKIE_REPLY,
  MESSAGE_RESPONSE,
  setMac1,
} from '../../src/wire/wireguard.js';
import { connect, createPair, type Pair, ping } from '../support/pair.js';
import { endpoint } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';
import type { Host } from '../support/virtual_network.js';

const hostile = suite('hostile');

const ROUNDS = 3_000;
const KEYS = { left: 1, right: 2 } as const;

/** A datagram that was really sent, or random bytes, changed at some places. */
function mutant(random: SeededRandom, seen: readonly Uint8Array[]): Uint8Array {
  const kind = random.below(8);
  if (kind === 0) return random.bytes(random.below(200));
  const original = seen[random.below(seen.length)] ?? new Uint8Array(148);
  const datagram = original.slice();
  for (let flips = random.below(4); flips > 0; flips--) {
    const at = random.below(datagram.length);
    datagram[at] = random.u32();
  }
  if (kind === 1) return datagram.slice(0, random.below(datagram.length + 1));
  // Another type in the same length, or the indices of another session.
  if (kind === 2) datagram.set([1 + random.below(4), 0, 0, 0]);
  if (kind === 3) datagram.set(random.bytes(4), 4 + 4 * random.below(2));
  return datagram;
}

/** With a right mac1 for the host, so that the walk lets it through to the node. */
function signed(host: Host, datagram: Uint8Array): Uint8Array {
  const type = datagram.length >= 4 ? messageType(datagram) : 0;
  const hasMac1 = type === 1 ? datagram.length === 148 : datagram.length === 92;
  if (!hasMac1 || (type !== 1 && type !== MESSAGE_RESPONSE)) return datagram;
  const key = mac1Key(host.node.snapshot().publicKey);
  setMac1(datagram, computeMac1(key, datagram));
  return datagram;
}

function attack(pair: Pair, random: SeededRandom): void {
  const seen = pair.network.sent.map(({ datagram }) => datagram);
  for (let round = 0; round < ROUNDS; round++) {
    const side = random.below(2) === 0 ? 'left' : 'right';
    const host = pair[side];
    const datagram = signed(host, mutant(random, seen));
    const from = random.below(2) === 0 ? `192.0.2.${3 - KEYS[side]}:51820` : '198.51.100.9:7';
    const count = random.below(200) === 0 ? 300 : 1;
    const copies = Array.from({ length: count }, () => datagram);
    host.receiveTogether(copies, () => endpoint(from));
    if (random.below(10) === 0) ping(pair, host);
    pair.network.run(millis(random.below(400)));
  }
}

hostile('hostile: mutated handshakes with a right mac1 never throw, and traffic goes on', () => {
  withSeed('hostile', (random) => {
    const pair = createPair();
    connect(pair);
    pair.network.run(seconds(200));
    ping(pair, pair.left);
    ping(pair, pair.right);
    pair.network.run(seconds(2));
    attack(pair, random);
    pair.network.run(seconds(20));
    for (const host of [pair.left, pair.right]) {
      const { handshakeDrops } = host.node.snapshot();
      const dropped = Object.values(handshakeDrops).reduce((sum, count) => sum + count, 0);
      assert.ok(dropped > ROUNDS / 20, `only ${dropped} were dropped`);
      const { peers, keypairs } = host.walk.sizes();
      assert.is(peers, 1);
      assert.ok(keypairs <= 3, `${keypairs} keypairs`);
      const before = host.received.length;
      ping(pair, host === pair.left ? pair.right : pair.left);
      pair.network.run(seconds(12));
      assert.is(host.received.length, before + 1, 'traffic goes on');
    }
    assert.is(pair.network.sentOfType(MESSAGE_COOKIE_REPLY).length > 0, true, 'load was seen');
  });
});

hostile.run();
