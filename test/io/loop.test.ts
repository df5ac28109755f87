/** What drives a node: bounded turns, one timer, clocks that are fed, actions carried out. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Address, type Endpoint, parseEndpoint } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { nodeId, type PeerSlot, peerSlot, sessionIndex } from '../../src/base/identifiers.js';
import { SeededRandom } from '../../src/base/random.js';
import { type Instant, instant, millis, NEVER, seconds, toSeconds } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { NATIVE_COUNTERS, record, WalkCounters } from '../../src/datapath/counters.js';
import type { TableWrite, WalkEvent } from '../../src/datapath/tables.js';
import { Walk } from '../../src/datapath/walk.js';
import type { Hand, HandCounters } from '../../src/io/hand.js';
import { NodeLoop } from '../../src/io/loop.js';
import type { MeshAction } from '../../src/mesh/action.js';
import type { MeshInput } from '../../src/mesh/input.js';
import { emptyPicture } from '../../src/mesh/picture.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import type { HostPort } from '../../src/node/config.js';
import type { HostMeshAction, MeshPort } from '../../src/node/mesh_port.js';
import { Node } from '../../src/node/node.js';
import { FakeTimers } from '../support/fake_timers.js';
import { KeptLog } from '../support/kept_log.js';
import { configOf } from '../support/pair.js';
import { address, prefix } from '../support/parsed.js';
import { SUITE } from '../support/walk_rig.js';

const loops = suite('loop');

/** Takes everything and does nothing. */
class FakeHand implements Hand {
  readonly kind = 'reference';
  readonly lanes = 1;
  readonly interfaceName = 'fake';
  readonly listenPort = 51_820;
  /** What was done, in order; a batch of writes ends with `commit`. */
  readonly calls: (TableWrite['kind'] | 'send' | 'commit')[] = [];
  readonly sent: { peer: PeerSlot | undefined; endpoint: Endpoint; datagram: Uint8Array }[] = [];
  /** Events that wait, and how many were asked for each time. */
  readonly waiting: WalkEvent[] = [];
  readonly limits: number[] = [];
  wake: () => void = () => {};
  /** What a write raises at once. */
  raise: (write: TableWrite) => WalkEvent[] = () => [];

  onEvents(wake: () => void): void {
    this.wake = wake;
  }

  write(write: TableWrite): void {
    this.calls.push(write.kind);
    this.waiting.push(...this.raise(write));
  }

  commit(): void {
    this.calls.push('commit');
  }

  send(peer: PeerSlot | undefined, endpoint: Endpoint, datagram: Uint8Array): void {
    this.calls.push('send');
    this.sent.push({ peer, endpoint, datagram });
  }

  takeEvents(out: WalkEvent[], limit: number): boolean {
    this.limits.push(limit);
    out.push(...this.waiting.splice(0, limit));
    return this.waiting.length > 0;
  }

  counters(): HandCounters {
    const native = record(NATIVE_COUNTERS, new BigUint64Array(NATIVE_COUNTERS.length));
    return { ...new WalkCounters().read(), native };
  }

  traffic(peer: PeerSlot) {
    return new Walk({ suite: SUITE }).traffic(peer);
  }

  setMark(): void {}
  setListenPort(): void {}
  setClearPorts(): void {}
  setOffloads(): void {}
  hasTun(): boolean {
    return true;
  }

  reopenTun(): void {}

  remarks(): readonly string[] {
    return [];
  }

  close(): void {}
}

interface Scene {
  readonly timers: FakeTimers;
  readonly hand: FakeHand;
  readonly node: Node;
  readonly log: KeptLog;
  readonly loop: NodeLoop;
  readonly asked: string[];
  /** What names resolve to. */
  readonly names: Map<string, Address>;
}

function createScene(timers: FakeTimers): Scene {
  const [hand, log] = [new FakeHand(), new KeptLog()];
  const [asked, names] = [[] as string[], new Map<string, Address>()];
  const node = new Node({ crypto: SUITE, random: new SeededRandom('loop'), log });
  const resolve = (host: string): Promise<Address | undefined> => {
    asked.push(host);
    return Promise.resolve(names.get(host));
  };
  const loop = new NodeLoop({ node, hand, clock: timers, resolve });
  return { timers, hand, node, log, loop, asked, names };
}

function withScene(body: (scene: Scene) => void): void {
  const timers = new FakeTimers();
  timers.during(() => {
    const scene = createScene(timers);
    try {
      body(scene);
    } finally {
      scene.loop.stop();
    }
  });
}

function configure({ loop }: Scene, endpoint?: HostPort): void {
  const [own, other] = ['own', 'other'].map((seed) => generatePrivateKey(new SeededRandom(seed)));
  const publicKey = SUITE.publicKey(present(other, 'a key'));
  const allowedIps = [prefix('10.0.0.2/32')];
  const peer = { name: 'other', publicKey, allowedIps, ...(endpoint ? { endpoint } : {}) };
  loop.handle({ kind: 'configure', config: configOf(present(own, 'a key'), [peer]) });
}

