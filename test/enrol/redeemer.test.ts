/** An admin's side of joining: one use, one member, and the disk before the signature. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { instant, NEVER, wallTime } from '../../src/base/time.js';
import type { RedeemerAction } from '../../src/enrol/action.js';
import type { RedeemerInput } from '../../src/enrol/input.js';
import { Redeemer } from '../../src/enrol/redeemer.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { sampleRecord } from '../support/control_samples.js';
import {
  certificateOf,
  identityKeyOf,
  INVITATION,
  invitationOf,
  requestOf,
  WALL,
} from '../support/enrol_scene.js';

const test = suite('enrol/redeemer');

const NOW = instant(0);
const [ONE, TWO] = [nodeId('0000000000000001'), nodeId('0000000000000002')];
type Request = Extract<RedeemerInput, { kind: 'request' }>;

class Rig {
  readonly redeemer: Redeemer;

  constructor(redeemed: ConstructorParameters<typeof Redeemer>[0] = []) {
    this.redeemer = new Redeemer(redeemed);
  }

  ask(host: number, use = 0, more: Partial<Request> = {}): RedeemerAction[] {
    const request = requestOf(host);
    const message = { kind: 'forward', number: 7, invitation: INVITATION, use, request } as const;
    const facts = { wall: WALL, isGenuine: true, isRevoked: false };
    const invitation = invitationOf(4);
    return this.feed({ kind: 'request', from: ONE, message, invitation, ...facts, ...more });
  }

  feed(input: RedeemerInput): RedeemerAction[] {
    this.redeemer.handle(input, NOW);
    this.redeemer.advance(NOW);
    const out: RedeemerAction[] = [];
    this.redeemer.drain(out);
    return out;
  }

  safe(request: number, isSafe = true): RedeemerAction[] {
    return this.feed({ kind: 'redeemed', request, isSafe });
  }

  sign(request: number, host: number): RedeemerAction[] {
    const records = [certificateOf(nodeIdOf(identityKeyOf(host)))];
    return this.feed({ kind: 'signed', request, records });
  }
}

function told(actions: readonly RedeemerAction[]): string {
  return actions
    .map((action) => {
      if (action.kind !== 'reply') return `${action.kind} ${action.request}`;
      const { message, to } = action;
      const what = message.kind === 'refused' ? message.why : message.kind;
      return `${what} ${message.number} to ${to.slice(-1)}`;
    })
    .join(', ');
}

test('redeemer: a use is kept first, then certified, then granted', () => {
  const rig = new Rig();
  const member = nodeIdOf(identityKeyOf(0));
  const [redeem] = rig.ask(0, 2);
  const redemption = { invitation: INVITATION, use: 2, member };
  assert.equal(redeem, { kind: 'redeem', request: 1, redemption });
  assert.equal(rig.redeemer.redemptions(), [redemption]);
  const [grant] = rig.safe(1);
  const { identityKey, record, name } = requestOf(0);
  const given = { groups: ['web'], prefixes: [], isAdmin: false };
  assert.equal(grant, { kind: 'grant', request: 1, member, identityKey, name, ...given, record });
  const [reply] = rig.sign(1, 0);
  const message = { kind: 'granted', number: 7, record: certificateOf(member) };
  assert.equal(reply, { kind: 'reply', to: ONE, message });
  assert.is(rig.redeemer.deadline(), NEVER);
});

test('redeemer: the name that the invitation gives comes before what the host calls itself', () => {
  const rig = new Rig();
  const invitation = { ...invitationOf(1), name: 'db-1', isAdmin: true };
  rig.ask(0, 0, { invitation });
  const [grant] = rig.safe(1);
  assert.ok(grant?.kind === 'grant' && grant.name === 'db-1' && grant.isAdmin);
});

test('redeemer: of two hosts that race one is granted, through whichever introducer', () => {
  const rig = new Rig();
  rig.ask(0);
  assert.is(told(rig.ask(1, 0, { from: TWO })), 'busy 7 to 2', 'the disk may yet fail');
  assert.is(told(rig.safe(1)), 'grant 1');
  assert.is(told(rig.ask(1, 0, { from: TWO })), 'used 7 to 2', 'while it is signed');
  rig.sign(1, 0);
  assert.is(told(rig.ask(1, 0, { from: TWO })), 'used 7 to 2', 'for ever');
  assert.is(told(new Rig(rig.redeemer.redemptions()).ask(1)), 'used 7 to 1', 'restarts too');
});

test('redeemer: a host that asks by two introducers is answered by both, for one use', () => {
  const rig = new Rig();
  rig.ask(0, 0);
  assert.is(told(rig.ask(0, 0)), '', 'the same question');
  assert.is(told(rig.ask(0, 0, { from: TWO })), '');
  rig.safe(1);
  assert.is(told(rig.sign(1, 0)), 'granted 7 to 1, granted 7 to 2');
  assert.is(rig.redeemer.usesOf(INVITATION), 1);
});

test('redeemer: a host that asks again is granted what it has, by another use, too', () => {
  const rig = new Rig([{ invitation: INVITATION, use: 1, member: nodeIdOf(identityKeyOf(0)) }]);
  assert.is(told(rig.ask(0, 1)), 'grant 1', 'without the disk');
  assert.is(told(rig.sign(1, 0)), 'granted 7 to 1');
  assert.is(told(rig.ask(0, 3)), 'grant 2');
  assert.is(rig.redeemer.usesOf(INVITATION), 1);
  assert.is(told(rig.ask(1, 3)), 'redeem 3', 'the other use is free');
});

test('redeemer: it is granted after the line expired what was taken in time', () => {
  const rig = new Rig([{ invitation: INVITATION, use: 0, member: nodeIdOf(identityKeyOf(0)) }]);
  const wall = wallTime(invitationOf(1).expires);
  assert.is(told(rig.ask(0, 0, { wall })), 'grant 1');
  assert.is(told(rig.ask(1, 1, { wall })), 'expired 7 to 1');
  assert.is(told(rig.ask(1, 1, { wall: wallTime(wall - 1) })), 'redeem 2');
});

test('redeemer: what may not join is refused by its reason, and nothing is kept of it', () => {
  const revoked = { ...invitationOf(4), isRevoked: true };
  const foreign = { ...requestOf(0), record: requestOf(1).record };
  const lease = { ...requestOf(0), record: sampleRecord().bytes };
  const message = { kind: 'forward', number: 7, invitation: INVITATION, use: 0 } as const;
  for (const [more, why] of [
    [{ invitation: undefined }, 'unknown_invitation'],
    [
      { invitation: invitationOf(2), message: { ...message, use: 2, request: requestOf(0) } },
      'unknown_invitation',
    ],
    [{ invitation: revoked }, 'revoked'],
    [{ isRevoked: true }, 'revoked'],
    [{ isGenuine: false }, 'malformed'],
    [{ message: { ...message, request: foreign } }, 'malformed'],
    [{ message: { ...message, request: lease } }, 'malformed'],
    [{ wall: wallTime(3_000_000) }, 'expired'],
  ] as const) {
    const rig = new Rig();
    assert.is(told(rig.ask(0, 0, more)), `${why} 7 to 1`);
    assert.equal(rig.redeemer.redemptions(), []);
  }
});

test('redeemer: an invitation, or a host, that was revoked since is granted nothing', () => {
  const kept = [{ invitation: INVITATION, use: 0, member: nodeIdOf(identityKeyOf(0)) }];
  const invitation = { ...invitationOf(4), isRevoked: true };
  assert.is(told(new Rig(kept).ask(0, 0, { invitation })), 'revoked 7 to 1');
  assert.is(told(new Rig(kept).ask(0, 0, { isRevoked: true })), 'revoked 7 to 1');
});

test('redeemer: where the disk fails nothing is signed, and the use is free again', () => {
  const rig = new Rig();
  rig.ask(0);
  assert.is(told(rig.safe(1, false)), 'busy 7 to 1');
  assert.equal(rig.redeemer.redemptions(), []);
  assert.is(told(rig.safe(1)), '', 'an answer that comes twice is nothing');
  assert.is(told(rig.ask(1)), 'redeem 2', 'another host has it');
});

test('redeemer: where nothing can be signed the host is told why, and may ask again', () => {
  const rig = new Rig();
  rig.ask(0);
  rig.safe(1);
  const unsigned = { kind: 'unsigned', request: 1, why: 'name_taken' } as const;
  assert.is(told(rig.feed(unsigned)), 'name_taken 7 to 1');
  assert.is(told(rig.sign(1, 0)), '');
  assert.is(told(rig.ask(0)), 'grant 2');
});

test('redeemer: 64 hosts are served at once, and 8 introducers of each', () => {
  const rig = new Rig();
  for (let host = 0; host < 64; host++) {
    const invitation = `${100 + host}`.padStart(16, '0');
    const message = { kind: 'forward', number: 1, invitation, use: 0 } as const;
    const actions = rig.ask(0, 0, { message: { ...message, request: requestOf(host) } });
    assert.is(told(actions), `redeem ${host + 1}`);
  }
  assert.is(told(rig.ask(80)), 'busy 7 to 1');
  const introducers = Array.from({ length: 9 }, (_, i) => nodeId(`000000000000001${i}`));
  const told8 = introducers.map((from) => told(rig.ask(0, 0, { from })));
  assert.equal(told8.slice(-2), ['busy 7 to 7', 'busy 7 to 8'], 'the first asked before');
});

test('redeemer: 4096 redemptions are kept, until their invitations are forgotten', () => {
  const member = nodeId('00000000000000ff');
  const kept = Array.from({ length: 4_096 }, (_, i) => {
    return { invitation: `${Math.floor(i / 16)}`.padStart(16, '0'), use: i % 16, member };
  });
  const rig = new Rig(kept);
  assert.is(told(rig.ask(0)), 'busy 7 to 1');
  rig.feed({ kind: 'forget', invitation: '0000000000000000' });
  assert.is(rig.redeemer.redemptions().length, 4_080);
  assert.is(told(rig.ask(0)), 'redeem 1');
});

test.run();
