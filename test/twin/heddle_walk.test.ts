/**
 * The reference walk against the native one with heddle's own messages: what random lives reach too
 * seldom.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../src/base/assert.js';
import { storeLe32 } from '../../src/base/bytes.js';
import type { Suite } from '../../src/crypto/suite.js';
import { DROPS } from '../../src/datapath/drop.js';
import { CONTROL_QUEUE, type KeypairMaterial, MAX_CONTROL } from '../../src/datapath/tables.js';
import { ipv4, outerPacket, tcp, udp } from '../support/inner_packets.js';
import { prefix } from '../support/parsed.js';
import { type Twin, withTwin } from '../support/twin.js';
import { at, ENDPOINT, keypair, laneKeypair, opened, PEER, sealed } from '../support/walk_rig.js';

const heddle = suite('twin heddle walk');

const [HEDDLE, PARTIAL] = [0x48, 0x0100_0048];
const CONTROL = Uint8Array.of(0x10, 1, 2, 3);
const KEEPALIVE = new Uint8Array(0);
const TOO_LONG = new Uint8Array(MAX_CONTROL + 1).fill(0x10);
const OLD = keypair(1, { createdAt: at(-1) });
const STRANGER = ipv4({ source: '10.0.0.9' });

/** The keypairs of one session: its base keypair, and those of two lanes. */
function session(cipher: Suite, changes: Partial<KeypairMaterial> = {}): KeypairMaterial[] {
  return [
    keypair(16, { takesControl: true, ...changes }),
    laneKeypair(24, { suite: cipher, trustsChecksums: true }, changes),
    laneKeypair(25, { suite: cipher, trustsChecksums: true, lane: 1 }, changes),
  ];
}

function install(twin: Twin, keypairs: readonly KeypairMaterial[]): void {
  for (const material of keypairs) {
    twin.write({ kind: 'installKeypair', peer: PEER, keypair: material });
  }
}

function use(twin: Twin, { localIndex }: KeypairMaterial): void {
  twin.write({ kind: 'useKeypair', peer: PEER, localIndex });
}

/** The local index of what the next packet is sealed with; 0: it is staged. */
function sender(twin: Twin, keypairs: readonly KeypairMaterial[]): number {
  const [sent] = twin.packet(ipv4()).datagrams;
  if (!sent) return 0;
  const found = keypairs.find((material) => opened(material, sent.datagram));
  return present(found, 'the keypair of a message').localIndex;
}

function dropped(twin: Twin): string[] {
  const counted = new Set(twin.counted());
  return DROPS.filter((name) => counted.has(name));
}

for (const cipher of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
  for (const which of [0, 1, 2]) {
    heddle(`twin heddle: control promotes nothing, a keepalive does: ${cipher}, ${which}`, () => {
      withTwin((twin) => {
        const successor = session(cipher, { isInitiator: false });
        const material = present(successor[which], 'a keypair');
        const all = [OLD, ...successor];
        install(twin, all);
        use(twin, OLD);
        const { events } = twin.datagram(sealed(material, 0n, CONTROL), ENDPOINT);
        assert.equal(
          events.map(({ kind }) => kind),
          ['confirmed', 'control'],
        );
        assert.is(sender(twin, all), OLD.localIndex);
        assert.equal(twin.datagram(sealed(material, 1n, KEEPALIVE), ENDPOINT).events, []);
        // That of the second lane stands for the one of ours.
        assert.is(sender(twin, all), which === 0 ? 16 : 24);
      });
    });
  }
}

heddle('twin heddle: the keypair of another lane is used by nobody here', () => {
  withTwin((twin) => {
    const all = session('aes-256-gcm');
    const [base, own, beside] = all;
    assert.ok(base && own && beside);
    install(twin, all);
    use(twin, beside);
    assert.is(sender(twin, all), 0);
    for (const [used, expected] of [
      [base, 16],
      [beside, 16],
      [own, 24],
      [beside, 24],
      [base, 16],
    ] as const) {
      use(twin, used);
      assert.is(sender(twin, all), expected);
    }
  });
});

