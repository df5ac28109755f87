/**
 * Joining as it runs between hosts: one admin with its redeemer, members that introduce, hosts that
 * join. Messages are lost, late and repeated as the test says; the disk is too. No session and no
 * signature is in it: what the mesh would verify is taken as genuine.
 */

import { parseEndpoint } from '../../src/base/address.js';
import { equal } from '../../src/base/bytes.js';
import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  instant,
  millis,
  NEVER,
  wallTime,
} from '../../src/base/time.js';
import type { IntroducerAction, JoinerAction, RedeemerAction } from '../../src/enrol/action.js';
import { Introducer } from '../../src/enrol/introducer.js';
import { Joiner } from '../../src/enrol/joiner.js';
import { Redeemer } from '../../src/enrol/redeemer.js';
import type { Invitation } from '../../src/identity/invitation.js';
import { invitationKey } from '../../src/identity/invitation_key.js';
import type { JoinLine } from '../../src/identity/join_line.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { emitJoin, type JoinMessage, type JoinRequest, parseJoin } from '../../src/wire/join.js';
import { NO_KEY, parseRecord } from '../../src/wire/record.js';
import { sampleRecord } from './control_samples.js';

export const INVITATION = 'e1e2e3e4e5e6e7e8';
export const ADMIN_KEY = nodeId('ad00ad00ad00ad00');
export const ADMIN = nodeId('00000000000000ad');
export const SEED = new Uint8Array(16).fill(0x5e);
export const WALL = wallTime(1_000_000);
export const LATENCY = millis(20);

export function introducerKey(index: number): Uint8Array {
  return new Uint8Array(32).fill(0x10 + index);
}

export function lineOf(uses: number, introducers: number): JoinLine {
  return {
    network: nodeId('0a0a0a0a0a0a0a0a'),
    rootKey: new Uint8Array(32).fill(1),
    admin: ADMIN_KEY,
    introducers: Array.from({ length: introducers }, (_, index) => {
      const endpoint = parseEndpoint(`192.0.2.${index + 1}:51820`);
      if (!endpoint) throw new Error('it is one');
      return { publicKey: introducerKey(index), endpoint };
    }),
    invitation: INVITATION,
    seed: SEED,
    uses,
    expires: wallTime(2_000_000),
  };
}

export function invitationOf(uses: number): Invitation {
  return {
    publicKeys: Array.from({ length: uses }, (_, use) => invitationKey(SEED, use)),
    expires: wallTime(2_000_000),
    name: undefined,
    groups: ['web'],
    prefixes: [],
    isAdmin: false,
    isRevoked: false,
  };
}

export function identityKeyOf(host: number): Uint8Array {
  return new Uint8Array(32).fill(0xa0 + host);
}

export function nodeRecordOf(identityKey: Uint8Array): Uint8Array {
  return sampleRecord({ kind: 'node', author: nodeIdOf(identityKey), key: NO_KEY }).bytes;
}

export function requestOf(host: number): JoinRequest {
  const identityKey = identityKeyOf(host);
  return { identityKey, name: `host-${host}`, record: nodeRecordOf(identityKey) };
}

export function certificateOf(member: NodeId): Uint8Array {
  return sampleRecord({ kind: 'certificate', author: ADMIN_KEY, key: member }).bytes;
}

export const DELEGATION = sampleRecord({ kind: 'delegation', key: ADMIN_KEY }).bytes;

interface Host {
  readonly joiner: Joiner;
  readonly identityKey: Uint8Array;
  /** Uses its sessions are made by. */
  use: number;
  readonly granted: Set<string>;
  readonly said: JoinerAction[];
}

export class EnrolScene {
  now: Instant = instant(0);
  readonly hosts: Host[] = [];
  readonly introducers: Introducer[] = [];
  redeemer = new Redeemer([]);
  readonly invitation: Invitation;
  /** What the disk holds; a restart of the admin begins with it. */
  disk: ReturnType<Redeemer['redemptions']> = [];
  isDiskBroken = false;
  isAdminUp = true;
  /** Whether this message is lost: by default none is. */
  loses: (message: JoinMessage) => boolean = () => false;
  /** Members that were certified, in order. */
  readonly certified: { member: NodeId; name: string; groups: readonly string[] }[] = [];
  readonly #pending: { at: Instant; run: () => void }[] = [];
  readonly #uses: number;
  /** By introducer and use: who made the last session, and so gets what is sent in it. */
  readonly #sessions = new Map<string, Host>();

  constructor(uses: number, introducers: number) {
    this.#uses = uses;
    this.invitation = invitationOf(uses);
    for (let i = 0; i < introducers; i++) this.introducers.push(new Introducer(1_000 * (i + 1)));
  }