const PEER = peerSlot(0);
const NEEDED: WalkEvent = { kind: 'sessionNeeded', peer: PEER, reason: 'staged' };
const THERE: HostPort = { host: '192.0.2.1', port: 51_820 };
/** An event that changes nothing: it is of no peer. */
const NOTHING: WalkEvent = { kind: 'confirmed', peer: peerSlot(99), localIndex: sessionIndex(7) };

loops('loop: carries out what the node wants, in order, and ends a batch with a commit', () => {
  withScene((scene) => {
    configure(scene, THERE);
    assert.equal(scene.hand.calls.slice(-4), ['addPeer', 'insertPrefix', 'setEndpoint', 'commit']);
    scene.hand.waiting.push(NEEDED);
    scene.hand.wake();
    const [sent, ...others] = scene.hand.sent;
    assert.equal(others, []);
    assert.is(sent?.endpoint.text, '192.0.2.1:51820');
    assert.is(sent?.datagram.length, 148);
    assert.is(sent?.peer, PEER);
  });
});

loops('loop: a turn takes a bounded number of events, and others get theirs in between', () => {
  withScene(({ hand, timers }) => {
    hand.waiting.push(...Array.from({ length: 1000 }, () => NOTHING));
    hand.wake();
    assert.is(hand.waiting.length, 1000 - 128);
    assert.is(timers.waiting().immediates, 1);
    // A wake-up meanwhile is a turn of its own, and adds no second one behind.
    hand.wake();
    assert.is(hand.waiting.length, 1000 - 256);
    assert.is(timers.waiting().immediates, 1);
    timers.run(millis(0));
    assert.is(hand.waiting.length, 0);
    assert.is(timers.waiting().immediates, 0);
    assert.ok(hand.limits.every((limit) => limit <= 128));
  });
});

/** A peer that sent data at `at`, which awaits an answer of ours. */
function received(at: Instant): WalkEvent {
  const never = instant(0);
  const activity = {
    lastSent: never,
    lastReceived: at,
    unansweredSend: never,
    unansweredReceive: at,
  };
  return { kind: 'activity', peer: PEER, activity };
}

loops('loop: what a write raises is taken in the same turn', () => {
  withScene((scene) => {
    const { hand, timers } = scene;
    configure(scene, THERE);
    let read = 0;
    hand.raise = (write) => {
      if (write.kind !== 'readActivity') return [];
      read++;
      return [NOTHING];
    };
    hand.waiting.push(received(timers.now()));
    hand.wake();
    assert.is(read, 0);
    timers.run(seconds(9));
    while (read === 0) timers.run(millis(1));
    assert.equal(hand.waiting, []);
    assert.is(timers.waiting().immediates, 0);
  });
});

loops('loop: a turn ends even where more is promised and nothing comes', () => {
  withScene((scene) => {
    const { hand, timers } = scene;
    configure(scene, THERE);
    // The hand says that more waits, but hands nothing out.
    hand.takeEvents = (_out, limit) => {
      hand.limits.push(limit);
      assert.ok(hand.limits.length < 10_000, 'the turn ends');
      return true;
    };
    const before = hand.limits.length;
    hand.wake();
    assert.is(hand.limits.length - before, 128);
    assert.is(timers.waiting().immediates, 1);
  });
});

loops('loop: one timer waits, for the node or for a minute', () => {
  withScene((scene) => {
    const { timers, hand } = scene;
    assert.is(timers.waiting().timers, 1);
    assert.is(timers.next(), timers.now() + seconds(60), 'nothing to do but look at the clock');
    configure(scene, THERE);
    hand.waiting.push(NEEDED);
    for (let i = 0; i < 10; i++) hand.wake();
    assert.is(timers.waiting().timers, 1);
    const wait = present(timers.next(), 'a timer') - timers.now();
    assert.ok(wait >= seconds(5) && wait <= seconds(6), `${wait} us until the next initiation`);
    timers.run(seconds(6));
    assert.is(hand.sent.length, 2, 'it was sent again');
    assert.is(timers.waiting().timers, 1);
  });
});

loops('loop: a timer never fires early, nor long after', () => {
  withScene((scene) => {
    const { timers, hand, node } = scene;
    configure(scene, THERE);
    hand.waiting.push(NEEDED);
    hand.wake();
    for (let i = 0; i < 5; i++) {
      const deadline = node.deadline();
      const next = present(timers.next(), 'a timer');
      assert.ok(next >= deadline && next - deadline <= millis(1), `${next} for ${deadline}`);
      timers.run(seconds(6));
    }
  });
});

loops('loop: after a suspension everything that is due happens at once', () => {
  withScene((scene) => {
    const { timers, hand } = scene;
    configure(scene, THERE);
    hand.waiting.push(NEEDED);
    hand.wake();
    timers.suspend(seconds(3600));
    timers.run(millis(0));
    assert.ok(hand.calls.includes('dropStaged'), 'the attempt was given up');
  });
});

