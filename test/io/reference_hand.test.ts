import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat } from '../../src/base/bytes.js';
import { type Instant, NEVER } from '../../src/base/time.js';
import type { TableWrite, WalkEvent } from '../../src/datapath/tables.js';
import { type Clock, SystemClock } from '../../src/io/clock.js';
import { HandError } from '../../src/io/hand.js';
import { Netlink } from '../../src/io/netlink.js';
import { ReferenceHand } from '../../src/io/reference_hand.js';
import { UdpPort } from '../../src/io/udp.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4Udp } from '../support/inner_packets.js';
import { endpoint, prefix } from '../support/parsed.js';
import { skip } from '../support/skip.js';
import { addonHere } from '../support/twin.js';
import { handshake, keypair, opened, PEER, sealed, SUITE } from '../support/walk_rig.js';

const hands = suite('reference hand');

/** Documentation addresses (RFC 5737): no host has them in use. */
const OURS = '203.0.113.1';
const THEIRS = '203.0.113.2';

interface Scene {
  readonly hand: ReferenceHand;
  readonly clock: Clock;
  /** The other end of the session. */
  readonly far: { port: UdpPort; next: () => Promise<Uint8Array> };
  /** An application of this host, at OURS. */
  readonly application: Socket;
  readonly session: ReturnType<typeof keypair>;
  write(write: TableWrite): void;
}

/**
 * A hand with a session to PEER, who owns THEIRS and is at `far`; skips where no TUN is allowed.
 */
async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const addon = addonHere();
  const clock = new SystemClock(addon);
  const hand = await openHand(clock, 0);
  const far = await openFar();
  const application = createSocket('udp4');
  try {
    const netlink = new Netlink(addon);
    const link = present(netlink.linkByName(hand.interfaceName), 'the interface');
    netlink.setLink(link, { mtu: 1420, isUp: true });
    netlink.addAddress(link.index, present(parseInterfaceAddress(`${OURS}/24`), 'an address'));
    application.bind(0, OURS);
    await once(application, 'listening');
    const session = keypair(1, { createdAt: clock.now() });
    const write = (each: TableWrite) => hand.write(each, clock.now());
    write({ kind: 'addPeer', peer: PEER });
    write({ kind: 'insertPrefix', peer: PEER, prefix: prefix(`${THEIRS}/32`) });
    write({ kind: 'setEndpoint', peer: PEER, endpoint: local(far.port.port) });
    write({ kind: 'installKeypair', peer: PEER, keypair: session });
    write({ kind: 'useKeypair', peer: PEER, localIndex: session.localIndex });
    await body({ hand, clock, far, application, session, write });
  } finally {
    application.close();
    far.port.close();
    hand.close();
  }
}

async function openHand(clock: Clock, port: number): Promise<ReferenceHand> {
  const addon = addonHere();
  try {
    return await ReferenceHand.open({ addon, suite: SUITE, clock }, { tun: '', port });
  } catch (error) {
    if (error instanceof HandError && /TUN/.test(error.message)) skip(`no TUN here: ${error.code}`);
    throw error;
  }
}

