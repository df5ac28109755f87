/**
 * What a node does of its own accord, by command or by the calendar: commands of the operator,
 * rotation of keys, renewals, leaving, and what to do about a copy of itself.
 *
 * Deadlines: the next step of a rotation, the next renewals, the end after leaving.
 */

import { unreachable } from '../base/assert.js';
import { toBase64 } from '../base/bytes.js';
import { after, earliest, type Instant, NEVER, seconds, wallTime } from '../base/time.js';
import { emitDelegation } from '../identity/delegation.js';
import { emitNetwork } from '../identity/network.js';
import { emitRootChange } from '../identity/root_change.js';
import { expiresSoon } from '../identity/validity.js';
import { NO_KEY, type SignedRecord } from '../wire/record.js';
import type { MeshAnswer, MeshCommand } from './command.js';
import type { Decision, Office } from './office.js';
import type { MeshParts, Safe } from './parts.js';
import { Rotation } from './rotation.js';
import type { Signer } from './scribe.js';
import type { Rival, SelfStatement } from './self_statement.js';

/** What a farewell takes to spread. */
const FAREWELL = seconds(2);
const DELEGATED = seconds(4 * 90 * 86_400);
const DAY = 86_400;

export interface AffairsParts extends MeshParts {
  readonly statement: SelfStatement;
  readonly office: Office;
}

/** Why this node is to end its membership; undefined: it is not. */
export type Ending = { readonly why: string; readonly forgets: boolean } | undefined;

export class Affairs {
  readonly #rotation = new Rotation();
  #parts: AffairsParts | undefined;
  #leaveAt: Instant = NEVER;
  #ending: Ending;
  #hasRival = false;

  /** Before anything else. */
  attach(parts: AffairsParts): void {
    this.#parts = parts;
  }

  get ending(): Ending {
    return this.#ending;
  }

