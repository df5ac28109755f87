import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isZero } from '../../src/base/bytes.js';
import {
  after,
  type Duration,
  type Instant,
  instant,
  micros,
  millis,
  NEVER,
  seconds,
  wallTime,
} from '../../src/base/time.js';
import { CookieChecker } from '../../src/session/cookie.js';
import { Session } from '../../src/session/session.js';
import { mac2Of } from '../../src/wire/wireguard.js';
import { LOW_ORDER_KEYS } from '../support/low_order.js';
import { endpoint } from '../support/parsed.js';
import {
  actionsOf,
  createParty,
  createSession,
  HERE,
  initiate,
  kindsOf,
  only,
  type Party,
  SLOT,
  START,
  THERE,
} from '../support/session_scene.js';

const test = suite('session');
const NEEDED = { kind: 'sessionNeeded', reason: 'staged' } as const;
const REKEY = { kind: 'sessionNeeded', reason: 'rekey' } as const;

function at(offset: Duration): Instant {
  return after(START, offset);
}

interface Scene {
  readonly left: Party;
  readonly right: Party;
  /** The left node's session with the right one. */
  readonly initiator: Session;
  /** The right node's session with the left one. */
  readonly responder: Session;
}

function createScene(): Scene {
  const [left, right] = [createParty('left'), createParty('right')];
  return {
    left,
    right,
    initiator: createSession(left, right),
    responder: createSession(right, left),
  };
}

/** A handshake from left to right, with what each side wants on the way. */
function handshake(scene: Scene, now: Instant, why: typeof NEEDED | typeof REKEY = NEEDED) {
  scene.initiator.handle(why, now);
  const first = only(actionsOf(scene.initiator), 'send').datagram;
  const answered = initiate(scene.right, scene.responder, first, now);
  const datagram = only(answered, 'send').datagram;
  scene.initiator.handle({ kind: 'response', datagram, source: THERE }, now);
  const completed = actionsOf(scene.initiator);
  const { localIndex } = only(answered, 'installKeypair').keypair;
  scene.responder.handle({ kind: 'confirmed', localIndex }, now);
  return { first, answered, completed, confirmed: actionsOf(scene.responder) };
}

test('session: a handshake installs, uses and confirms in this order', () => {
  const scene = createScene();
  const { answered, completed, confirmed } = handshake(scene, START);
  assert.equal(kindsOf(answered), ['setEndpoint', 'noteHandshake', 'installKeypair', 'send']);
  assert.equal(kindsOf(completed), [
    'noteHandshake',
    'installKeypair',
    'useKeypair',
    'flushStaged',
    'established',
  ]);
  assert.equal(kindsOf(confirmed), ['useKeypair', 'flushStaged', 'established']);
  assert.is(only(completed, 'flushStaged').orKeepalive, true, 'the initiator confirms');
  assert.is(only(confirmed, 'flushStaged').orKeepalive, false);
  const [ours, theirs] = [completed, answered].map((all) => only(all, 'installKeypair').keypair);
  assert.equal(ours?.sendKey, theirs?.receiveKey);
  assert.equal(ours?.receiveKey, theirs?.sendKey);
  assert.is(ours?.remoteIndex, theirs?.localIndex);
  assert.is(theirs?.remoteIndex, ours?.localIndex);
  assert.is(only(answered, 'noteHandshake').bytes, 148);
  assert.is(only(completed, 'noteHandshake').bytes, 92);
  assert.is(scene.initiator.state(START), 'established');
  assert.is(scene.left.table.size, 1, "the index of the handshake became the keypair's");
});

test('session: asking again while an attempt is under way sends nothing more', () => {
  const { initiator } = createScene();
  initiator.handle(NEEDED, START);
  only(actionsOf(initiator), 'send');
  initiator.handle(NEEDED, at(seconds(3)));
  initiator.handle(REKEY, at(seconds(4)));
  assert.equal(kindsOf(actionsOf(initiator)), []);
});

