/** Whole nodes over the native hand, in this process: what the lanes carry, count and survive. */

import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { millis, seconds } from '../../src/base/time.js';
import type { Drop } from '../../src/datapath/drop.js';
import { SystemClock } from '../../src/io/clock.js';
import { HandError } from '../../src/io/hand.js';
import { NativeHand } from '../../src/io/native_hand.js';
import { emitVirtioNet, VIRTIO_NET_BYTES } from '../../src/wire/virtio_net.js';
import { NO_OFFLOADS } from '../../src/node/offloads.js';
import { equalBytes } from '../support/bytes.js';
import { type ChannelPair, carry, createChannelPair } from '../support/channel_host.js';
import { FakeTimers } from '../support/fake_timers.js';
import { ipv4, tcp } from '../support/inner_packets.js';
import { endpoint } from '../support/parsed.js';
import { addonHere } from '../support/twin.js';
import { START } from '../support/walk_rig.js';

const hands = suite('native hand');

const PEER = peerSlot(0);
const TO_RIGHT = ipv4({ source: '10.0.0.1', destination: '10.0.0.2' });
const TO_LEFT = ipv4({ source: '10.0.0.2', destination: '10.0.0.1' });
const { EAGAIN, EINVAL, EIO, EMSGSIZE, ENETUNREACH, ENOBUFS, EPERM } = constants.errno;

interface Scene extends ChannelPair {
  readonly timers: FakeTimers;
  /** Everything that can happen now happens. */
  settle(): void;
}

/** Two nodes under a clock of the test's. */
function withPair(options: { readonly offload?: boolean }, body: (scene: Scene) => void): void {
  const timers = new FakeTimers();
  timers.during(() => {
    const pair = createChannelPair(timers, { threads: false, ...options });
    const hosts = [pair.left, pair.right];
    const settle = (): void => {
      do {
        for (const host of hosts) host.pump();
        timers.run(millis(0));
      } while (carry(hosts));
    };
    try {
      body({ ...pair, timers, settle });
    } finally {
      for (const host of hosts) host.close();
    }
  });
}

/** A session, with nothing left to say. */
function connect({ left, right, settle }: Scene): void {
  left.send(TO_RIGHT);
  settle();
  assert.is(right.packets().length, 1);
}

hands('native hand: two nodes shake hands and carry traffic both ways', () => {
  withPair({}, (scene) => {
    const { left, right, settle } = scene;
    connect(scene);
    right.send(TO_LEFT);
    settle();
    const [packet, ...others] = left.packets();
    equalBytes(packet, TO_LEFT);
    assert.equal(others, []);
    assert.is(left.node.snapshot().peers[0]?.state, 'established');
    assert.is(right.node.snapshot().peers[0]?.state, 'established');
    // 148 and two messages of 64 (28 padded to 32, and 32 more) sent; 92 and 64 received.
    const { rxBytes, txBytes } = left.hand.traffic(PEER);
    assert.equal([rxBytes, txBytes], [92n + 64n, 148n + 64n]);
  });
});

hands('native hand: sessions are renewed under traffic, and no packet enters JavaScript', () => {
  withPair({}, (scene) => {
    const { left, right, timers, settle } = scene;
    let [sent, received] = [0, 0];
    for (let second = 0; second < 600; second++) {
      left.send(TO_RIGHT);
      right.send(TO_LEFT);
      sent += 2;
      settle();
      received += left.packets().length + right.packets().length;
      timers.run(seconds(1));
    }
    assert.is(received, sent);
    const handshakes = Number(right.hand.counters().walk.handshake_up);
    assert.ok(handshakes >= 5 && handshakes <= 12, `${handshakes} handshake messages`);
    for (const { hand } of [left, right]) {
      assert.is(hand.counters().walk.packet_to_javascript, 0n);
      const dropped = Object.entries(hand.counters().drops).filter(([, count]) => count > 0n);
      assert.equal(dropped, []);
    }
  });
});

hands('native hand: after silence past Reject-After-Time a packet brings a new session', () => {
  withPair({}, (scene) => {
    const { left, right, timers, settle } = scene;
    connect(scene);
    timers.run(seconds(30));
    settle();
    timers.suspend(seconds(3600));
    left.send(TO_RIGHT);
    settle();
    assert.is(right.packets().length, 1);
    assert.is(Number(right.hand.counters().walk.handshake_up), 2);
  });
});