  /** A host that has the line; `seed` chooses the use it begins with. */
  addHost(index: number, seed: string): Host {
    const identityKey = identityKeyOf(index);
    const line = lineOf(this.#uses, this.introducers.length);
    const config = { line, identityKey, name: `host-${index}`, expiresAt: NEVER };
    const joiner = new Joiner(config, new SeededRandom(seed));
    const host: Host = { joiner, identityKey, use: -1, granted: new Set(), said: [] };
    this.hosts.push(host);
    joiner.handle({ kind: 'record', record: nodeRecordOf(identityKey) }, this.now);
    this.#settle();
    return host;
  }

  /** The admin's process ends, and begins with what its disk holds. */
  restartAdmin(): void {
    this.redeemer = new Redeemer(this.disk);
  }

  run(duration: Duration): void {
    const end = after(this.now, duration);
    for (;;) {
      let next = NEVER;
      for (const core of this.#cores()) next = earliest(next, core.deadline());
      for (const { at } of this.#pending) next = earliest(next, at);
      if (next > end) break;
      this.now = next;
      for (const core of this.#cores()) core.advance(this.now);
      const due = this.#pending.filter(({ at }) => at <= this.now);
      for (const each of due) {
        this.#pending.splice(this.#pending.indexOf(each), 1);
        each.run();
      }
      this.#settle();
    }
    this.now = end;
  }

  #cores(): (Joiner | Introducer | Redeemer)[] {
    return [...this.hosts.map(({ joiner }) => joiner), ...this.introducers, this.redeemer];
  }

  #later(run: () => void): void {
    this.#pending.push({ at: after(this.now, LATENCY), run });
  }

  /** As bytes, over a link that loses what the test wants lost. */
  #carry(message: JoinMessage, receive: (message: JoinMessage) => void): void {
    const parsed = parseJoin(emitJoin(message));
    if (!parsed) throw new Error('what is sent can be parsed');
    if (!this.loses(parsed)) this.#later(() => receive(parsed));
  }

  #settle(): void {
    for (const host of this.hosts) {
      const wanted: JoinerAction[] = [];
      host.joiner.drain(wanted);
      for (const action of wanted) this.#forJoiner(host, action);
    }
    for (const [index, introducer] of this.introducers.entries()) {
      const wanted: IntroducerAction[] = [];
      introducer.drain(wanted);
      for (const action of wanted) this.#forIntroducer(index, action);
    }
    const wanted: RedeemerAction[] = [];
    this.redeemer.drain(wanted);
    for (const action of wanted) this.#forRedeemer(action);
  }

  #forJoiner(host: Host, action: JoinerAction): void {
    host.said.push(action);
    if (action.kind === 'useKey') {
      const { privateKey } = action;
      const keys = this.invitation.publicKeys;
      host.use = privateKey ? keys.findIndex((key) => equal(key, privateKey)) : -1;
    } else if (action.kind === 'addPeer') {
      const { publicKey } = action;
      this.#later(() => host.joiner.handle({ kind: 'session', publicKey, isMade: true }, this.now));
    } else if (action.kind === 'granted') this.#verify(host, action.record);
    else if (action.kind === 'send') {
      const { use } = host;
      const index = (action.publicKey[0] ?? 0) - 0x10;
      this.#carry(action.message, (message) => {
        this.#sessions.set(`${index} ${use}`, host);
        this.#request(index, use, message);
      });
    }
  }

  /** As a mesh would: its own certificate counts once the delegation is there. */
  #verify({ granted, identityKey, joiner }: Host, bytes: Uint8Array): void {
    granted.add(parseRecord(bytes)?.place ?? '');
    const own = `certificate ${ADMIN_KEY} ${nodeIdOf(identityKey)}`;
    const delegation = parseRecord(DELEGATION)?.place ?? '';
    if (!granted.has(own) || !granted.has(delegation)) return;
    this.#later(() => joiner.handle({ kind: 'certified' }, this.now));
  }

  #request(index: number, use: number, message: JoinMessage): void {
    const publicKey = this.invitation.publicKeys[use];
    if (message.kind !== 'request' || !publicKey) return;
    const { request } = message;
    const of = { publicKey, invitation: INVITATION, use, admin: ADMIN_KEY, request };
    this.introducers[index]?.handle({ kind: 'request', ...of }, this.now);
  }

  #forIntroducer(index: number, action: IntroducerAction): void {
    if (action.kind === 'forward') {
      const from = nodeId(`000000000000000${index}`);
      this.#carry(action.message, (message) => {
        if (message.kind !== 'forward' || !this.isAdminUp) return;
        const facts = { wall: WALL, isGenuine: true, isRevoked: false };
        const { invitation } = this;
        this.redeemer.handle({ kind: 'request', from, message, invitation, ...facts }, this.now);
      });
      return;
    }
    const { publicKey, message } = action;
    this.#carry(message, (said) => {
      const use = this.invitation.publicKeys.findIndex((key) => equal(key, publicKey));
      const host = this.#sessions.get(`${index} ${use}`);
      if (host?.use !== use) return;
      const from = introducerKey(index);
      host.joiner.handle({ kind: 'message', publicKey: from, message: said }, this.now);
    });
  }

  #forRedeemer(action: RedeemerAction): void {
    const { redeemer } = this;
    if (action.kind === 'reply') {
      const index = Number.parseInt(action.to.slice(-1), 10);
      this.#carry(action.message, (message) => {
        if (message.kind !== 'granted' && message.kind !== 'refused') return;
        const answer = { kind: 'answer', admins: [ADMIN_KEY], message } as const;
        this.introducers[index]?.handle(answer, this.now);
      });
      return;
    }
    const { request } = action;
    if (action.kind === 'redeem') {
      const isSafe = !this.isDiskBroken;
      if (isSafe) this.disk = redeemer.redemptions();
      this.#later(() => redeemer.handle({ kind: 'redeemed', request, isSafe }, this.now));
      return;
    }
    const { member, name, groups } = action;
    if (!this.certified.some((each) => each.member === member)) {
      this.certified.push({ member, name, groups });
    }
    const records = [DELEGATION, certificateOf(member)];
    this.#later(() => redeemer.handle({ kind: 'signed', request, records }, this.now));
  }
}