test('session: asked for before the session in use was made, nothing happens', () => {
  const scene = createScene();
  handshake(scene, START);
  scene.initiator.handle(REKEY, at(seconds(1)));
  scene.initiator.handle(NEEDED, at(seconds(2)));
  scene.initiator.advance(at(seconds(100)));
  assert.equal(kindsOf(actionsOf(scene.initiator)), []);
  assert.is(scene.initiator.state(at(seconds(100))), 'established');
});

test('session: after giving up, only data sent since is a reason to try again', () => {
  for (const [lastSent, tries] of [
    [seconds(100), 0],
    [seconds(110), 1],
  ] as const) {
    const scene = createScene();
    handshake(scene, START);
    const { initiator } = scene;
    const unanswered = {
      lastSent: at(seconds(1)),
      lastReceived: START,
      unansweredSend: at(seconds(1)),
      unansweredReceive: instant(0),
    };
    initiator.handle({ kind: 'activity', traffic: unanswered }, at(seconds(1)));
    const run = (until: Instant) => {
      while (initiator.deadline() <= until) {
        const now = initiator.deadline();
        initiator.advance(now);
        const traffic = { ...unanswered, lastSent: at(lastSent) };
        if (kindsOf(actionsOf(initiator)).includes('readActivity')) {
          initiator.handle({ kind: 'activity', traffic }, now);
        }
      }
    };
    run(at(seconds(107)));
    assert.is(initiator.state(at(seconds(107))), 'established', 'the keys are not too old');
    const before = scene.left.table.size;
    run(at(seconds(125)));
    assert.is(scene.left.table.size - before, tries, `sent ${lastSent} us after`);
  }
});

test('session: a response sent holds back our own initiation for 5 s (WireGuard §6.1)', () => {
  const scene = createScene();
  scene.initiator.handle(NEEDED, START);
  const first = only(actionsOf(scene.initiator), 'send').datagram;
  initiate(scene.right, scene.responder, first, START);
  scene.responder.handle(NEEDED, at(seconds(1)));
  assert.equal(kindsOf(actionsOf(scene.responder)), []);
  assert.is(scene.responder.deadline(), at(seconds(5)));
  scene.responder.advance(at(seconds(5)));
  only(actionsOf(scene.responder), 'send');
});

test('session: when both sides begin, both handshakes complete without a repetition', () => {
  const scene = createScene();
  scene.initiator.handle(NEEDED, START);
  scene.responder.handle(NEEDED, START);
  const left = only(actionsOf(scene.initiator), 'send').datagram;
  const right = only(actionsOf(scene.responder), 'send').datagram;
  const now = at(millis(1));
  const toLeft = only(initiate(scene.right, scene.responder, left, now), 'send');
  const toRight = only(initiate(scene.left, scene.initiator, right, now, THERE), 'send');
  for (const [session, { datagram }] of [
    [scene.initiator, toLeft],
    [scene.responder, toRight],
  ] as const) {
    session.handle({ kind: 'response', datagram, source: THERE }, at(millis(2)));
    const kinds = kindsOf(actionsOf(session));
    assert.ok(kinds.includes('useKeypair') && kinds.includes('established'), kinds.join());
    assert.is(session.state(at(millis(2))), 'established');
  }
  assert.is(scene.left.table.size, 2, "own keypair current, the other's previous");
});

test('session: replays and old timestamps change nothing (attack row 1)', () => {
  const scene = createScene();
  const { first } = handshake(scene, START);
  const elsewhere = endpoint('198.51.100.66:666');
  const later = at(seconds(30));
  const before = scene.responder.deadline();
  const replayed = initiate(scene.right, scene.responder, first, later, elsewhere);
  assert.equal(replayed, [{ kind: 'handshakeDropped', reason: 'timestamp_old' }]);
  assert.is(scene.responder.endpoint?.text, HERE.text, 'the endpoint does not move');
  assert.is(scene.responder.deadline(), before, 'no timer moves');
  assert.is(scene.right.table.size, 1, 'no index is taken');
});