const FAILURES: readonly (readonly [errno: number, reason: Drop])[] = [
  [EAGAIN, 'send_no_buffer'],
  [ENETUNREACH, 'send_unreachable'],
  [EINVAL, 'send_unreachable'],
  [EPERM, 'send_refused'],
  [EMSGSIZE, 'send_too_big'],
  [EIO, 'send_failed'],
];

for (const [errno, reason] of FAILURES) {
  const name = addonHere().errnoName(errno);
  hands(`native hand: ${name} drops what is sent as ${reason}, and no more (row 47)`, () => {
    withPair({}, (scene) => {
      const { left, right, settle } = scene;
      connect(scene);
      const logged = left.log.lines.length;
      left.failSends(errno, 3);
      for (let i = 0; i < 5; i++) {
        left.send(TO_RIGHT);
        settle();
      }
      assert.is(right.packets().length, 2, 'the next ones arrive');
      const drops = Object.entries(left.hand.counters().drops).filter(([, count]) => count > 0n);
      assert.equal(drops, [[reason, 3n]]);
      assert.is(left.hand.traffic(PEER).drops[reason], 3n);
      assert.is(left.log.lines.length, logged, 'no log line a packet');
    });
  });
}

hands('native hand: ENOBUFS is tried again at once, and dropped where it lasts (row 47)', () => {
  withPair({}, (scene) => {
    const { left, right, settle } = scene;
    connect(scene);
    for (const [failures, drops] of [
      [3, 0n],
      [100, 1n],
    ] as const) {
      left.failSends(ENOBUFS, failures);
      left.send(TO_RIGHT);
      settle();
      assert.is(left.hand.counters().drops.send_no_buffer, drops);
      assert.is(right.packets().length, drops === 0n ? 1 : 0);
    }
  });
});

hands('native hand: a handshake that cannot be sent is counted, and sent again later', () => {
  withPair({}, (scene) => {
    const { left, right, timers, settle } = scene;
    left.failSends(ENETUNREACH, 1);
    left.send(TO_RIGHT);
    settle();
    assert.is(left.hand.counters().drops.send_unreachable, 1n);
    assert.is(left.hand.traffic(PEER).txBytes, 0n, 'nothing went out');
    timers.run(seconds(6));
    settle();
    assert.is(right.packets().length, 1, 'the packet waited for it');
  });
});

/** What a TUN device hands over of `bytes` bytes of TCP from 10.0.0.2 to 10.0.0.1. */
function superFrame(bytes: number): Uint8Array {
  const header = new Uint8Array(VIRTIO_NET_BYTES);
  emitVirtioNet(header, 0, {
    flags: 1,
    gsoType: 1,
    headerLength: 40,
    gsoSize: 1000,
    checksumStart: 20,
    checksumOffset: 16,
  });
  return concat(header, tcp({ family: 4, payload: bytes }));
}

for (const errno of [EIO, EINVAL, EMSGSIZE]) {
  const name = addonHere().errnoName(errno);
  hands(`native hand: a batch refused with ${name} is sent one by one (WG-23)`, () => {
    withPair({ offload: true }, (scene) => {
      const { left, right, timers, settle } = scene;
      const native = () => {
        const { udp_gso_fallback, udp_gso_segments, udp_sends } = present(
          right.hand.counters().native,
          'native counters',
        );
        return [udp_gso_fallback, udp_gso_segments, udp_sends].map(Number);
      };
      const send = () => {
        right.send(superFrame(4000));
        settle();
        let payload = 0;
        for (const frame of left.packets()) payload += frame.length - VIRTIO_NET_BYTES - 40;
        return payload;
      };
      right.send(superFrame(1));
      settle();
      left.packets();
      const [, , before = 0] = native();
      assert.is(send(), 4000);
      assert.equal(native(), [0, 4, before + 1], 'four at once');
      right.failSends(errno, 1);
      assert.is(send(), 4000, 'nothing is lost');
      assert.equal(native(), [1, 4, before + 6], 'and four alone');
      assert.is(send(), 4000);
      assert.equal(native(), [1, 4, before + 10], 'it is not asked again at once');
      timers.run(seconds(61));
      settle();
      const [, , later = 0] = native();
      assert.is(send(), 4000);
      assert.equal(native(), [1, 8, later + 1], 'but after a minute');
      const dropped = Object.entries(right.hand.counters().drops).filter(([, n]) => n > 0n);
      assert.equal(dropped, []);
    });
  });
}

