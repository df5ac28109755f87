/**
 * What an admin does: invites, certifies, renews, revokes. A node without an admin key does none of
 * it, and says who can.
 *
 * A certificate lasts VALIDITY and is signed anew when a third of that has passed by the admin that
 * signed it, and when two fifths have by any other, RENEWED of them a turn.
 *
 * What is decided here is on disk before it is spread. Limit: an admin's INVITATIONS that are open.
 *
 * Deadline: the next turn of renewals.
 */

import { type Endpoint, parsePrefix, type Prefix } from '../base/address.js';
import { toHex } from '../base/bytes.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import { after, type Instant, seconds, type WallTime, wallTime } from '../base/time.js';
import { parseKey } from '../crypto/keys.js';
import { type Certificate, emitCertificate } from '../identity/certificate.js';
import { emitDelegation } from '../identity/delegation.js';
import { emitInvitation, faultOfInvitation, type Invitation } from '../identity/invitation.js';
import { invitationKey } from '../identity/invitation_key.js';
import { emitJoinLine, type JoinLine } from '../identity/join_line.js';
import { nodeIdOf } from '../identity/node_id.js';
import { emitRevocation } from '../identity/revocation.js';
import { CLOCK_SKEW, renewalDue, rescueDue } from '../identity/validity.js';
import type { SignedRecord } from '../wire/record.js';
import type { MeshAnswer, MeshCommand } from './command.js';
import type { MeshParts } from './parts.js';
import type { Signer } from './scribe.js';

const DAY = seconds(86_400);
const VALIDITY = seconds(90 * 86_400);
const TURN = seconds(60);
const RENEWED = 64;
const INVITATIONS = 64;
const SEED_BYTES = 16;
const ID_BYTES = 8;
const INTRODUCERS = 3;
const CLOCK_AHEAD =
  'The wall clock of this host is more than 40 days ahead of the newest certificate: set it ' +
  'right; or, where no admin has run for so long, `heddle rotate admin` signs all anew';

export interface OfficeParts extends MeshParts {
  /** Where the network can be entered: ourselves first. */
  readonly introducers: () => readonly { publicKey: Uint8Array; endpoint: Endpoint }[];
}

/** What is to be certified. */
export interface Applicant {
  /** Ed25519, 32 bytes. */
  readonly identityKey: Uint8Array;
  readonly name: string;
  readonly groups: readonly string[];
  readonly prefixes: readonly Prefix[];
  readonly isAdmin: boolean;
}

/** An answer, and the records that must be safe and spread before it is given. */
export interface Decision {
  readonly records: readonly SignedRecord[];
  readonly answer: MeshAnswer;
}

export class Office {
  readonly #parts: OfficeParts;
  #turnAt: Instant;

  constructor(parts: OfficeParts, now: Instant) {
    this.#parts = parts;
    this.#turnAt = after(now, TURN);
  }

  /** Our admin key, where it is in force. */
  get admin(): Signer | undefined {
    const { keys, authority } = this.#parts;
    return keys.admin && authority.isAdminKey(keys.admin.id) ? keys.admin : undefined;
  }