async function openFar() {
  const waiting: Uint8Array[] = [];
  let arrived: () => void = () => {};
  const port = await UdpPort.open(0, {
    received: (datagram) => {
      waiting.push(datagram);
      arrived();
    },
    sendFailed: () => {},
  });
  const next = async () => {
    for (;;) {
      const first = waiting.shift();
      if (first) return first;
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };
  return { port, next };
}

/** A port number that nobody has just now. */
function freePort(): number {
  const port = UdpPort.open(0, { received: () => {}, sendFailed: () => {} });
  port.close();
  return port.port;
}

function local(port: number): Endpoint {
  return endpoint(`127.0.0.1:${port}`);
}

hands('reference hand: seals what the host sends, and delivers what the peer seals', async () => {
  await withScene(async ({ hand, far, application, session }) => {
    application.send(Uint8Array.of(1, 2, 3), 7, THEIRS);
    const plaintext = present(opened(session, await far.next()), 'it opens');
    equalBytes(plaintext.subarray(28, 31), Uint8Array.of(1, 2, 3));

    const arrived = once(application, 'message');
    const way = { source: THEIRS, destination: OURS, port: application.address().port };
    const answer = ipv4Udp(way, [4, 5, 6]);
    far.port.send(local(hand.listenPort), sealed(session, 0n, answer));
    const [datagram] = await arrived;
    equalBytes(datagram, Uint8Array.of(4, 5, 6));

    const { walk, native } = hand.counters();
    assert.is(native, undefined);
    assert.is(walk.opened, 1n);
    assert.is(walk.inner_out, 1n);
    assert.is(walk.packet_to_javascript, walk.inner_in + 1n, 'every packet enters JavaScript');
    assert.is(hand.traffic(PEER).rxPackets, 1n);
  });
});

hands('reference hand: wakes for events and hands them out, a few at a time', async () => {
  await withScene(async ({ hand, far }) => {
    const events: WalkEvent[] = [];
    const woken = new Promise<void>((resolve) => {
      let count = 0;
      hand.onEvents(() => {
        count++;
        if (count === 3) resolve();
      });
    });
    for (let i = 0; i < 3; i++) far.port.send(local(hand.listenPort), handshake(3));
    await woken;
    assert.ok(hand.takeEvents(events, 2), 'more wait');
    assert.not(hand.takeEvents(events, 2));
    assert.equal(
      events.map((event) => event.kind),
      ['handshake', 'handshake', 'handshake'],
    );
  });
});

hands('reference hand: sends handshakes, and counts them as their peer’s traffic', async () => {
  await withScene(async ({ hand, clock, far }) => {
    hand.send(PEER, local(far.port.port), handshake(1), clock.now());
    hand.send(undefined, local(far.port.port), handshake(3), clock.now());
    equalBytes(await far.next(), handshake(1));
    equalBytes(await far.next(), handshake(3));
    const { txBytes, txPackets } = hand.traffic(PEER);
    assert.equal([txBytes, txPackets], [148n, 1n]);
  });
});

hands('reference hand: counts a failed send with its peer, though its caller goes on', async () => {
  await withScene(async ({ hand, clock, write }) => {
    write({ kind: 'setEndpoint', peer: PEER, endpoint: { ...local(9), port: 0 } });
    const now: Instant = clock.now();
    hand.write({ kind: 'sendKeepalive', peer: PEER }, now);
    hand.write({ kind: 'sendKeepalive', peer: PEER }, now);
    assert.is(hand.counters().drops.send_unreachable, 2n);
    assert.is(hand.traffic(PEER).drops.send_unreachable, 2n);
  });
});

hands('reference hand: says that it cannot mark datagrams, and what can', async () => {
  await withScene(async ({ hand }) => {
    hand.setMark(0);
    assert.throws(() => hand.setMark(1), /datapath: native/);
    assert.is(hand.remarks().length, 1);
  });
});

hands('reference hand: sends handshakes behind VXLAN where the endpoint says so', async () => {
  await withScene(async ({ hand, clock, far }) => {
    const to = { ...local(far.port.port), vni: 7 };
    hand.send(PEER, to, handshake(1), clock.now());
    equalBytes(await far.next(), concat(Uint8Array.of(8, 0, 0, 0, 0, 0, 7, 0), handshake(1)));
    assert.is(hand.traffic(PEER).txBytes, 148n, 'as WireGuard counts');
  });
});

hands('reference hand: carries bare packets both ways on a clear port', async () => {
  await withScene(async ({ hand, far, application, write }) => {
    // The clear port is that of both ends, so on one host the peer's is our own.
    const port = freePort();
    hand.setClearPorts([{ port, kind: 'udp' }]);
    write({
      kind: 'setEncapsulation',
      peer: PEER,
      encapsulation: { kind: 'udp', endpoint: local(port), until: NEVER },
    });
    const arrived = once(application, 'message');
    const way = { source: THEIRS, destination: OURS, port: application.address().port };
    far.port.send(local(port), ipv4Udp(way, [4, 5, 6]));
    const [datagram] = await arrived;
    equalBytes(datagram, Uint8Array.of(4, 5, 6));
    assert.is(hand.counters().walk.plaintext_in_bytes, 31n);

    application.send(Uint8Array.of(1, 2, 3), 7, THEIRS);
    await turnsUntil(() => hand.counters().drops.opened_source === 1n, 'ours comes back to us');
    assert.is(hand.counters().walk.plaintext_out_bytes, 31n);
    assert.is(hand.traffic(PEER).txBytes, 31n);
  });
});

/** Lets the event loop turn until something is so. */
async function turnsUntil(isSo: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`Never: ${what}`);
}

hands('reference hand: moves its listen port, and is spoken to at the new one', async () => {
  await withScene(async ({ hand, far, application, session }) => {
    const before = hand.listenPort;
    hand.setListenPort(0);
    assert.is.not(hand.listenPort, before);
    const arrived = once(application, 'message');
    const way = { source: THEIRS, destination: OURS, port: application.address().port };
    far.port.send(local(hand.listenPort), sealed(session, 0n, ipv4Udp(way, [9])));
    const [datagram] = await arrived;
    equalBytes(datagram, Uint8Array.of(9));
  });
});

hands('reference hand: makes a TUN again that was deleted, and goes on with it', async () => {
  await withScene(async ({ hand, far, application, session }) => {
    assert.throws(() => hand.reopenTun(), /again: EBUSY/);
    const netlink = new Netlink(addonHere());
    const named = () => present(netlink.linkByName(hand.interfaceName), 'the interface');
    netlink.deleteLink(named());
    assert.not(hand.hasTun());
    hand.reopenTun();
    assert.ok(hand.hasTun());
    const link = named();
    netlink.setLink(link, { mtu: 1420, isUp: true });
    netlink.addAddress(link.index, present(parseInterfaceAddress(`${OURS}/24`), 'an address'));
    application.send(Uint8Array.of(1, 2, 3), 7, THEIRS);
    const plaintext = present(opened(session, await far.next()), 'it opens');
    equalBytes(plaintext.subarray(28, 31), Uint8Array.of(1, 2, 3));
  });
});

hands('reference hand: leaves no device behind when the port is taken', async () => {
  const addon = addonHere();
  const clock = new SystemClock(addon);
  const first = await openHand(clock, 0);
  const netlink = new Netlink(addon);
  const before = netlink.links().length;
  try {
    const error = await openHand(clock, first.listenPort).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof HandError);
    assert.is(error.code, 'EADDRINUSE');
    assert.is(netlink.links().length, before);
  } finally {
    first.close();
  }
});

hands.run();
