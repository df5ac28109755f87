/**
 * Who is who: the members this node knows, by id and by static key, and which of them the node has
 * as peers. A member is a peer while it is certified, not revoked, has not left, and has a key that
 * is no other's; what the node is told of it (keys, name, where it is, what lies behind it) is told
 * again when it changes, and only then.
 *
 * Where a member names several endpoints they are tried in turn while it does not answer.
 *
 * Limit: PEERS; members beyond it are known and not talked to.
 */

import type { Endpoint, Prefix } from '../base/address.js';
import { equal, pack, shared } from '../base/bytes.js';
import type { NodeId } from '../base/identifiers.js';
import type { NodeStatement } from '../wire/node_record.js';
import type { MeshAction, MeshPeer } from './action.js';

/** As many peers as a node takes by gossip. */
export const PEERS = 16_384;

/** What a member is to be as a peer. */
export interface Standing {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
}

export interface Member {
  readonly id: NodeId;
  statement: NodeStatement;
  /** Of its node record: its incarnation. */
  version: number;
  /** What the node was told last; undefined: it is no peer. */
  peer: DirectoryPeer | undefined;
  /** Which of its endpoints is tried. */
  tried: number;
}

/** Of thousands: keys are those of the member's statement. */
class DirectoryPeer implements MeshPeer {
  readonly statement: NodeStatement;
  readonly name: string;
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  /** Its other key is no other member's. */
  readonly hasOther: boolean;

  constructor(
    member: Member,
    { name, allowedIps }: Pick<MeshPeer, 'name' | 'allowedIps'>,
    hasOther: boolean,
  ) {
    this.statement = member.statement;
    this.name = name;
    this.endpoint = endpointOf(member);
    this.allowedIps = allowedIps;
    this.hasOther = hasOther;
  }

  get publicKey(): Uint8Array {
    return this.statement.staticKey;
  }

  get alternateKey(): Uint8Array | undefined {
    return this.hasOther ? this.statement.nextStaticKey : undefined;
  }
}

export class Directory {
  readonly #members = new Map<NodeId, Member>();
  readonly #byKey = new Map<string, NodeId>();
  readonly #actions: MeshAction[];
  #peers = 0;

  /** Actions are appended to `actions`. */
  constructor(actions: MeshAction[]) {
    this.#actions = actions;
  }

  /** How many members are peers. */
  get peers(): number {
    return this.#peers;
  }

  get(id: NodeId): Member | undefined {
    return this.#members.get(id);
  }

  all(): Iterable<Member> {
    return this.#members.values();
  }

  /** Whose static key this is, now or while it changes keys. */
  withKey(publicKey: Uint8Array): Member | undefined {
    const id = this.#byKey.get(pack(publicKey));
    return id === undefined ? undefined : this.#members.get(id);
  }

  /** A node record of the member came into force; returns what it said before. */
  update(id: NodeId, statement: NodeStatement, version: number): NodeStatement | undefined {
    const member = this.#members.get(id);
    if (member) {
      const before = member.statement;
      this.#unlink(member);
      member.statement = statement;
      member.version = version;
      member.tried = 0;
      this.#link(member);
      return before;
    }
    const fresh = { id, statement, version, peer: undefined, tried: 0 };
    this.#members.set(id, fresh);
    this.#link(fresh);
    return undefined;
  }

  /** Tells the node what the member is as a peer now; undefined: none. */
  refresh(id: NodeId, standing: Standing | undefined): void {
    const member = this.#members.get(id);
    if (!member) return;
    const { status, staticKey, nextStaticKey } = member.statement;
    const wanted = standing && status === 'alive' && this.#hasKey(id, staticKey);
    if (!wanted) return this.#dismiss(member);
    if (!member.peer && this.#peers >= PEERS) return;
    const hasOther = nextStaticKey !== undefined && this.#hasKey(id, nextStaticKey);
    const peer = new DirectoryPeer(
      member,
      { name: standing.name, allowedIps: standing.prefixes },
      hasOther,
    );
    if (member.peer && isSamePeer(member.peer, peer)) return;
    if (!member.peer) this.#peers++;
    else if (!isContinued(member.peer, peer)) {
      this.#actions.push({ kind: 'removePeer', publicKey: member.peer.publicKey });
    }
    member.peer = peer;
    this.#actions.push({ kind: 'upsertPeer', peer });
  }

  /** The member does not answer where it was tried: the next of its endpoints is. */
  tryNext(member: Member): void {
    const { peer } = member;
    if (!peer || member.statement.endpoints.length < 2) return;
    member.tried = (member.tried + 1) % member.statement.endpoints.length;
    member.peer = new DirectoryPeer(member, peer, peer.hasOther);
    this.#actions.push({ kind: 'upsertPeer', peer: member.peer });
  }

  forget(id: NodeId): void {
    const member = this.#members.get(id);
    if (!member) return;
    this.#dismiss(member);
    this.#unlink(member);
    this.#members.delete(id);
  }

  #dismiss(member: Member): void {
    if (!member.peer) return;
    this.#actions.push({ kind: 'removePeer', publicKey: member.peer.publicKey });
    member.peer = undefined;
    this.#peers--;
  }

  #hasKey(id: NodeId, key: Uint8Array): boolean {
    return this.#byKey.get(pack(key)) === id;
  }

  /** A key that two members claim is the first one's: the other is no peer by it. */
  #link({ id, statement }: Member): void {
    for (const key of keysOf(statement)) {
      const text = pack(key);
      if (!this.#byKey.has(text)) this.#byKey.set(shared(text), id);
    }
  }

  #unlink({ id, statement }: Member): void {
    for (const key of keysOf(statement)) {
      const text = pack(key);
      if (this.#byKey.get(text) === id) this.#byKey.delete(text);
    }
  }
}

function keysOf({ staticKey, nextStaticKey }: NodeStatement): Uint8Array[] {
  return nextStaticKey ? [staticKey, nextStaticKey] : [staticKey];
}

function endpointOf({ statement, tried }: Member): Endpoint | undefined {
  return statement.endpoints[tried % Math.max(1, statement.endpoints.length)];
}

/** Whether the node takes the one for the other with its keys changed. */
function isContinued(before: MeshPeer, after: MeshPeer): boolean {
  if (equal(before.publicKey, after.publicKey)) return true;
  return before.alternateKey !== undefined && equal(before.alternateKey, after.publicKey);
}

function isSamePeer(a: MeshPeer, b: MeshPeer): boolean {
  return (
    a.name === b.name &&
    a.endpoint?.text === b.endpoint?.text &&
    equal(a.publicKey, b.publicKey) &&
    isSameKey(a.alternateKey, b.alternateKey) &&
    a.allowedIps.length === b.allowedIps.length &&
    a.allowedIps.every(({ text }, i) => text === b.allowedIps[i]?.text)
  );
}

function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b));
}
