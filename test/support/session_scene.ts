/** What the tests of one session core need around it: shared dependencies, keys, a peer by hand. */

import { type PeerSlot, peerSlot } from '../../src/base/identifiers.js';
import { SeededRandom } from '../../src/base/random.js';
import { type Instant, instant, seconds, wallTime } from '../../src/base/time.js';
import { generatePrivateKey } from '../../src/crypto/keys.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { SessionAction } from '../../src/session/action.js';
import type { SessionDependencies } from '../../src/session/dependencies.js';
import {
  type OpenedInitiation,
  openInitiation,
  type StaticKeys,
} from '../../src/session/handshake.js';
import { Initiator } from '../../src/session/initiator.js';
import { Remote } from '../../src/session/remote.js';
import { Responder } from '../../src/session/responder.js';
import { Session } from '../../src/session/session.js';
import { SessionTable } from '../../src/session/session_table.js';
import { WallClock } from '../../src/base/wall_clock.js';
import { endpoint } from './parsed.js';

export const START: Instant = instant(seconds(10_000));
export const SLOT: PeerSlot = peerSlot(0);
export const HERE = endpoint('192.0.2.1:51820');
export const THERE = endpoint('192.0.2.2:51820');

export interface Party extends SessionDependencies {
  readonly keys: StaticKeys;
  readonly identity: { keys: StaticKeys | undefined };
}

/** One node's side: its keys, table and clocks, all from `seed`. */
export function createParty(seed: string): Party {
  const crypto = new SodiumSuite();
  const random = new SeededRandom(`${process.env.SEED ?? 'session'}/${seed}`);
  const privateKey = generatePrivateKey(random.fork('key'));
  const keys = { privateKey, publicKey: crypto.publicKey(privateKey) };
  const wallClock = new WallClock();
  wallClock.set(wallTime(1_795_392_000_000_000), START);
  const table = new SessionTable(random.fork('table'));
  return { crypto, random, table, wallClock, keys, identity: { keys } };
}

/** An initiator and the responder it is for, each with its own side's dependencies. */
export function createHandshakePair() {
  const [left, right] = [createParty('left'), createParty('right')];
  const initiator = new Initiator(left, SLOT, new Remote(right.keys.publicKey));
  const responder = new Responder(right, SLOT, new Remote(left.keys.publicKey));
  return { left, right, initiator, responder };
}

/** `party`'s session core for the peer `other`, which it knows to be THERE. */
export function createSession(party: Party, other: Party): Session {
  const session = new Session(party, { slot: SLOT, publicKey: other.keys.publicKey });
  session.handle({ kind: 'endpoint', endpoint: THERE }, START);
  actionsOf(session);
  return session;
}

/** Everything the session wants now. */
export function actionsOf(session: Session): SessionAction[] {
  const actions: SessionAction[] = [];
  session.drain(actions);
  return actions;
}

export function kindsOf(actions: readonly SessionAction[]): string[] {
  return actions.map(({ kind }) => kind);
}

export function only<Kind extends SessionAction['kind']>(
  actions: readonly SessionAction[],
  kind: Kind,
): Extract<SessionAction, { kind: Kind }> {
  const found = actions.filter((action): action is Extract<SessionAction, { kind: Kind }> => {
    return action.kind === kind;
  });
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} ${kind} in ${kindsOf(actions)}`);
  return first;
}

/** The initiation as the node of `party` opens it before it looks for the peer. */
export function open(party: Party, datagram: Uint8Array): OpenedInitiation {
  const opened = openInitiation(party.crypto, party.keys, datagram);
  if (typeof opened === 'string') throw new Error(opened);
  return opened;
}

/** Hands an initiation to the session that it is for. */
export function initiate(
  party: Party,
  session: Session,
  datagram: Uint8Array,
  now: Instant,
  source = HERE,
): SessionAction[] {
  const opened = open(party, datagram);
  session.handle({ kind: 'initiation', opened, datagram, source }, now);
  return actionsOf(session);
}