loops('loop: a jump of the wall clock is told, drift is not', () => {
  withScene(({ log, timers, hand }) => {
    timers.wallJump = seconds(3600);
    hand.wake();
    assert.equal(
      log.lines.map(({ level, message }) => [level, message]),
      [['warn', 'The wall clock jumped']],
    );
    assert.equal(log.lines[0]?.fields, { seconds: 3600 });
    timers.wallJump -= seconds(7200);
    timers.run(seconds(61));
    assert.is(log.lines.length, 2, 'noticed within a minute, though nothing happened');
    for (let i = 0; i < 1000; i++) {
      timers.wallJump += millis(5);
      timers.run(seconds(1));
      hand.wake();
    }
    assert.is(log.lines.length, 2);
  });
});

loops('loop: an answer to a name goes back to the node', async () => {
  const timers = new FakeTimers();
  const scenes: Scene[] = [];
  timers.during(() => {
    const scene = createScene(timers);
    scene.names.set('other.example', address('192.0.2.7'));
    configure(scene, { host: 'other.example', port: 4500 });
    scenes.push(scene);
  });
  const [scene] = scenes;
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(scene?.asked, ['other.example']);
  const endpoint = scene?.node.snapshot().peers[0]?.endpoint;
  assert.equal(endpoint, parseEndpoint('192.0.2.7:4500'));
  scene?.loop.stop();
});

loops('loop: stop makes the node forget, and nothing happens any more', () => {
  const timers = new FakeTimers();
  timers.during(() => {
    const scene = createScene(timers);
    const { loop, hand } = scene;
    configure(scene, THERE);
    hand.waiting.push(...Array.from({ length: 200 }, () => NOTHING), NEEDED);
    hand.wake();
    assert.equal(timers.waiting(), { timers: 1, immediates: 1 });
    loop.stop();
    assert.equal(timers.waiting(), { timers: 0, immediates: 0 });
    const before = hand.calls.length;
    hand.waiting.push(NEEDED);
    hand.wake();
    configure(scene, THERE);
    timers.run(seconds(600));
    assert.is(hand.calls.length, before);
    assert.equal(timers.waiting(), { timers: 0, immediates: 0 });
  });
});

/** A mesh that wants `wanted` once, and keeps what it is fed. */
class KeptMesh implements MeshPort {
  readonly fed: MeshInput[] = [];
  readonly wanted: MeshAction[] = [];

  handle(input: MeshInput): void {
    this.fed.push(input);
  }

  advance(): void {}

  deadline(): Instant {
    return NEVER;
  }

  drain(out: MeshAction[]): void {
    out.push(...this.wanted.splice(0));
  }

  snapshot(): MeshSnapshot {
    return emptyPicture(nodeId('0000000000000000'), undefined);
  }

  /** How late it was told that the loop runs, in seconds. */
  lags(): number[] {
    return this.fed.flatMap((each) => (each.kind === 'lag' ? [toSeconds(each.lag)] : []));
  }
}

function withMesh(body: (scene: { mesh: KeptMesh; timers: FakeTimers } & MeshScene) => void): void {
  const [timers, mesh] = [new FakeTimers(), new KeptMesh()];
  timers.during(() => {
    const parts = { crypto: SUITE, random: new SeededRandom('loop'), log: new KeptLog() };
    const node = new Node({ ...parts, mesh });
    const lifted: HostMeshAction[] = [];
    const resolve = (): Promise<undefined> => Promise.resolve(undefined);
    const onMesh = (action: HostMeshAction): void => void lifted.push(action);
    const hand = new FakeHand();
    const loop = new NodeLoop({ node, hand, clock: timers, resolve, onMesh });
    body({ mesh, timers, loop, lifted });
    loop.stop();
    assert.equal(timers.waiting(), { timers: 0, immediates: 0 });
  });
}

interface MeshScene {
  readonly loop: NodeLoop;
  readonly lifted: HostMeshAction[];
}

loops('loop: what the mesh wants of the host is handed on, in order', () => {
  withMesh(({ mesh, loop, lifted }) => {
    const content = Uint8Array.of(1);
    const wanted: HostMeshAction[] = [
      { kind: 'persist', request: 1, file: 'own', content },
      { kind: 'addresses', addresses: [], prefixes: [] },
      { kind: 'forgetNetwork', why: 'it left' },
    ];
    mesh.wanted.push(...wanted);
    loop.handle({ kind: 'mesh', input: { kind: 'persisted', request: 1, isSafe: true } });
    assert.equal(lifted, wanted);
    assert.is(mesh.fed.at(-1)?.kind, 'persisted');
    assert.is(mesh.fed[0]?.kind, 'wallClock', 'the time comes first');
  });
});

loops('loop: a mesh is told once a second how late everything runs', () => {
  withMesh(({ mesh, timers, loop }) => {
    timers.run(seconds(3));
    assert.equal(mesh.lags(), [0, 0, 0]);
    timers.suspend(seconds(5));
    timers.run(millis(0));
    assert.equal(mesh.lags().slice(3), [4]);
    timers.run(seconds(2));
    assert.equal(mesh.lags().slice(4), [0, 0], 'and is on time again');
    loop.stop();
    timers.run(seconds(5));
    assert.is(mesh.lags().length, 6);
  });
});

loops.run();
