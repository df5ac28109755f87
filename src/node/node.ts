/**
 * The node core: everything of one daemon that is not I/O. It owns the cores of the session folder
 * and speaks for them: one Session a peer, the table of session indices, the admission of handshake
 * messages. It is the only writer of the tables that the walk reads, and it learns of traffic by
 * the walk's events alone; no data packet comes here.
 *
 * Life: a new node has no identity and drops every handshake. `wallClock` must come before the
 * first `configure`, which gives it its keys and peers; every later `configure` is a difference: a
 * peer, known by its public key, that is in both keeps its sessions, its learned endpoint and its
 * slot. A changed private key ends every session, and without one (all zeros) there are none.
 * `stop` forgets all keys, for good.
 *
 * Handshake message -> admission (load, cookie, limiter) -> whose is it (the static key an
 * initiation carries, the receiver index of the others) -> does it come in the peer's form? ->
 * that peer's session. What comes to nothing is counted by reason and never logged.
 *
 * Deadlines: each session's, kept in one heap; those of names that wait to be asked for again; the
 * ends of peers in the clear; a change of the underlay that followed too soon upon another.
 *
 * Limits: MAX_PEERS peers, further ones are ignored with a warning; four session indices a peer; a
 * warning about the wall clock at most once a minute. The shell carries out drained actions before
 * it calls again: at the next call, keys that were handed over are wiped. `setMtu` is the shell's
 * to write.
 */

import { type Endpoint, endpointOf, parseAddress, withVni } from '../base/address.js';
import { assert, unreachable } from '../base/assert.js';
import { equal } from '../base/bytes.js';
import { type PeerSlot, peerSlot } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import {
  earliest,
  elapsed,
  type Instant,
  instant,
  NEVER,
  seconds,
  type WallTime,
} from '../base/time.js';
import { WakeQueue } from '../base/wake_queue.js';
import { type CryptoSuite, KEY_BYTES } from '../crypto/suite.js';
import { HANDSHAKE_QUEUE, type WalkEvent } from '../datapath/tables.js';
import type { SessionAction } from '../session/action.js';
import { Admission } from '../session/admission.js';
import { REJECT_AFTER_TIME } from '../session/constants.js';
import { openInitiation } from '../session/handshake.js';
import { HandshakeDropCounters } from '../session/handshake_drop.js';
import type { SessionInput } from '../session/input.js';
import { Session } from '../session/session.js';
import { SessionTable } from '../session/session_table.js';
import { WallClock } from '../session/wall_clock.js';
import {
  MESSAGE_COOKIE_REPLY,
  MESSAGE_INITIATION,
  messageType,
  receiverOf,
} from '../wire/wireguard.js';
import type { NodeAction } from './action.js';
import { ActionQueue } from './action_queue.js';
import { ClearPeers } from './clear_peers.js';
import { ClockWatch } from './clock_watch.js';
import type { Config, HostPort, PeerConfig } from './config.js';
import { EndpointNames, isSamePlace } from './endpoint_names.js';
import { Identity } from './identity.js';
import type { NodeInput } from './input.js';
import { OwnTables } from './own_tables.js';
import { Pace } from './pace.js';
import type { Peer } from './peer_table.js';
import { Roster } from './roster.js';
import { Slots } from './slots.js';
import { type NodeSnapshot, type PeerSnapshot, snapshotOf } from './snapshot.js';

export interface NodeDependencies {
  readonly crypto: CryptoSuite;
  readonly random: Random;
  readonly log: Log;
}

/** The underlay may change in many steps; peers are told of it no more often than this. */
const UNDERLAY_INTERVAL = seconds(1);

type HandshakeEvent = Extract<WalkEvent, { kind: 'handshake' }>;
type ReplyInput = Extract<SessionInput, { kind: 'response' | 'cookieReply' }>;