for (const [what, content, reason] of [
  ['a keepalive', KEEPALIVE, 'opened_malformed'],
  ['a control message', CONTROL, 'opened_malformed'],
  ['a control message that is too long', TOO_LONG, 'opened_malformed'],
  ['a packet without transport', ipv4({ source: '10.0.0.2' }), 'opened_malformed'],
  ['a packet without transport from a stranger', STRANGER, 'opened_malformed'],
  ['a fragment', tcp({ family: 4, fragment: 0x2000 }), 'opened_malformed'],
  ['half a packet', tcp({ family: 4 }).slice(0, 30), 'opened_malformed'],
  ['another protocol', Uint8Array.of(0x70, 1), 'opened_protocol'],
  ['TCP from a stranger', tcp({ family: 6 }), 'opened_source'],
] as const) {
  heddle(`twin heddle: of the partial type, ${what} is ${reason}`, () => {
    withTwin((twin) => {
      install(twin, session('aes-256-gcm'));
      const { packets, events } = twin.datagram(partial(content), ENDPOINT);
      assert.equal(packets, []);
      assert.not.ok(events.some(({ kind }) => kind === 'control'));
      assert.equal(dropped(twin), [reason]);
    });
  });
}

function partial(content: Uint8Array): Uint8Array {
  return sealed(laneKeypair(24), 0n, content, PARTIAL);
}

heddle('twin heddle: whatever stands for a checksum that was left, both make the right one', () => {
  withTwin((twin) => {
    for (const text of ['0.0.0.0/0', '::/0']) {
      twin.write({ kind: 'insertPrefix', prefix: prefix(text), peer: PEER });
    }
    install(twin, session('aes-256-gcm'));
    let counter = 0n;
    for (const family of [4, 6] as const) {
      const header = family === 4 ? 20 : 40;
      for (const [whole, sumAt] of [
        [tcp({ family, payload: 9 }), header + 16],
        [udp({ family, payload: 9 }), header + 6],
      ] as const) {
        for (const value of [0, 0x5a, 0xff]) {
          const left = whole.map((byte, i) => (i === sumAt || i === sumAt + 1 ? value : byte));
          const message = sealed(laneKeypair(24), counter++, left, PARTIAL);
          assert.equal(twin.datagram(message, ENDPOINT).packets, [whole]);
        }
      }
    }
  });
});

heddle('twin heddle: a control message that is too long is so, however many wait', () => {
  withTwin((twin) => {
    const [base] = session('aes-256-gcm');
    assert.ok(base);
    install(twin, [base]);
    const messages = Array.from({ length: CONTROL_QUEUE }, (_, i) => {
      return sealed(base, BigInt(i), CONTROL);
    });
    messages.push(sealed(base, BigInt(CONTROL_QUEUE), TOO_LONG));
    assert.is(twin.datagrams(messages, ENDPOINT).events.length, 1 + CONTROL_QUEUE);
    assert.equal(dropped(twin), ['control_length']);
  });
});

for (const [what, used, returned, isLoop] of [
  ["WireGuard's own index", 0, 16, true],
  ["a lane's index", 0, 31, true],
  ["the next session's index", 0, 32, false],
  ["WireGuard's own index", 1, 16, true],
  ["the other lane's index", 1, 25, true],
  ["the last session's index", 1, 15, false],
] as const) {
  heddle(`twin heddle: ${what} ${isLoop ? 'is' : 'is not'} ours: ${used}`, () => {
    withTwin((twin) => {
      twin.write({ kind: 'insertPrefix', prefix: prefix('0.0.0.0/0'), peer: PEER });
      const mirrored = session('aes-256-gcm').map((material) => {
        return { ...material, remoteIndex: material.localIndex };
      });
      install(twin, mirrored);
      use(twin, present(mirrored[used], 'a keypair'));
      for (const type of [4, HEDDLE, PARTIAL]) {
        const message = new Uint8Array(48);
        storeLe32(message, 0, type);
        storeLe32(message, 4, returned);
        const { datagrams } = twin.packet(outerPacket(ENDPOINT, message));
        assert.is(datagrams.length, isLoop ? 0 : 1);
      }
      assert.equal(dropped(twin), isLoop ? ['loop'] : []);
    });
  });
}

heddle("twin heddle: a stock peer's session has one index", () => {
  withTwin((twin) => {
    twin.write({ kind: 'insertPrefix', prefix: prefix('0.0.0.0/0'), peer: PEER });
    install(twin, [OLD]);
    use(twin, OLD);
    for (const [index, count] of [
      [OLD.remoteIndex, 0],
      [OLD.remoteIndex ^ 1, 1],
    ] as const) {
      const message = new Uint8Array(48);
      storeLe32(message, 0, 4);
      storeLe32(message, 4, index);
      assert.is(twin.packet(outerPacket(ENDPOINT, message)).datagrams.length, count);
    }
  });
});

heddle.run();
