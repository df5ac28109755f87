import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import { withVni } from '../../src/base/address.js';
import { ClearPeers } from '../../src/node/clear_peers.js';
import { Identity } from '../../src/node/identity.js';
import { Intake } from '../../src/node/intake.js';
import { Roster } from '../../src/node/roster.js';
import { Slots } from '../../src/node/slots.js';
import { Admission } from '../../src/session/admission.js';
import { Session } from '../../src/session/session.js';
import { RESPONSE_BYTES } from '../../src/wire/wireguard.js';
import {
  actionsOf,
  createParty,
  createSession,
  HERE,
  only,
  SLOT,
  START,
} from '../support/session_scene.js';

const test = suite('intake');

/** The node of `right`, which knows `left` by `sealedVni`, and an initiation from left to it. */
function createIntake(sealedVni?: number) {
  const [left, right] = [createParty('left'), createParty('right')];
  const slots = new Slots();
  const roster = createRoster(right, slots);
  const vni = sealedVni === undefined ? {} : { sealedVni };
  const config = { name: 'left', publicKey: left.keys.publicKey, allowedIps: [], ...vni };
  roster.adopt({ peers: [config], clearPeers: [] }, right.keys.publicKey, START);
  const identity = new Identity(right.crypto);
  identity.adopt(right.keys.privateKey);
  const admission = new Admission({ ...right, queueLength: 8 });
  const { crypto, table } = right;
  const intake = new Intake({ crypto, identity, table, admission, peers: roster.peers });
  const session = createSession(left, right);
  session.handle({ kind: 'sessionNeeded', reason: 'staged' }, START);
  const { datagram } = only(actionsOf(session), 'send');
  return { intake, identity, right, datagram };
}

function createRoster(party: ReturnType<typeof createParty>, slots: Slots): Roster {
  return new Roster({
    slots,
    clearPeers: new ClearPeers(slots, party.wallClock, SILENT),
    createSession: (slot, publicKey) => new Session(party, { slot, publicKey }),
  });
}

function event(datagram: Uint8Array, queued = 0, source = HERE) {
  return { kind: 'handshake', datagram, source, queued } as const;
}

test("intake: an initiation goes to the peer whose key it carries, in that peer's form", () => {
  for (const vni of [undefined, 7]) {
    const { intake, datagram } = createIntake(vni);
    const taken = intake.receive(event(datagram, 0, withVni(HERE, vni)), START);
    assert.is(taken.kind === 'taken' && taken.peer, SLOT);
    assert.is(intake.receive(event(datagram, 0, withVni(HERE, 9)), START).kind, 'dropped');
    assert.is(intake.drops.read().encapsulation, 1);
  }
});

test('intake: a reply goes to the owner of its receiver index, or to nobody', () => {
  const { intake, right } = createIntake();
  const response = new Uint8Array(RESPONSE_BYTES);
  response[0] = 2;
  assert.is(intake.receive(event(response), START).kind, 'dropped');
  assert.is(intake.drops.read().unknown_index, 1);
  const index = right.table.claim(SLOT);
  new DataView(response.buffer).setUint32(8, index, true);
  const taken = intake.receive(event(response), START);
  assert.is(taken.kind === 'taken' && taken.input.kind, 'response');
});

test('intake: under load a stranger is answered with a cookie, and counted', () => {
  const { intake, datagram } = createIntake();
  const answered = intake.receive(event(datagram, 8), START);
  assert.is(answered.kind === 'answered' && answered.reply.length, 64);
  assert.is(intake.drops.read().answered_with_cookie, 1);
});

test('intake: without an identity every message is dropped under that reason', () => {
  const { intake, identity, datagram } = createIntake();
  identity.forget();
  assert.is(intake.receive(event(datagram), START).kind, 'dropped');
  assert.is(intake.drops.read().no_identity, 1);
});

test.run();