export class Node {
  readonly #crypto: CryptoSuite;
  readonly #log: Log;
  readonly #identity: Identity;
  readonly #own = new OwnTables();
  readonly #wallClock = new WallClock();
  readonly #clock: ClockWatch;
  readonly #table: SessionTable;
  readonly #admission: Admission;
  readonly #clearPeers: ClearPeers;
  readonly #roster: Roster;
  readonly #underlay = new Pace(UNDERLAY_INTERVAL);
  #unaffected: ReadonlySet<PeerSlot> = new Set();
  readonly #names = new EndpointNames();
  readonly #wakes = new WakeQueue();
  readonly #drops = new HandshakeDropCounters();
  readonly #actions = new ActionQueue();
  readonly #wanted: SessionAction[] = [];
  #now = instant(0);
  #isStopped = false;

  constructor(dependencies: NodeDependencies) {
    const { crypto, random, log } = dependencies;
    this.#crypto = crypto;
    this.#log = log;
    this.#identity = new Identity(crypto);
    this.#clock = new ClockWatch(this.#wallClock, log);
    this.#table = new SessionTable(random);
    this.#admission = new Admission({ crypto, random, queueLength: HANDSHAKE_QUEUE });
    const shared = {
      crypto,
      random,
      table: this.#table,
      wallClock: this.#wallClock,
      identity: this.#identity,
    };
    const slots = new Slots();
    this.#clearPeers = new ClearPeers(slots, this.#wallClock, log);
    this.#roster = new Roster({
      slots,
      clearPeers: this.#clearPeers,
      createSession: (slot, publicKey) => new Session(shared, { slot, publicKey }),
    });
  }

  handle(input: NodeInput, now: Instant): void {
    this.#enter(now);
    if (this.#isStopped) return;
    switch (input.kind) {
      case 'configure':
        return this.#configure(input.config, now);
      case 'wallClock':
        return this.#setWallClock(input.wall, now);
      case 'walk':
        return this.#handleEvent(input.event, now);
      case 'resolved':
        return this.#resolved(input, now);
      case 'underlayChanged':
        this.#unaffected = input.unaffected;
        this.#underlay.ask(now);
        return this.#followUnderlay(now);
      case 'stop':
        return this.#stop(now);
      default:
        return unreachable(input);
    }
  }

  advance(now: Instant): void {
    this.#enter(now);
    this.#names.advance(now);
    this.#clearPeers.advance(now);
    this.#followUnderlay(now);
    for (let due = this.#wakes.takeDue(now); due !== undefined; due = this.#wakes.takeDue(now)) {
      const peer = this.#roster.peers.atSlot(peerSlot(due));
      if (!peer) continue;
      peer.session.advance(now);
      this.#settle(peer, now);
    }
  }

  deadline(): Instant {
    if (this.#isStopped) return NEVER;
    const sealed = earliest(this.#wakes.earliest(), this.#names.deadline());
    return earliest(earliest(sealed, this.#clearPeers.deadline()), this.#underlay.deadline());
  }

  /** Keys in `installKeypair` writes are valid until the next `handle` or `advance`. */
  drain(out: NodeAction[]): void {
    this.#actions.drain(out);
    this.#names.drain(out);
  }

  snapshot(): NodeSnapshot {
    const peers: PeerSnapshot[] = [];
    for (const peer of this.#roster.peers.all()) {
      peers.push(snapshotOf(peer, this.#roster.prefixesOf(peer), this.#now));
    }
    return {
      publicKey: this.#identity.keys?.publicKey.slice() ?? new Uint8Array(KEY_BYTES),
      vtepMac: this.#own.vtepMac,
      peers,
      clearPeers: this.#roster.clearSnapshot(this.#now),
      handshakeDrops: this.#drops.read(),
      underLoad: this.#admission.isUnderLoad(this.#now),
    };
  }

  #enter(now: Instant): void {
    assert(now >= this.#now, 'time does not go back');
    this.#now = now;
    this.#actions.wipeHandedOver();
  }

  // What the walk tells.

  #handleEvent(event: WalkEvent, now: Instant): void {
    switch (event.kind) {
      case 'handshake':
        return this.#receive(event, now);
      case 'sessionNeeded':
        return this.#tell(event.peer, { kind: 'sessionNeeded', reason: event.reason }, now);
      case 'confirmed':
        return this.#tell(event.peer, { kind: 'confirmed', localIndex: event.localIndex }, now);
      case 'roamed':
        return this.#moveTo(event.peer, event.endpoint, now);
      case 'activity':
        return this.#tell(event.peer, { kind: 'activity', traffic: event.activity }, now);
      default:
        return unreachable(event);
    }
  }

  #receive(event: HandshakeEvent, now: Instant): void {
    const { datagram, source } = event;
    if (!this.#identity.keys) return this.#drops.add('no_identity');
    if (messageType(datagram) === MESSAGE_COOKIE_REPLY) {
      return this.#tellOwner({ kind: 'cookieReply', datagram }, source, now);
    }
    const admitted = this.#admission.admit(event, now);
    if (admitted.kind === 'dropped') return this.#drops.add(admitted.reason);
    if (admitted.kind === 'answered') return this.#answer(event, admitted.reply);
    if (messageType(datagram) === MESSAGE_INITIATION) this.#receiveInitiation(event, now);
    else this.#tellOwner({ kind: 'response', datagram, source }, source, now);
  }

  #answer({ source: endpoint }: HandshakeEvent, datagram: Uint8Array): void {
    this.#drops.add('answered_with_cookie');
    this.#actions.push({ kind: 'send', peer: undefined, endpoint, datagram });
  }

  #receiveInitiation(event: HandshakeEvent, now: Instant): void {
    const { datagram, source } = event;
    const keys = this.#identity.keys;
    const opened = keys ? openInitiation(this.#crypto, keys, datagram) : 'no_identity';
    if (typeof opened === 'string') return this.#drops.add(opened);
    const peer = this.#roster.peers.withKey(opened.theirPublicKey);
    if (peer && source.vni === peer.config.sealedVni) {
      return this.#tell(peer.slot, { kind: 'initiation', opened, datagram, source }, now);
    }
    opened.state.wipe();
    this.#drops.add(peer ? 'encapsulation' : 'unknown_peer');
  }

  /** To the peer that the message's receiver index belongs to. */
  #tellOwner(input: ReplyInput, source: Endpoint, now: Instant): void {
    const slot = this.#table.lookup(receiverOf(input.datagram));
    const owner = slot === undefined ? undefined : this.#roster.peers.atSlot(slot);
    if (!owner) this.#drops.add('unknown_index');
    else if (source.vni !== owner.config.sealedVni) this.#drops.add('encapsulation');
    else this.#tell(owner.slot, input, now);
  }

  /** Whatever the form was when the event was raised, the peer has the configured one now. */
  #moveTo(slot: PeerSlot, to: Endpoint, now: Instant): void {
    const endpoint = withVni(to, this.#roster.peers.atSlot(slot)?.config.sealedVni);
    this.#tell(slot, { kind: 'endpoint', endpoint }, now);
  }

  /** Events about a peer that is gone by now are late, and mean nothing. */
  #tell(slot: PeerSlot, input: SessionInput, now: Instant): void {
    const peer = this.#roster.peers.atSlot(slot);
    if (!peer) return;
    peer.session.handle(input, now);
    this.#settle(peer, now);
  }

  // What sessions want.

  #settle(peer: Peer, now: Instant): void {
    this.#wanted.length = 0;
    peer.session.drain(this.#wanted);
    for (const action of this.#wanted) this.#carryOut(peer, action, now);
    this.#wakes.set(peer.slot, peer.session.deadline());
  }

  #carryOut(peer: Peer, action: SessionAction, now: Instant): void {
    switch (action.kind) {
      case 'send':
        this.#actions.push({ ...action, peer: peer.slot });
        return;
      case 'handshakeDropped':
        return this.#drops.add(action.reason);
      case 'established':
        return this.#established(peer, now);
      case 'gaveUp':
        this.#log.info('Handshake given up', { peer: peer.config.name });
        return this.#names.gaveUp(peer.slot, now);
      case 'removeKeypair':
        return this.#actions.write(action);
      default:
        return this.#actions.write({ ...action, peer: peer.slot });
    }
  }

  #established(peer: Peer, now: Instant): void {
    const before = peer.latestHandshake?.at;
    const isSuccessor = before !== undefined && elapsed(before, now) < REJECT_AFTER_TIME;
    peer.latestHandshake = { at: now, wall: this.#wallClock.at(now) };
    const endpoint = peer.session.endpoint?.text ?? '';
    if (isSuccessor) this.#log.debug('Session renewed', { peer: peer.config.name, endpoint });
    else this.#log.info('Session established', { peer: peer.config.name, endpoint });
  }

  // What the shell tells.

  #configure(config: Config, now: Instant): void {
    const isNewIdentity = this.#identity.adopt(config.privateKey);
    const publicKey = this.#identity.keys?.publicKey;
    const newKey = isNewIdentity ? publicKey : undefined;
    if (newKey) this.#admission.setPublicKey(newKey);
    for (const write of this.#own.adopt(config, publicKey, newKey)) this.#actions.write(write);
    const change = this.#roster.adopt(config, publicKey, now);
    for (const { config: peer, why } of change.refused) {
      this.#log.warn('Peer is left out of the configuration', { peer: peer.name, why });
    }
    for (const peer of change.gone) this.#dismiss(peer, now);
    for (const write of change.writes) this.#actions.write(write);
    for (const { peer, before } of change.present) {
      if (before && isNewIdentity) peer.session.handle({ kind: 'identityChanged' }, now);
      this.#applySettings(peer, before, now);
      this.#settle(peer, now);
    }
  }

  #applySettings(peer: Peer, before: PeerConfig | undefined, now: Instant): void {
    const { presharedKey, endpoint, persistentKeepalive } = peer.config;
    if (!isSameKey(before?.presharedKey, presharedKey)) {
      peer.session.handle({ kind: 'presharedKey', key: presharedKey }, now);
    }
    const known = peer.session.endpoint;
    if (known && before?.sealedVni !== peer.config.sealedVni) this.#moveTo(peer.slot, known, now);
    if (!isSamePlace(before?.endpoint, endpoint)) this.#setEndpoint(peer, endpoint, now);
    if (before?.persistentKeepalive !== persistentKeepalive) {
      const interval = persistentKeepalive;
      peer.session.handle({ kind: 'persistentKeepalive', interval }, now);
    }
  }

  /** Where there is none any more, the peer is still where it was heard last. */
  #setEndpoint(peer: Peer, at: HostPort | undefined, now: Instant): void {
    this.#names.remove(peer.slot);
    const address = at && parseAddress(at.host);
    if (at && address) {
      const endpoint = withVni(endpointOf(address, at.port), peer.config.sealedVni);
      peer.session.handle({ kind: 'endpoint', endpoint }, now);
    } else if (at) this.#names.set(peer.slot, at, now);
  }

  #resolved(input: Extract<NodeInput, { kind: 'resolved' }>, now: Instant): void {
    const { request, endpoint } = input;
    const slot = this.#names.answered(request, endpoint, now);
    const peer = slot === undefined ? undefined : this.#roster.peers.atSlot(slot);
    if (!peer) return;
    if (!endpoint) this.#log.debug('Endpoint does not resolve', { peer: peer.config.name });
    // A peer that is being heard is where it is heard.
    else if (peer.session.state(now) !== 'established') this.#moveTo(peer.slot, endpoint, now);
  }

  #followUnderlay(now: Instant): void {
    if (!this.#underlay.take(now)) return;
    for (const { slot } of this.#roster.peers.all()) {
      if (!this.#unaffected.has(slot)) this.#tell(slot, { kind: 'underlayChanged' }, now);
    }
  }

  #setWallClock(wall: WallTime, now: Instant): void {
    this.#clock.set(wall, now);
    for (const write of this.#clearPeers.clockSet(now)) this.#actions.write(write);
  }

  #stop(now: Instant): void {
    this.#isStopped = true;
    for (const peer of this.#roster.peers.all()) {
      peer.session.handle({ kind: 'stop' }, now);
      this.#settle(peer, now);
      this.#names.remove(peer.slot);
      this.#wakes.set(peer.slot, NEVER);
    }
    this.#identity.forget();
  }

  /** The walk forgets its keypairs by `removePeer`; here they are only released. */
  #dismiss(peer: Peer, now: Instant): void {
    peer.session.handle({ kind: 'stop' }, now);
    this.#wanted.length = 0;
    peer.session.drain(this.#wanted);
    this.#names.remove(peer.slot);
    this.#wakes.set(peer.slot, NEVER);
  }
}

function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b));
}