hands('native hand: prefixes are in force from the commit on', () => {
  const addon = addonHere();
  const hand = new NativeHand(addon, { tun: '', offloads: NO_OFFLOADS, port: 0, threads: false });
  try {
    const prefix = present(parsePrefix('10.0.0.2/32'), 'a prefix');
    hand.write({ kind: 'addPeer', peer: PEER }, START);
    hand.write({ kind: 'insertPrefix', prefix, peer: PEER }, START);
    const dropped = () => {
      addon.channelPutPacket(hand.engine, TO_RIGHT);
      addon.enginePump(hand.engine, START);
      const { no_route, no_endpoint } = hand.counters().drops;
      return [no_route, no_endpoint].map(Number);
    };
    assert.equal(dropped(), [1, 0]);
    hand.commit();
    assert.equal(dropped(), [1, 1]);
    hand.write({ kind: 'removePrefix', prefix }, START);
    assert.equal(dropped(), [1, 2]);
    hand.commit();
    assert.equal(dropped(), [2, 2]);
  } finally {
    hand.close();
  }
});

hands('native hand: events are taken a few at a time', () => {
  const addon = addonHere();
  const hand = new NativeHand(addon, { tun: '', offloads: NO_OFFLOADS, port: 0, threads: false });
  try {
    for (let slot = 0; slot < 5; slot++) {
      hand.write({ kind: 'addPeer', peer: peerSlot(slot) }, START);
      hand.write({ kind: 'readActivity', peer: peerSlot(slot) }, START);
    }
    const taken: number[] = [];
    const take = (limit: number): boolean => {
      const events: Parameters<typeof hand.takeEvents>[0] = [];
      const isMore = hand.takeEvents(events, limit);
      for (const event of events) if (event.kind === 'activity') taken.push(event.peer);
      return isMore;
    };
    assert.ok(take(2));
    assert.ok(take(2));
    assert.not(take(2));
    assert.equal(taken, [0, 1, 2, 3, 4]);
    assert.not(take(2));
  } finally {
    hand.close();
  }
});

hands('native hand: over channels a port is a number, and changes lose nothing', () => {
  withPair({}, (scene) => {
    const { left, right, settle } = scene;
    connect(scene);
    left.send(TO_RIGHT);
    left.hand.setListenPort(7_000);
    assert.is(left.hand.listenPort, 7_000);
    left.hand.setClearPorts([{ port: 4_789, kind: 'vxlan' }]);
    left.hand.reopenTun();
    left.hand.setMark(7);
    settle();
    assert.is(right.packets().length, 1);
  });
});

hands('native hand: names what could not be opened, and what to do', () => {
  const addon = addonHere();
  const options = { tun: 'no/such/name', offloads: NO_OFFLOADS, port: 0, threads: false };
  try {
    new NativeHand(addon, options);
  } catch (error) {
    assert.instance(error, HandError);
    assert.match(String(error), /Open the TUN interface "no\/such\/name": E[A-Z]+/);
    return;
  }
  assert.unreachable('it was opened');
});

hands('native hand: lanes on threads of their own carry traffic and wake the node', async () => {
  const clock = new SystemClock(addonHere());
  const { left, right } = createChannelPair(clock, { threads: true });
  const hosts = [left, right];
  try {
    let [toLeft, toRight] = [0, 0];
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 50; i++) {
        left.send(TO_RIGHT);
        right.send(TO_LEFT);
      }
      for (let turn = 0; Math.min(toLeft, toRight) < 50 * (round + 1); turn++) {
        assert.ok(turn < 10_000, `${toLeft} and ${toRight} arrived in round ${round}`);
        carry(hosts);
        toLeft += left.packets().length;
        toRight += right.packets().length;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    assert.equal([toLeft, toRight], [1000, 1000]);
    for (const { hand } of hosts) assert.is(hand.counters().walk.packet_to_javascript, 0n);
  } finally {
    for (const host of hosts) host.close();
    for (const host of hosts) host.hand.close();
  }
});

hands('native hand: a flood from nobody leaves the session alone', () => {
  withPair({}, (scene) => {
    const { left, right, settle } = scene;
    connect(scene);
    const stranger = endpoint('198.51.100.1:9');
    for (let i = 0; i < 3000; i++) {
      const junk = new Uint8Array(32 + (i % 200)).fill(i);
      junk.set([(i % 4) + 1, 0, 0, 0]);
      right.receive(stranger, junk);
    }
    settle();
    left.send(TO_RIGHT);
    settle();
    assert.is(right.packets().length, 1);
    assert.is(right.node.snapshot().peers[0]?.endpoint?.text, left.endpoint.text);
  });
});

hands.run();
