/**
 * Where a node and its sessions meet: what is for a session goes in, what it wants is done, and it
 * is woken when it asked to be. A peer whose session is not made yet gets it here, with all that is
 * known of the peer, at the first thing that is for it.
 *
 * Deadlines: each session's, kept in one heap.
 */

import type { Endpoint } from '../base/address.js';
import { type PeerSlot, peerSlot } from '../base/identifiers.js';
import { type Instant, NEVER } from '../base/time.js';
import { WakeQueue } from '../base/wake_queue.js';
import type { SessionAction } from '../session/action.js';
import { ControlDropCounters } from '../session/control_drop.js';
import type { Features } from '../session/features.js';
import type { HandshakeDropCounters } from '../session/handshake_drop.js';
import type { SessionInput } from '../session/input.js';
import type { ActionQueue } from './action_queue.js';
import type { PeerConfig } from './config.js';
import type { EndpointNames } from './endpoint_names.js';
import type { MeshSide } from './mesh_side.js';
import { applySettings, moveTo } from './peer_settings.js';
import type { Peer } from './peer_table.js';
import type { SessionLog } from './session_log.js';

export interface SessionSideParts {
  readonly actions: ActionQueue;
  readonly handshakeDrops: HandshakeDropCounters;
  readonly log: SessionLog;
  readonly mesh: MeshSide;
  readonly names: EndpointNames;
  readonly peerAt: (slot: PeerSlot) => Peer | undefined;
}

export class SessionSide {
  readonly controlDrops = new ControlDropCounters();
  readonly #parts: SessionSideParts;
  readonly #wakes = new WakeQueue();
  readonly #wanted: SessionAction[] = [];
  #features: Features;

  /** `features`: ours, for peers of heddle's own protocol. */
  constructor(parts: SessionSideParts, features: Features) {
    this.#parts = parts;
    this.#features = features;
  }

  /** For what is told from now on. */
  setFeatures(features: Features): void {
    this.#features = features;
  }

  tell(peer: Peer, input: SessionInput, now: Instant): void {
    this.#equip(peer, now);
    peer.session.handle(input, now);
    this.#settle(peer, now);
  }

  roamed(peer: Peer, to: Endpoint, now: Instant): void {
    this.#equip(peer, now);
    moveTo(peer, to, now);
    this.#settle(peer, now);
  }

  /** `before`: what was said of the peer last. */
  apply(peer: Peer, before: PeerConfig | undefined, now: Instant): void {
    applySettings(peer, before, this.#features, this.#parts.names, now);
    this.#settle(peer, now);
  }

  advance(now: Instant): void {
    for (let due = this.#wakes.takeDue(now); due !== undefined; due = this.#wakes.takeDue(now)) {
      const peer = this.#parts.peerAt(peerSlot(due));
      if (!peer) continue;
      peer.session.advance(now);
      this.#settle(peer, now);
    }
  }

  deadline(): Instant {
    return this.#wakes.earliest();
  }

  /** Forgets its keys. */
  stop(peer: Peer, now: Instant): void {
    if (!peer.hasSession) return;
    peer.session.handle({ kind: 'stop' }, now);
    this.#settle(peer, now);
    this.#retire(peer);
  }

  /** The same where the peer is gone: the walk forgets its keypairs by `removePeer`. */
  dismiss(peer: Peer, now: Instant): void {
    if (!peer.hasSession) return;
    peer.session.handle({ kind: 'stop' }, now);
    this.#wanted.length = 0;
    peer.session.drain(this.#wanted);
    this.#retire(peer);
  }

  #retire({ slot }: Peer): void {
    this.#parts.names.remove(slot);
    this.#wakes.set(slot, NEVER);
  }

  #equip(peer: Peer, now: Instant): void {
    if (!peer.hasSession) applySettings(peer, undefined, this.#features, this.#parts.names, now);
  }

  #settle(peer: Peer, now: Instant): void {
    this.#wanted.length = 0;
    peer.session.drain(this.#wanted);
    for (const action of this.#wanted) this.#carryOut(peer, action, now);
    this.#wakes.set(peer.slot, peer.session.deadline());
  }

  #carryOut(peer: Peer, action: SessionAction, now: Instant): void {
    const { actions, handshakeDrops, log, mesh, names } = this.#parts;
    switch (action.kind) {
      case 'send':
        return actions.push({ ...action, peer: peer.slot });
      case 'handshakeDropped':
        return handshakeDrops.add(action.reason);
      case 'controlDropped':
        return this.controlDrops.add(action.reason);
      case 'helloAnswered':
      case 'helloUnanswered':
        return log.hello(peer, action.kind === 'helloAnswered');
      case 'established':
        log.established(peer, now);
        return mesh.established(peer, peer.session.endpoint, now);
      case 'controlReceived':
        if (!mesh.received(peer, action.message, now)) this.controlDrops.add('control_unknown');
        return;
      case 'gaveUp':
        log.gaveUp(peer);
        mesh.gaveUp(peer, now);
        return names.gaveUp(peer.slot, now);
      case 'removeKeypair':
        return actions.write(action);
      default:
        return actions.write({ ...action, peer: peer.slot });
    }
  }
}
