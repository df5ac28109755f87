/** Who holds a join line: keys, requests, back-off, refusals, and what the caller is told. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, millis, NEVER, seconds } from '../../src/base/time.js';
import type { JoinerAction } from '../../src/enrol/action.js';
import { Joiner } from '../../src/enrol/joiner.js';
import { invitationKey } from '../../src/identity/invitation_key.js';
import { type JoinMessage, type JoinRefusal, joinNumber } from '../../src/wire/join.js';
import { equalBytes } from '../support/bytes.js';
import { sampleRecord } from '../support/control_samples.js';
import {
  ADMIN_KEY,
  identityKeyOf,
  introducerKey,
  lineOf,
  requestOf,
  SEED,
} from '../support/enrol_scene.js';

const test = suite('enrol/joiner');

const START = instant(1_000_000);
const NUMBER = joinNumber(requestOf(0));

class Rig {
  readonly joiner: Joiner;
  now: Instant = START;

  constructor({ uses = 1, introducers = 1, expiresAt = NEVER as Instant, seed = 'joiner' } = {}) {
    const line = lineOf(uses, introducers);
    const config = { line, identityKey: identityKeyOf(0), name: 'host-0', expiresAt };
    this.joiner = new Joiner(config, new SeededRandom(seed));
  }

  begin(): JoinerAction[] {
    this.joiner.handle({ kind: 'record', record: requestOf(0).record }, this.now);
    return this.drain();
  }

  session(isMade: boolean, index = 0): JoinerAction[] {
    const publicKey = introducerKey(index);
    this.joiner.handle({ kind: 'session', publicKey, isMade }, this.now);
    return this.drain();
  }

  hear(message: JoinMessage, index = 0): JoinerAction[] {
    const publicKey = introducerKey(index);
    this.joiner.handle({ kind: 'message', publicKey, message }, this.now);
    return this.drain();
  }

  refuse(why: JoinRefusal, index = 0): JoinerAction[] {
    return this.hear({ kind: 'refused', number: NUMBER, why }, index);
  }

  /** Goes to the deadline. */
  wake(): JoinerAction[] {
    this.now = this.joiner.deadline();
    this.joiner.advance(this.now);
    return this.drain();
  }

  pass(duration: Parameters<typeof after>[1]): JoinerAction[] {
    this.now = after(this.now, duration);
    this.joiner.advance(this.now);
    return this.drain();
  }

  drain(): JoinerAction[] {
    const out: JoinerAction[] = [];
    this.joiner.drain(out);
    return out;
  }
}

function kinds(actions: readonly JoinerAction[]): string {
  return actions.map(({ kind }) => kind).join(' ');
}

function useOf(actions: readonly JoinerAction[], uses: number): number {
  const key = actions.find((action) => action.kind === 'useKey');
  if (key?.kind !== 'useKey' || !key.privateKey) return -1;
  const text = key.privateKey.join();
  return Array.from({ length: uses }, (_, use) => invitationKey(SEED, use).join()).indexOf(text);
}

test('joiner: nothing happens before its node record is signed', () => {
  const { joiner } = new Rig();
  assert.equal([joiner.deadline(), joiner.phase], [NEVER, 'idle']);
});

test('joiner: it takes the key of a use, adds the introducers and asks each', () => {
  const rig = new Rig({ introducers: 2 });
  const actions = rig.begin();
  assert.is(kinds(actions), 'useKey addPeer send addPeer send');
  assert.is(useOf(actions, 1), 0);
  const send = actions[2];
  if (send?.kind !== 'send') throw new Error('a message is sent');
  equalBytes(send.publicKey, introducerKey(0));
  assert.equal(send.message, { kind: 'request', request: requestOf(0) });
  assert.ok(rig.joiner.asks(introducerKey(1)));
  assert.not(rig.joiner.asks(introducerKey(2)));
});

test('joiner: hosts that share a line begin with different uses', () => {
  const uses = new Set<number>();
  for (let i = 0; i < 40; i++) uses.add(useOf(new Rig({ uses: 16, seed: `${i}` }).begin(), 16));
  assert.ok(uses.size > 10 && !uses.has(-1), `${uses.size} of 16`);
});

test('joiner: in a session it asks after 1 s, then ever later, at last each 10 to 12.5 s', () => {
  const rig = new Rig();
  rig.begin();
  rig.session(true);
  rig.hear({ kind: 'waiting', admin: ADMIN_KEY });
  for (const limit of [1, 2, 4, 8, 10, 10, 10]) {
    const before = rig.now;
    assert.is(kinds(rig.wake()), 'send');
    const passed = rig.now - before;
    assert.ok(passed >= seconds(limit) && passed <= seconds(limit * 1.25), `${passed} of ${limit}`);
  }
});

test('joiner: without a session it asks again when the handshake was given up', () => {
  const rig = new Rig();
  rig.begin();
  assert.is(kinds(rig.pass(seconds(6))), 'silent');
  assert.is(kinds(rig.pass(seconds(4))), '', 'one request waits for the session');
  rig.session(false);
  assert.is(kinds(rig.pass(seconds(2))), 'send');
});

test('joiner: with a session that is made again it goes on as it was', () => {
  const rig = new Rig();
  rig.begin();
  rig.session(true);
  const at = rig.joiner.deadline();
  rig.session(true);
  assert.is(rig.joiner.deadline(), at);
});