  command(request: number, command: MeshCommand, now: Instant): void {
    const parts = this.#parts;
    if (!parts) return;
    const decision = this.#decide(parts, command, now);
    this.#publish(parts, decision.records, now, {
      kind: 'answer',
      request,
      answer: decision.answer,
    });
  }

  advance(now: Instant): void {
    const parts = this.#parts;
    if (!parts) return;
    if (now >= this.#leaveAt) {
      this.#leaveAt = NEVER;
      this.#ending = { why: 'This host has left the network', forgets: true };
    }
    const step = this.#rotation.take(now);
    if (step === 'use') parts.keys.swapStaticKeys();
    else if (step === 'finish') parts.keys.dropOtherStaticKey();
    if (step) this.#keysChanged(parts, now);
    const renewed = parts.office.takeRenewals(now);
    if (renewed.length > 0) this.#publish(parts, renewed, now);
  }

  deadline(): Instant {
    const own = earliest(this.#leaveAt, this.#rotation.deadline());
    return this.#parts ? earliest(own, this.#parts.office.deadline()) : own;
  }

  /** Carries through what a restart interrupted. */
  resume(now: Instant): void {
    const parts = this.#parts;
    if (!parts) return;
    const { keys, authority } = parts;
    if (keys.change === 'prepared') this.#rotation.announced(now);
    this.rootChanged(now);
    const { admin, root } = keys;
    if (!admin || !root || authority.delegationOf(admin.id)) return;
    const delegation = this.#delegate(parts, admin, root, now);
    this.#publish(parts, [delegation, ...parts.office.resignAll(admin, now)], now);
  }

  /** The network follows another root key, or we know now which it follows. */
  rootChanged(now: Instant): void {
    const { keys, authority, keeper } = this.#parts ?? {};
    if (authority && keys?.settleRoot(authority.rootKey)) keeper?.keep('keys', now);
  }

  revoked(_now: Instant): void {
    this.#ending ??= { why: 'This host was revoked', forgets: false };
  }

  /** Another host runs with a copy of our identity. */
  meetRival(rival: Rival, _now: Instant): void {
    if (rival === 'yield') {
      const advice = '`heddle up --new-identity` gives this host one of its own';
      this.#ending ??= { why: `Another host runs with this identity; ${advice}`, forgets: false };
      return;
    }
    if (this.#hasRival) return;
    this.#hasRival = true;
    this.#parts?.actions.push({
      kind: 'tell',
      level: 'warn',
      message: 'Another host started with a copy of the identity of this one, and is to yield',
      fields: {},
    });
  }

  /** Of rotations under way. */
  progress(now: Instant): string[] {
    const line = this.#rotation.progress(now);
    return line === undefined ? [] : [line];
  }

  /** What an operator should look at. */
  warnings(now: Instant): string[] {
    const parts = this.#parts;
    if (!parts) return [];
    const warnings: string[] = [];
    // The group's time stands still where no admin runs: what runs out is told all the same.
    const wall = parts.hostWallAt(now);
    const daysTo = (end: number): number => Math.max(0, Math.floor((end - wall) / 1e6 / DAY));
    const own = parts.authority.certificateOf(parts.self);
    if (own && expiresSoon(own.notAfter, wall)) {
      const days = daysTo(own.notAfter);
      warnings.push(`The certificate of this host expires in ${days} days: no admin renewed it`);
    }
    const { admin } = parts.keys;
    const delegation = admin && parts.authority.delegationOf(admin.id);
    if (delegation && expiresSoon(delegation.notAfter, wall)) {
      const days = daysTo(delegation.notAfter);
      warnings.push(`The admin key of this host expires in ${days} days: \`heddle rotate admin\``);
    }
    if (this.#hasRival) warnings.push('Another host runs with a copy of this identity');
    if (parts.clock.isDoubted(parts.hostWallAt(now))) {
      const why = 'it is wrong, or no admin has run for 40 days';
      warnings.push(`The wall clock of this host is far from that of the mesh: ${why}`);
    }
    for (const file of parts.keeper.failing()) {
      warnings.push(`The file "${file}" cannot be written: is the disk full?`);
    }
    return warnings;
  }

  #decide(parts: AffairsParts, command: MeshCommand, now: Instant): Decision {
    switch (command.kind) {
      case 'invite':
        return parts.office.invite(command, now);
      case 'revokeInvitation':
        return parts.office.revokeInvitation(command.invitation, now);
      case 'revoke':
        return parts.office.revoke(command.member, now);
      case 'leave':
        parts.statement.leave(now);
        this.#leaveAt = after(now, FAREWELL);
        return done('This host leaves the network');
      case 'rotate':
        return this.#rotate(parts, command.what, now);
      case 'exportRoot': {
        const { root } = parts.keys;
        if (!root) return refuse('The root key does not lie on this host; the first host has it');
        return {
          records: [],
          answer: { ok: true, result: { kind: 'root', seed: toBase64(root.seed) } },
        };
      }
      default:
        return unreachable(command);
    }
  }

  #rotate(parts: AffairsParts, what: 'key' | 'admin' | 'root', now: Instant): Decision {
    if (what === 'key') {
      if (parts.keys.change !== 'none') return refuse('The key is being changed already');
      parts.keys.prepareStaticKey();
      this.#rotation.announced(now);
      this.#keysChanged(parts, now);
      return done('A new key is announced; it is used in a few seconds: see `heddle members`');
    }
    const { root } = parts.keys;
    if (!root) return refuse(`Only the host with the root key can rotate the ${what} key`);
    return what === 'admin'
      ? this.#rotateAdmin(parts, root, now)
      : this.#rotateRoot(parts, root, now);
  }

  /** The new key signs all certificates again; the old one stays in force until it expires. */
  #rotateAdmin(parts: AffairsParts, root: Signer, now: Instant): Decision {
    const admin = parts.keys.makeAdmin();
    parts.keeper.keep('keys', now);
    const delegation = this.#delegate(parts, admin, root, now);
    const certificates = parts.office.resignAll(admin, now);
    const text = `A new admin key signed ${certificates.length} certificates`;
    return { ...done(text), records: [delegation, ...certificates] };
  }

  /** The old key says which one follows it; the new one says again what the old one said. */
  #rotateRoot(parts: AffairsParts, old: Signer, now: Instant): Decision {
    if (parts.keys.isRootChanging) return refuse('The root key is being changed already');
    const epoch = parts.authority.rootEpoch() + 1;
    const root = parts.keys.makeRoot();
    parts.keeper.keep('keys', now);
    const body = emitRootChange({ rootKey: root.publicKey, epoch });
    const records = [this.#sign(parts, 'rootChange', NO_KEY, body, old, now)];
    const statement = parts.authority.network();
    if (statement) {
      records.push(this.#sign(parts, 'network', NO_KEY, emitNetwork(statement), root, now));
    }
    for (const { key, body: delegation } of parts.store.ofKind('delegation')) {
      records.push(this.#sign(parts, 'delegation', key, delegation, root, now));
    }
    const text = 'A new root key is in force; keep a copy of it: `heddle root export`';
    return { ...done(text), records };
  }

  #delegate(parts: AffairsParts, admin: Signer, root: Signer, now: Instant): SignedRecord {
    const wall = parts.wallAt(now);
    const body = emitDelegation({
      adminKey: admin.publicKey,
      holder: parts.self,
      notAfter: wallTime(wall + DELEGATED),
      epoch: Math.floor(wall / 1e6),
    });
    return this.#sign(parts, 'delegation', admin.id, body, root, now);
  }

  /** What makes a network of one: its record, our admin key, our certificate. */
  found(name: string, pool: Parameters<typeof emitNetwork>[0]['pool'], now: Instant): void {
    const parts = this.#parts;
    const root = parts?.keys.root;
    const admin = parts?.keys.admin;
    if (!parts || !root || !admin) return;
    const createdAt = parts.wallAt(now);
    const network = emitNetwork({ createdAt, name, pool });
    parts.ledger.adopt(this.#sign(parts, 'network', NO_KEY, network, root, now));
    parts.ledger.adopt(this.#delegate(parts, admin, root, now));
  }

  /** Certifies ourselves: the first member of a network. */
  certifyOurselves(name: string, now: Instant): void {
    const parts = this.#parts;
    if (!parts) return;
    const { publicKey: identityKey } = parts.keys.identity;
    const applicant = { identityKey, name, groups: [], prefixes: [], isAdmin: false };
    for (const record of parts.office.certify(applicant, now)) parts.ledger.adopt(record);
  }

  #keysChanged(parts: AffairsParts, now: Instant): void {
    parts.keeper.keep('keys', now);
    parts.actions.push({ kind: 'staticKeys', privateKeys: parts.keys.staticKeys() });
    parts.statement.setKeys(parts.keys.selfKeys(), now);
  }

  #sign(
    parts: AffairsParts,
    kind: SignedRecord['kind'],
    key: string,
    body: Uint8Array,
    by: Signer,
    now: Instant,
  ): SignedRecord {
    return parts.scribe.sign({ kind, key, version: parts.clock.next(parts.wallAt(now)), body }, by);
  }

  /** On disk first, then in force and spread, then answered. */
  #publish(
    parts: AffairsParts,
    records: readonly SignedRecord[],
    now: Instant,
    answer?: Extract<Safe, { kind: 'answer' }>,
  ): void {
    if (records.length === 0) {
      if (answer) parts.actions.push(answer);
      return;
    }
    const publish = records.map((record) => ({ kind: 'publish', record }) as const);
    parts.keeper.keep('own', now, ...publish, ...(answer ? [answer] : []));
  }
}

function done(text: string): Decision {
  const answer: MeshAnswer = { ok: true, result: { kind: 'done', text } };
  return { records: [], answer };
}

function refuse(error: string): Decision {
  return { records: [], answer: { ok: false, error } };
}
