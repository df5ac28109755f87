/**
 * Where a node and its mesh meet: what becomes of peers goes to the mesh, and what the mesh wants
 * is done. A node without a mesh has one of these all the same, which does nothing.
 *
 * Limit: ROUNDS of wishes in one call, each of which may bring about others; what is left is done
 * at the next.
 */

import type { Endpoint, Prefix } from '../base/address.js';
import { type Instant, NEVER } from '../base/time.js';
import type { MeshAction, MeshPeer } from '../mesh/action.js';
import type { MeshInput } from '../mesh/input.js';
import type { MeshSnapshot } from '../mesh/snapshot.js';
import type { SessionInput } from '../session/input.js';
import { emitControl } from '../wire/control.js';
import type { PeerConfig } from './config.js';
import type { HostMeshAction, MeshPort } from './mesh_port.js';
import type { Peer } from './peer_table.js';

const ROUNDS = 16;

/** What the mesh wants of its node. */
export interface MeshHands {
  upsert(config: PeerConfig, otherKey: Uint8Array | undefined, now: Instant): void;
  remove(publicKey: Uint8Array, now: Instant): void;
  /** To the session of the peer with this key, if there is one. */
  tell(publicKey: Uint8Array, input: SessionInput, now: Instant): void;
  /** Private keys, the first to make handshakes by; borrowed. */
  setKeys(privateKeys: readonly Uint8Array[]): void;
  /** To the shell. */
  lift(action: HostMeshAction): void;
}

export class MeshSide {
  readonly #port: MeshPort | undefined;
  readonly #hands: MeshHands;

  constructor(port: MeshPort | undefined, hands: MeshHands) {
    this.#port = port;
    this.#hands = hands;
  }

  feed(input: MeshInput, now: Instant): void {
    this.#port?.handle(input, now);
  }

  /** False where nobody is there to take it. */
  received(peer: Peer, message: { kind: number; body: Uint8Array }, now: Instant): boolean {
    if (!this.#port || !peer.isMesh) return false;
    this.feed({ kind: 'control', publicKey: peer.config.publicKey, message }, now);
    return true;
  }

  established(peer: Peer, endpoint: Endpoint | undefined, now: Instant): void {
    if (!peer.isMesh) return;
    const { publicKey } = peer.config;
    this.feed({ kind: 'session', publicKey, event: 'established', endpoint }, now);
  }

  gaveUp(peer: Peer, now: Instant): void {
    if (!peer.isMesh) return;
    const { publicKey } = peer.config;
    this.feed({ kind: 'session', publicKey, event: 'gaveUp', endpoint: undefined }, now);
  }

  advance(now: Instant): void {
    if (this.#port && this.#port.deadline() <= now) this.#port.advance(now);
  }

  deadline(): Instant {
    return this.#port?.deadline() ?? NEVER;
  }

  snapshot(): MeshSnapshot | undefined {
    return this.#port?.snapshot();
  }

  /** Does what is wanted, and what that brings about. */
  settle(now: Instant): void {
    for (let round = 0; this.#port && round < ROUNDS; round++) {
      const wanted: MeshAction[] = [];
      this.#port.drain(wanted);
      if (wanted.length === 0) return;
      for (const action of wanted) this.#carryOut(action, now);
    }
  }

  #carryOut(action: MeshAction, now: Instant): void {
    switch (action.kind) {
      case 'upsertPeer':
        return this.#hands.upsert(new MeshPeerConfig(action.peer), action.peer.alternateKey, now);
      case 'removePeer':
        return this.#hands.remove(action.publicKey, now);
      case 'sendControl': {
        const message = emitControl(action.message);
        return this.#hands.tell(action.publicKey, { kind: 'sendControl', message }, now);
      }
      case 'restartSession':
        return this.#hands.tell(action.publicKey, { kind: 'peerRestarted' }, now);
      case 'staticKeys':
        return this.#hands.setKeys(action.privateKeys);
      default:
        return this.#hands.lift(action);
    }
  }
}

/** What the mesh says of a peer, as a configuration does: a view, for there are thousands. */
class MeshPeerConfig implements PeerConfig {
  readonly peer: MeshPeer;

  constructor(peer: MeshPeer) {
    this.peer = peer;
  }

  get name(): string {
    return this.peer.name;
  }

  get publicKey(): Uint8Array {
    return this.peer.publicKey;
  }

  get at(): Endpoint | undefined {
    return this.peer.endpoint;
  }

  get allowedIps(): readonly Prefix[] {
    return this.peer.allowedIps;
  }

  get protocol(): 'heddle' {
    return 'heddle';
  }
}