test('session: a replayed or forged response changes nothing', () => {
  const scene = createScene();
  scene.initiator.handle(NEEDED, START);
  const initiation = only(actionsOf(scene.initiator), 'send').datagram;
  const { datagram } = only(initiate(scene.right, scene.responder, initiation, START), 'send');
  const source = endpoint('198.51.100.66:666');
  const forged = datagram.slice();
  forged[20] = (forged[20] ?? 0) ^ 1;
  scene.initiator.handle({ kind: 'response', datagram: forged, source }, START);
  assert.equal(actionsOf(scene.initiator), [{ kind: 'handshakeDropped', reason: 'response_tag' }]);
  scene.initiator.handle({ kind: 'response', datagram, source: THERE }, START);
  assert.ok(kindsOf(actionsOf(scene.initiator)).includes('established'), 'the real one still does');
  scene.initiator.handle({ kind: 'response', datagram, source }, START);
  assert.equal(actionsOf(scene.initiator), [{ kind: 'handshakeDropped', reason: 'unknown_index' }]);
  assert.is(scene.initiator.endpoint?.text, THERE.text);
});

test("session: one peer's initiations are taken 50 a second at most (WG-20)", () => {
  const scene = createScene();
  const offsets: readonly (readonly [ms: number, outcome: string])[] = [
    [0, 'send'],
    [17, 'too_soon'],
    [19, 'too_soon'],
    [20, 'send'],
    [39, 'too_soon'],
    [40, 'send'],
  ];
  let wall = 1_795_392_100_000_000;
  for (const [ms, outcome] of offsets) {
    const peer = createSession(scene.left, scene.right);
    wall += 20_000;
    scene.left.wallClock.set(wallTime(wall), at(seconds(100)));
    peer.handle(NEEDED, at(seconds(100)));
    const { datagram } = only(actionsOf(peer), 'send');
    const now = at(micros(seconds(100) + millis(ms)));
    const actions = initiate(scene.right, scene.responder, datagram, now);
    const [last] = actions.slice(-1);
    const got = last?.kind === 'handshakeDropped' ? last.reason : last?.kind;
    assert.is(got, outcome, `after ${ms} ms`);
  }
});

test('session: own timestamps increase though the wall clock goes back a year (row 44)', () => {
  const scene = createScene();
  const year = 365 * 86_400;
  handshake(scene, START);
  for (const [round, wallSeconds] of [-year, 10 * year, 0].entries()) {
    const now = at(seconds(200 * (round + 1)));
    const wall = wallTime(1_795_392_000_000_000 + wallSeconds * 1_000_000);
    scene.left.wallClock.set(wall, now);
    const { confirmed } = handshake(scene, now);
    assert.ok(kindsOf(confirmed).includes('established'), `round ${round}`);
  }
});

test('session: a peer whose public key is of low order is sent nothing (attack row 5)', () => {
  for (const [name, publicKey] of LOW_ORDER_KEYS) {
    const [left, right] = [createParty('left'), createParty('right')];
    const session = createSession(left, { ...right, keys: { ...right.keys, publicKey } });
    session.handle(NEEDED, START);
    const actions = actionsOf(session);
    assert.equal(actions, [{ kind: 'handshakeDropped', reason: 'unsendable' }], name);
    session.handle({ kind: 'persistentKeepalive', interval: seconds(1) }, START);
    for (let now = START; now < at(seconds(200)); now = after(now, millis(500)))
      session.advance(now);
    assert.not.ok(kindsOf(actionsOf(session)).includes('send'), name);
    assert.is(left.table.size, 0, name);
  }
});

