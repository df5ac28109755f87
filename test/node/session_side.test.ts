import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { after, NEVER, seconds } from '../../src/base/time.js';
import { WallClock } from '../../src/base/wall_clock.js';
import type { NodeAction } from '../../src/node/action.js';
import { ActionQueue } from '../../src/node/action_queue.js';
import type { PeerConfig } from '../../src/node/config.js';
import { EndpointNames } from '../../src/node/endpoint_names.js';
import { MeshSide } from '../../src/node/mesh_side.js';
import type { Peer } from '../../src/node/peer_table.js';
import { SessionLog } from '../../src/node/session_log.js';
import { SessionSide } from '../../src/node/session_side.js';
import type { Features } from '../../src/session/features.js';
import { HandshakeDropCounters } from '../../src/session/handshake_drop.js';
import { Session } from '../../src/session/session.js';
import { endpoint } from '../support/parsed.js';
import { createParty, START } from '../support/session_scene.js';

const test = suite('node/session_side');
const SLOT = peerSlot(4);
const FEATURES: Features = { suites: ['chacha20-poly1305'], lanes: 1, trustsChecksums: false };
const PLACE = endpoint('192.0.2.9:51820');
const STAGED = { kind: 'sessionNeeded', reason: 'staged' } as const;

/** A peer whose session is made on first use, as the roster has them. */
function unmet(config: Partial<PeerConfig> = {}): Peer {
  const { publicKey } = createParty('theirs').keys;
  let made: Session | undefined;
  return {
    slot: SLOT,
    get hasSession() {
      return made !== undefined;
    },
    get session() {
      made ??= new Session(createParty('ours'), { slot: SLOT, publicKey });
      return made;
    },
    config: { name: 'beta', publicKey, allowedIps: [], protocol: 'heddle', ...config },
    isMesh: true,
    otherKey: undefined,
    isStockTold: false,
    latestHandshake: undefined,
  };
}

function createScene(peer: Peer) {
  const actions = new ActionQueue();
  const handshakeDrops = new HandshakeDropCounters();
  const nobody = (): never => {
    throw new Error('there is no mesh');
  };
  const hands = { upsert: nobody, remove: nobody, tell: nobody, setKeys: nobody, lift: nobody };
  const parts = {
    actions,
    handshakeDrops,
    log: new SessionLog(new WallClock(), SILENT),
    mesh: new MeshSide(undefined, hands),
    names: new EndpointNames(),
    peerAt: (slot: number) => (slot === peer.slot ? peer : undefined),
  };
  return { side: new SessionSide(parts, FEATURES), actions, handshakeDrops };
}

function kinds(actions: ActionQueue): string[] {
  const taken: NodeAction[] = [];
  actions.drain(taken);
  return taken.map((action) => (action.kind === 'write' ? action.write.kind : action.kind));
}

test('session side: the first thing for a peer makes its session, with all that is known', () => {
  const peer = unmet({ endpoint: { host: '192.0.2.7', port: 51_820 } });
  const { side, actions } = createScene(peer);
  side.tell(peer, STAGED, START);
  assert.ok(peer.hasSession);
  assert.is(peer.session.endpoint?.text, '192.0.2.7:51820');
  assert.equal(kinds(actions), ['setEndpoint', 'send']);
  assert.ok(side.deadline() < after(START, seconds(1.4)), 'as to a heddle peer');
});

test('session side: it wakes its sessions when they asked for it, and no longer', () => {
  const peer = unmet({ endpoint: { host: '192.0.2.7', port: 51_820 } });
  const { side, actions } = createScene(peer);
  assert.is(side.deadline(), NEVER);
  side.tell(peer, STAGED, START);
  kinds(actions);
  side.advance(after(START, seconds(0.9)));
  assert.equal(kinds(actions), []);
  side.advance(after(START, seconds(1.4)));
  assert.equal(kinds(actions), ['send'], 'the initiation is repeated');
  side.dismiss(peer, after(START, seconds(1.5)));
  assert.is(side.deadline(), NEVER);
  assert.equal(kinds(actions), [], 'of a peer that is gone nothing is written');
});

test('session side: a peer that was never talked to has nothing to stop', () => {
  const peer = unmet();
  const { side, actions } = createScene(peer);
  side.stop(peer, START);
  side.dismiss(peer, START);
  assert.not(peer.hasSession);
  assert.equal(kinds(actions), []);
});

test('session side: what sessions drop is counted', () => {
  const peer = unmet();
  const { side, handshakeDrops } = createScene(peer);
  side.tell(peer, { kind: 'sendControl', message: new Uint8Array(4) }, START);
  side.stop(peer, START);
  assert.is(side.controlDrops.read().control_unsent, 1);
  const response = { kind: 'response', datagram: new Uint8Array(92), source: PLACE } as const;
  side.tell(peer, response, START);
  assert.is(handshakeDrops.read().unknown_index, 1);
});

test.run();
