/** A member that joiners come to: forwards, answers, entries and their limits. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { after, type Instant, instant, NEVER, seconds } from '../../src/base/time.js';
import type { IntroducerAction } from '../../src/enrol/action.js';
import { Introducer } from '../../src/enrol/introducer.js';
import type { IntroducerInput } from '../../src/enrol/input.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { joinNumber } from '../../src/wire/join.js';
import { equalBytes } from '../support/bytes.js';
import { sampleRecord } from '../support/control_samples.js';
import {
  ADMIN_KEY,
  certificateOf,
  DELEGATION,
  identityKeyOf,
  INVITATION,
  requestOf,
} from '../support/enrol_scene.js';

const test = suite('enrol/introducer');

const FIRST = 0xffffffff;
const JOINER = new Uint8Array(32).fill(9);
const OWN = sampleRecord({ kind: 'node', version: 5 }).bytes;
const CERTIFICATE = certificateOf(nodeIdOf(identityKeyOf(0)));

class Rig {
  readonly introducer = new Introducer(FIRST);
  now: Instant = instant(0);

  ask(host = 0, use = 0, invitation = INVITATION): IntroducerAction[] {
    const request = requestOf(host);
    const of = { publicKey: JOINER, invitation, use, admin: ADMIN_KEY, request };
    return this.feed({ kind: 'request', ...of });
  }

  grant(record: Uint8Array, number = FIRST, admins = [ADMIN_KEY]): IntroducerAction[] {
    return this.feed({ kind: 'answer', admins, message: { kind: 'granted', number, record } });
  }

  feed(input: IntroducerInput): IntroducerAction[] {
    this.introducer.handle(input, this.now);
    return this.drain();
  }

  pass(duration: Parameters<typeof after>[1]): IntroducerAction[] {
    this.now = after(this.now, duration);
    this.introducer.advance(this.now);
    return this.drain();
  }

  drain(): IntroducerAction[] {
    const out: IntroducerAction[] = [];
    this.introducer.drain(out);
    return out;
  }
}

/** `forward` with its number and use; messages to the joiner by their kind. */
function told(actions: readonly IntroducerAction[]): string {
  return actions
    .map(({ kind, message }) => {
      if (message.kind === 'forward') return `forward ${message.number} ${message.use}`;
      return `${kind} ${message.kind}`;
    })
    .join(', ');
}

test('introducer: a request goes to the admin of its invitation, numbered', () => {
  const rig = new Rig();
  const [forward] = rig.ask(0, 3);
  const request = requestOf(0);
  const expected = { kind: 'forward', number: FIRST, invitation: INVITATION, use: 3, request };
  assert.equal(forward, { kind: 'forward', admin: ADMIN_KEY, message: expected });
  assert.is(told(rig.ask(1, 4)), 'forward 0 4', 'numbers have 32 bits');
  assert.is(told(rig.ask(0, 3)), '', 'one that is under way is not sent twice');
});

test('introducer: the admin is asked each 2 s, and the joiner told whom it waits for', () => {
  const rig = new Rig();
  rig.ask();
  assert.is(told(rig.ask()), '');
  assert.is(told(rig.pass(seconds(2))), `forward ${FIRST} 0, send waiting`);
  assert.is(told(rig.pass(seconds(2))), `forward ${FIRST} 0`);
  const [waiting] = rig.ask();
  assert.equal(waiting, {
    kind: 'send',
    publicKey: JOINER,
    message: { kind: 'waiting', admin: ADMIN_KEY },
  });
});