  invite(command: Extract<MeshCommand, { kind: 'invite' }>, now: Instant): Decision {
    const { admin } = this;
    if (!admin) return this.#refuseForAdmin('invite');
    if (this.#isClockAhead(now)) return refuse(CLOCK_AHEAD);
    const prefixes = command.prefixes.map(parsePrefix);
    if (prefixes.some((prefix) => !prefix)) return refuse('A prefix is not one, as 10.20.0.0/16');
    const wall = this.#parts.wallAt(now);
    if (this.#openInvitations(admin.id, wall) >= INVITATIONS) {
      return refuse(`${INVITATIONS} invitations are open; revoke some, or wait until they expire`);
    }
    if (command.isAdmin && !this.#parts.keys.root) {
      return refuse('An admin is invited on the host with the root key; `heddle members` names it');
    }
    const { crypto, random } = this.#parts.dependencies;
    const seed = random.bytes(SEED_BYTES);
    const id = toHex(random.bytes(ID_BYTES));
    const publicKeys = Array.from({ length: command.uses }, (_, use) =>
      crypto.publicKey(invitationKey(seed, use)),
    );
    const expires = wallTime(wall + command.ttl);
    const invitation: Invitation = {
      publicKeys,
      expires,
      name: command.name,
      groups: command.groups,
      isAdmin: command.isAdmin,
      prefixes: prefixes.filter((prefix) => prefix !== undefined),
      isRevoked: false,
    };
    const fault = faultOfInvitation(invitation);
    if (fault) return refuse(fault);
    const line = this.#lineOf({ id, seed, uses: command.uses, expires, admin: admin.id });
    if (!line) return refuse('This host has no address that others could reach it at');
    const record = this.#sign('invitation', id, emitInvitation(invitation), admin, now);
    const result = { kind: 'invited', line, id, expires: Math.floor(expires / 1e6) } as const;
    return { records: [record], answer: { ok: true, result } };
  }

  revokeInvitation(beginning: string, now: Instant): Decision {
    const found = [...this.#parts.authority.invitations()].filter(({ id }) =>
      id.startsWith(beginning.toLowerCase()),
    );
    const [first] = found;
    if (!first || beginning === '')
      return refuse('No invitation has this id; see `heddle invitations`');
    if (found.length > 1)
      return refuse('More than one invitation begins with this; give more of it');
    const { admin } = this;
    if (!admin || first.admin !== admin.id) return refuse('Another admin made this invitation');
    const body = emitInvitation({ ...first.invitation, isRevoked: true });
    const record = this.#sign('invitation', first.id, body, admin, now);
    return done([record], `Invitation ${first.id} is revoked`);
  }

  revoke(who: string, now: Instant): Decision {
    const { admin } = this;
    if (!admin) return this.#refuseForAdmin('revoke');
    const certificate = this.#find(who);
    if (typeof certificate === 'string') return refuse(certificate);
    const { member, identityKey, name, notAfter } = certificate;
    if (member === this.#parts.self) {
      return refuse('This is the host itself; `heddle leave` is how it goes');
    }
    const staticKeys = this.#keysOf(member);
    const keepUntil = wallTime(notAfter + 30 * DAY);
    const body = emitRevocation({ identityKey, staticKeys, keepUntil, fate: 'keep' });
    return done([this.#sign('revocation', member, body, admin, now)], `${name} is revoked`);
  }

  /** The certificate of somebody whose invitation was redeemed; the last of the records. */
  certify(applicant: Applicant, now: Instant): readonly SignedRecord[] {
    const { admin } = this;
    if (!admin || this.#isClockAhead(now)) return [];
    const records: SignedRecord[] = [];
    const member = nodeIdOf(applicant.identityKey);
    const { root } = this.#parts.keys;
    const wall = this.#parts.wallAt(now);
    if (applicant.isAdmin && root) {
      const body = emitDelegation({
        adminKey: applicant.identityKey,
        holder: member,
        notAfter: wallTime(wall + 4 * VALIDITY),
        epoch: this.#epoch(wall),
      });
      records.push(this.#sign('delegation', member, body, root, now));
    }
    const certificate: Certificate = {
      member,
      identityKey: applicant.identityKey,
      name: this.#freeName(applicant.name, member),
      groups: [...applicant.groups],
      prefixes: [...applicant.prefixes],
      mayAnnounceDefault: applicant.prefixes.some(({ length }) => length === 0),
      notBefore: wallTime(wall - CLOCK_SKEW),
      notAfter: wallTime(wall + VALIDITY),
      epoch: this.#epoch(wall),
    };
    records.push(this.#sign('certificate', member, emitCertificate(certificate), admin, now));
    return records;
  }

  /** Certificates that are due, signed again; not of those who have left. */
  takeRenewals(now: Instant): readonly SignedRecord[] {
    if (now < this.#turnAt) return [];
    this.#turnAt = after(now, TURN);
    const { admin } = this;
    if (!admin || this.#isClockAhead(now)) return [];
    const wall = this.#parts.wallAt(now);
    const renewed: SignedRecord[] = [];
    for (const id of this.#parts.authority.members()) {
      const certificate = this.#parts.authority.certificateOf(id);
      if (!certificate || renewed.length >= RENEWED) continue;
      if (this.#parts.directory.get(id)?.statement.status === 'left') continue;
      if (!isDue(certificate, this.#parts.authority.signerOf(id) === admin.id, wall)) continue;
      renewed.push(this.#renew(certificate, admin, wall, now));
    }
    return renewed;
  }

  /** All that another admin key, or none, signed: by ours. For a change of the admin key. */
  resignAll(admin: Signer, now: Instant): readonly SignedRecord[] {
    const { authority } = this.#parts;
    const wall = this.#parts.wallAt(now);
    const signed: SignedRecord[] = [];
    for (const id of authority.members()) {
      const certificate = authority.certificateOf(id);
      if (certificate) signed.push(this.#renew(certificate, admin, wall, now));
    }
    return signed;
  }

  /** Who could do what this node cannot. */
  adminNames(): string[] {
    return this.#parts.authority
      .adminsOf()
      .map((id) => this.#parts.authority.certificateOf(id)?.name ?? id);
  }

  deadline(): Instant {
    return this.#turnAt;
  }

  #renew(certificate: Certificate, admin: Signer, wall: WallTime, now: Instant): SignedRecord {
    const { member, identityKey, name, groups, prefixes, mayAnnounceDefault } = certificate;
    const renewed = {
      ...{ identityKey, name, groups, prefixes, mayAnnounceDefault },
      notBefore: wallTime(wall - CLOCK_SKEW),
      notAfter: wallTime(wall + VALIDITY),
      epoch: this.#epoch(wall),
    };
    return this.#sign('certificate', member, emitCertificate(renewed), admin, now);
  }

  /** Seconds since 1970: a later certificate has a later epoch, whoever signs it. */
  #epoch(wall: WallTime): number {
    return Math.floor(wall / 1e6);
  }

  #sign(
    kind: SignedRecord['kind'],
    key: string,
    body: Uint8Array,
    by: Signer,
    now: Instant,
  ): SignedRecord {
    const version = this.#parts.clock.next(this.#parts.wallAt(now));
    return this.#parts.scribe.sign({ kind, key, version, body }, by);
  }

  #lineOf(of: {
    id: string;
    seed: Uint8Array;
    uses: number;
    expires: WallTime;
    admin: NodeId;
  }): string | undefined {
    const introducers = this.#parts.introducers().slice(0, INTRODUCERS);
    if (introducers.length === 0) return undefined;
    const { network, authority } = this.#parts;
    const { id, seed, uses, expires, admin } = of;
    const line: JoinLine = {
      network,
      rootKey: authority.firstRootKey,
      admin,
      introducers: [...introducers],
      invitation: id,
      seed,
      uses,
      expires,
    };
    return emitJoinLine(line);
  }

  /** Static keys that are the member's own, and not another's that it claims. */
  #keysOf(member: NodeId): Uint8Array[] {
    const { directory } = this.#parts;
    const { staticKey, nextStaticKey } = directory.get(member)?.statement ?? {};
    return [staticKey, nextStaticKey].flatMap((key) =>
      key && directory.withKey(key)?.id === member ? [key] : [],
    );
  }

  /** By name, by id, or by the static public key; or why there is none. */
  #find(who: string): Certificate | string {
    const { authority, directory } = this.#parts;
    const key = parseKey(who);
    const id = key ? directory.withKey(key)?.id : nodeId(who);
    const byId = id && authority.certificateOf(id);
    if (byId) return byId;
    for (const member of authority.members()) {
      const certificate = authority.certificateOf(member);
      if (certificate?.name === who) return certificate;
    }
    return `No member is called "${printable(who)}"; see \`heddle members\``;
  }

  /** The name asked for, or with a number behind it where another member has it. */
  #freeName(wanted: string, member: NodeId): string {
    const taken = new Set<string>();
    const { authority } = this.#parts;
    for (const id of authority.members()) {
      const certificate = authority.certificateOf(id);
      if (certificate && id !== member) taken.add(certificate.name);
    }
    if (!taken.has(wanted)) return wanted;
    for (let number = 2; ; number++) {
      const suffix = `-${number}`;
      const name = `${wanted.slice(0, 63 - suffix.length)}${suffix}`;
      if (!taken.has(name)) return name;
    }
  }

  #openInvitations(admin: NodeId, wall: WallTime): number {
    let open = 0;
    for (const each of this.#parts.authority.invitations()) {
      const { isRevoked, expires } = each.invitation;
      if (each.admin === admin && !isRevoked && expires > wall) open++;
    }
    return open;
  }

  /**
   * What is signed by a clock that runs ahead the others refuse until that time comes. Where it is
   * right, and no admin has signed for so long, an operator says so: `heddle rotate admin`.
   */
  #isClockAhead(now: Instant): boolean {
    const { clock, hostWallAt } = this.#parts;
    return clock.isAhead(hostWallAt(now));
  }

  #refuseForAdmin(what: string): Decision {
    const names = this.adminNames();
    const who = names.length > 0 ? `an admin can: ${names.join(', ')}` : 'no admin is known yet';
    return refuse(`This host is not an admin, so it cannot ${what}; ${who}`);
  }
}

function isDue(certificate: Certificate, isOurs: boolean, wall: WallTime): boolean {
  return isOurs ? renewalDue(certificate, wall) : rescueDue(certificate, wall);
}

function refuse(error: string): Decision {
  return { records: [], answer: { ok: false, error } };
}

function done(records: readonly SignedRecord[], text: string): Decision {
  return { records, answer: { ok: true, result: { kind: 'done', text } } };
}

/** What somebody typed, without what a terminal would obey. */
function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