test('session: a cookie reply makes the next initiation carry mac2, and sends nothing', () => {
  const scene = createScene();
  const checker = new CookieChecker(scene.right.crypto, scene.right.random);
  checker.setPublicKey(scene.right.keys.publicKey);
  scene.initiator.handle(NEEDED, START);
  const { datagram } = only(actionsOf(scene.initiator), 'send');
  assert.ok(isZero(mac2Of(datagram)));
  const reply = checker.createReply(datagram, HERE, START);
  scene.initiator.handle({ kind: 'cookieReply', datagram: reply }, START);
  assert.equal(actionsOf(scene.initiator), []);
  scene.initiator.handle({ kind: 'cookieReply', datagram: reply }, START);
  assert.equal(actionsOf(scene.initiator), [
    { kind: 'handshakeDropped', reason: 'cookie_unasked' },
  ]);
  const next = scene.initiator.deadline();
  scene.initiator.advance(next);
  const again = only(actionsOf(scene.initiator), 'send').datagram;
  assert.ok(checker.isMac2Valid(again, HERE, next));
});

test('session: repeating a handshake forgets the local address (kernel timers.c)', () => {
  const { initiator } = createScene();
  const local = { address: HERE.address, interfaceIndex: 3 };
  initiator.handle({ kind: 'endpoint', endpoint: { ...THERE, local } }, START);
  actionsOf(initiator);
  initiator.handle(NEEDED, START);
  assert.equal(only(actionsOf(initiator), 'send').endpoint.local, local);
  initiator.advance(initiator.deadline());
  const actions = actionsOf(initiator);
  assert.equal(kindsOf(actions), ['setEndpoint', 'send']);
  assert.is(only(actions, 'setEndpoint').endpoint.local, undefined);
});

test('session: without an endpoint an attempt waits for one', () => {
  const [left, right] = [createParty('left'), createParty('right')];
  const session = new Session(left, { slot: SLOT, publicKey: right.keys.publicKey });
  session.handle(NEEDED, START);
  assert.equal(actionsOf(session), []);
  session.handle({ kind: 'endpoint', endpoint: THERE }, at(seconds(1)));
  assert.equal(kindsOf(actionsOf(session)), ['setEndpoint', 'send']);
});

test('session: a changed identity ends every session, and the next packet begins at once', () => {
  const scene = createScene();
  handshake(scene, START);
  const third = createParty('third');
  scene.left.identity.keys = third.keys;
  scene.initiator.handle({ kind: 'identityChanged' }, at(seconds(1)));
  assert.equal(kindsOf(actionsOf(scene.initiator)), ['removeKeypair']);
  scene.initiator.handle(NEEDED, at(seconds(1)));
  const sent = only(actionsOf(scene.initiator), 'send').datagram;
  const session = createSession(scene.right, third);
  only(initiate(scene.right, session, sent, at(seconds(1))), 'installKeypair');
});

test('session: where packets wait, a changed identity begins again at once', () => {
  const scene = createScene();
  scene.initiator.handle(NEEDED, START);
  actionsOf(scene.initiator);
  scene.left.identity.keys = createParty('third').keys;
  scene.initiator.handle({ kind: 'identityChanged' }, at(seconds(1)));
  only(actionsOf(scene.initiator), 'send');
});

test('session: stopping removes every keypair and wakes for nothing', () => {
  const scene = createScene();
  handshake(scene, START);
  handshake(scene, at(seconds(120)), REKEY);
  scene.initiator.handle({ kind: 'stop' }, at(seconds(121)));
  assert.equal(kindsOf(actionsOf(scene.initiator)), ['removeKeypair', 'removeKeypair']);
  assert.is(scene.left.table.size, 0);
  assert.is(scene.initiator.deadline(), NEVER);
});

test('session: an idle peer wants nothing, and says so', () => {
  const { initiator } = createScene();
  assert.is(initiator.deadline(), NEVER);
  assert.is(initiator.state(START), 'idle');
  assert.is(initiator.reason(), undefined);
});

test.run();