test('introducer: what is granted goes on when the certificate is there, after who we are', () => {
  const rig = new Rig();
  rig.feed({ kind: 'self', records: [OWN] });
  rig.ask();
  assert.is(told(rig.grant(DELEGATION)), '');
  const other = certificateOf(nodeId('0000000000000077'));
  assert.is(told(rig.grant(other)), '', 'the certificate of another is not the last');
  const actions = rig.grant(CERTIFICATE);
  const records = actions.map(({ message }) =>
    message.kind === 'granted' && message.number === joinNumber(requestOf(0))
      ? message.record
      : undefined,
  );
  assert.is(records.length, 4);
  for (const [i, record] of [OWN, DELEGATION, other, CERTIFICATE].entries()) {
    equalBytes(records[i], record);
  }
  assert.is(told(rig.pass(seconds(30))), '', 'and the admin is asked no more');
});

test('introducer: a joiner that asks again gets what is held, and the admin is asked again', () => {
  const rig = new Rig();
  rig.ask();
  rig.grant(CERTIFICATE);
  assert.is(told(rig.ask()), `send granted, forward ${FIRST} 0`);
  assert.is(told(rig.grant(DELEGATION)), '');
  assert.is(told(rig.grant(CERTIFICATE)), 'send granted, send granted');
});

test('introducer: a refusal goes to the joiner by its own number, and ends the entry', () => {
  const rig = new Rig();
  rig.ask();
  const message = { kind: 'refused', number: FIRST, why: 'used' } as const;
  const actions = rig.feed({ kind: 'answer', admins: [ADMIN_KEY], message });
  const number = joinNumber(requestOf(0));
  assert.equal(actions, [{ kind: 'send', publicKey: JOINER, message: { ...message, number } }]);
  assert.equal([rig.introducer.size, rig.introducer.deadline()], [0, NEVER]);
});

test('introducer: an answer of another number, or of no holder of the key, is nothing', () => {
  const rig = new Rig();
  rig.ask();
  assert.is(told(rig.grant(CERTIFICATE, 7)), '');
  assert.is(told(rig.grant(CERTIFICATE, FIRST, [])), '');
  assert.is(told(rig.grant(CERTIFICATE, FIRST, [nodeId('ad01ad01ad01ad01')])), '');
  assert.is(told(rig.grant(new Uint8Array(5))), '', 'no record');
  assert.is(told(rig.grant(CERTIFICATE)), 'send granted');
});

test('introducer: another identity in the same use takes the entry over', () => {
  const rig = new Rig();
  rig.ask(0);
  assert.is(told(rig.ask(1)), 'forward 0 0');
  assert.is(told(rig.grant(CERTIFICATE, FIRST)), '');
  assert.is(rig.introducer.size, 1);
});

test('introducer: an entry ends 60 s after its joiner last asked', () => {
  const rig = new Rig();
  rig.ask();
  rig.pass(seconds(59));
  rig.ask();
  rig.pass(seconds(59));
  assert.is(rig.introducer.size, 1);
  rig.pass(seconds(1));
  assert.equal([rig.introducer.size, rig.introducer.deadline()], [0, NEVER]);
});

test('introducer: 64 uses are served at once, and the next is told to come again', () => {
  const rig = new Rig();
  for (let i = 0; i < 64; i++) rig.ask(0, i % 16, `${Math.floor(i / 16)}`.padStart(16, '0'));
  assert.is(rig.introducer.size, 64);
  const [busy] = rig.ask(1, 0);
  assert.equal(busy?.message, {
    kind: 'refused',
    number: joinNumber(requestOf(1)),
    why: 'busy',
  });
  assert.is(rig.introducer.size, 64);
  rig.pass(seconds(60));
  assert.is(told(rig.ask(1, 0)).slice(0, 7), 'forward');
});

test('introducer: of one joiner no more than 24 records are held', () => {
  const rig = new Rig();
  rig.ask();
  for (let i = 10; i < 60; i++) rig.grant(sampleRecord({ key: `${i}`.repeat(8) }).bytes);
  const actions = rig.grant(CERTIFICATE);
  assert.is(actions.length, 24, 'the certificate among them');
  const last = actions.at(-1)?.message;
  equalBytes(last?.kind === 'granted' ? last.record : undefined, CERTIFICATE);
});

test.run();