test('joiner: a later record of its own takes the place of the first', () => {
  const rig = new Rig();
  rig.begin();
  rig.session(true);
  const record = sampleRecord({ kind: 'node', version: 99 }).bytes;
  rig.joiner.handle({ kind: 'record', record }, rig.now);
  assert.is(kinds(rig.drain()), '', 'and waits for the next request');
  const [send] = rig.wake();
  if (send?.kind !== 'send' || send.message.kind !== 'request') throw new Error('it asks');
  equalBytes(send.message.request.record, record);
});

test('joiner: what is granted goes to the caller until it is certified', () => {
  const rig = new Rig({ introducers: 2 });
  rig.begin();
  const record = sampleRecord().bytes;
  const [granted] = rig.hear({ kind: 'granted', number: NUMBER, record });
  if (granted?.kind !== 'granted') throw new Error('it is handed on');
  equalBytes(granted.record, record);
  rig.joiner.handle({ kind: 'certified' }, rig.now);
  const end = rig.drain();
  assert.is(kinds(end), 'useKey removePeer removePeer joined');
  assert.equal(end[0], { kind: 'useKey', privateKey: undefined });
  assert.equal([rig.joiner.phase, rig.joiner.deadline()], ['joined', NEVER]);
  assert.is(kinds(rig.hear({ kind: 'granted', number: NUMBER, record })), '');
  assert.is(kinds(rig.refuse('revoked')), '');
});

test('joiner: a use that is taken is left for the next, with sessions of its own', () => {
  const rig = new Rig({ uses: 3, introducers: 2 });
  const first = useOf(rig.begin(), 3);
  const second = rig.refuse('used');
  assert.is(kinds(second), 'removePeer removePeer useKey addPeer send addPeer send');
  assert.is(useOf(second, 3), (first + 1) % 3);
  assert.is(useOf(rig.refuse('used', 1), 3), (first + 2) % 3);
  assert.is(kinds(rig.refuse('used')), '', 'the last: the other may know better');
  assert.is(kinds(rig.refuse('used', 1)), 'useKey removePeer removePeer refused');
});

test('joiner: a clear refusal by all is the end, each by its reason', () => {
  for (const why of ['unknown_invitation', 'expired', 'revoked', 'malformed', 'used'] as const) {
    const rig = new Rig();
    rig.begin();
    const actions = rig.refuse(why);
    assert.equal(actions.at(-1), { kind: 'refused', why });
    assert.equal([rig.joiner.phase, rig.joiner.deadline()], ['refused', NEVER]);
  }
});

test('joiner: one refusal is the end after 5 s, where no other is about to grant', () => {
  const rig = new Rig({ introducers: 2 });
  rig.begin();
  rig.session(true);
  assert.is(kinds(rig.refuse('revoked')), '');
  assert.not(kinds(rig.pass(millis(4_900))).includes('refused'));
  assert.ok(kinds(rig.pass(millis(200))).endsWith('refused'));
  const other = new Rig({ introducers: 2 });
  other.begin();
  other.refuse('revoked');
  other.hear({ kind: 'waiting', admin: ADMIN_KEY }, 1);
  assert.not(kinds(other.pass(seconds(20))).includes('refused'));
});

test('joiner: a busy admin is asked again, and nothing else follows', () => {
  const rig = new Rig();
  rig.begin();
  rig.session(true);
  assert.is(kinds(rig.refuse('busy')), '');
  assert.is(kinds(rig.wake()), 'send');
});

test('joiner: what is said to another host that met it in one use is not for it', () => {
  const rig = new Rig({ uses: 2 });
  rig.begin();
  const number = joinNumber(requestOf(1));
  assert.is(kinds(rig.hear({ kind: 'refused', number, why: 'used' })), '');
  const record = sampleRecord().bytes;
  assert.is(kinds(rig.hear({ kind: 'granted', number, record })), '');
  assert.is(kinds(rig.hear({ kind: 'request', request: requestOf(1) })), '');
});

test('joiner: a message of somebody else is nothing', () => {
  const rig = new Rig();
  rig.begin();
  assert.is(kinds(rig.refuse('revoked', 7)), '');
  assert.is(rig.joiner.phase, 'asking');
});

test('joiner: that nobody answers is said once, and whether the line may have expired', () => {
  for (const [expiresAt, isExpired] of [
    [NEVER, false],
    [after(START, seconds(1)), true],
  ] as const) {
    const rig = new Rig({ expiresAt });
    rig.begin();
    assert.equal(rig.pass(seconds(5)), [{ kind: 'silent', isExpired }]);
    assert.not(kinds(rig.pass(seconds(60))).includes('silent'));
  }
  const heard = new Rig();
  heard.begin();
  heard.hear({ kind: 'waiting', admin: ADMIN_KEY });
  assert.not(kinds(heard.pass(seconds(6))).includes('silent'));
});

test('joiner: waking early or twice changes nothing', () => {
  const rig = new Rig({ introducers: 3 });
  rig.begin();
  const at = rig.joiner.deadline();
  assert.is(kinds(rig.pass(millis(1))), '');
  assert.is(rig.joiner.deadline(), at);
});

test.run();
