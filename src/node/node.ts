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
 * Handshake messages go through intake.ts to the session of the peer they are for.
 *
 * Deadlines: each session's, kept in one heap; those of names that wait to be asked for again; the
 * ends of peers in the clear; a change of the underlay that followed too soon upon another.
 *
 * Limits: MAX_PEERS peers, further ones are ignored with a warning; four session indices a peer; a
 * warning about the wall clock at most once a minute. The shell carries out drained actions before
 * it calls again: at the next call, keys that were handed over are wiped. `setMtu` is the shell's
 * to write.
 */

import type { Endpoint } from '../base/address.js';
import { assert, unreachable } from '../base/assert.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { earliest, type Instant, instant, NEVER, seconds, type WallTime } from '../base/time.js';
import { type CryptoSuite, KEY_BYTES } from '../crypto/suite.js';
import { HANDSHAKE_QUEUE, type WalkEvent } from '../datapath/tables.js';
import { Admission } from '../session/admission.js';
import type { SessionInput } from '../session/input.js';
import { Session } from '../session/session.js';
import { SessionTable } from '../session/session_table.js';
import { WallClock } from '../base/wall_clock.js';
import { type Abilities, featuresOf, LEAST_ABILITIES } from './abilities.js';
import type { NodeAction } from './action.js';
import { ActionQueue } from './action_queue.js';
import { ClearPeers } from './clear_peers.js';
import { ClockWatch } from './clock_watch.js';
import type { Config, PeerConfig } from './config.js';
import { EndpointNames } from './endpoint_names.js';
import { Identity } from './identity.js';
import type { NodeInput } from './input.js';
import { type HandshakeEvent, Intake } from './intake.js';
import type { MeshPort } from './mesh_port.js';
import { MeshSide } from './mesh_side.js';
import { OwnTables } from './own_tables.js';
import { Pace } from './pace.js';
import { literalEndpoint } from './peer_settings.js';
import type { Peer } from './peer_table.js';
import { Roster } from './roster.js';
import { SessionLog } from './session_log.js';
import { SessionSide } from './session_side.js';
import { Slots } from './slots.js';
import { type NodeSnapshot, type PeerSnapshot, snapshotOf } from './snapshot.js';

export interface NodeDependencies {
  readonly crypto: CryptoSuite;
  readonly random: Random;
  readonly log: Log;
  /** Absent: LEAST_ABILITIES. */
  readonly abilities?: Abilities;
  /** Absent: the peers are those of the configuration. */
  readonly mesh?: MeshPort;
}

/** The underlay may change in many steps; peers are told of it no more often than this. */
const UNDERLAY_INTERVAL = seconds(1);

export class Node {
  readonly #log: Log;
  readonly #abilities: Abilities;
  readonly #mesh: MeshSide;
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
  readonly #sessions: SessionSide;
  readonly #intake: Intake;
  readonly #actions = new ActionQueue();
  #now = instant(0);
  #isStopped = false;

  constructor(dependencies: NodeDependencies) {
    const { crypto, random, log } = dependencies;
    this.#log = log;
    this.#abilities = dependencies.abilities ?? LEAST_ABILITIES;
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
    this.#intake = new Intake({
      crypto,
      identity: this.#identity,
      table: this.#table,
      admission: this.#admission,
      peers: this.#roster.peers,
    });
    this.#mesh = new MeshSide(dependencies.mesh, {
      upsert: (config, otherKey, now) => this.#upsert(config, otherKey, now),
      remove: (publicKey, now) => this.#remove(publicKey, now),
      tell: (publicKey, input, now) =>
        this.#tellPeer(this.#roster.peers.withKey(publicKey), input, now),
      setKeys: (privateKeys) => this.#setKeys(privateKeys),
      lift: (action) => this.#actions.push({ kind: 'mesh', action }),
    });
    const sides = {
      actions: this.#actions,
      handshakeDrops: this.#intake.drops,
      log: new SessionLog(this.#wallClock, log),
      mesh: this.#mesh,
      names: this.#names,
      peerAt: (slot: PeerSlot) => this.#roster.peers.atSlot(slot),
    };
    this.#sessions = new SessionSide(sides, featuresOf({}, this.#abilities));
  }

  handle(input: NodeInput, now: Instant): void {
    this.#enter(now);
    if (this.#isStopped) return;
    this.#take(input, now);
    this.#mesh.settle(now);
  }

  #take(input: NodeInput, now: Instant): void {
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
      case 'mesh':
        return this.#mesh.feed(input.input, now);
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
    this.#sessions.advance(now);
    this.#mesh.advance(now);
    this.#mesh.settle(now);
  }

  deadline(): Instant {
    if (this.#isStopped) return NEVER;
    const sealed = earliest(this.#sessions.deadline(), this.#names.deadline());
    const clear = earliest(sealed, this.#clearPeers.deadline());
    return earliest(earliest(clear, this.#underlay.deadline()), this.#mesh.deadline());
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
      handshakeDrops: this.#intake.drops.read(),
      controlDrops: this.#sessions.controlDrops.read(),
      underLoad: this.#admission.isUnderLoad(this.#now),
      mesh: this.#mesh.snapshot(),
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
        return this.#roamed(event.peer, event.endpoint, now);
      case 'activity':
        return this.#tell(event.peer, { kind: 'activity', traffic: event.activity }, now);
      case 'control':
        return this.#tell(event.peer, event, now);
      default:
        return unreachable(event);
    }
  }

  #receive(event: HandshakeEvent, now: Instant): void {
    const received = this.#intake.receive(event, now);
    if (received.kind === 'taken') return this.#tell(received.peer, received.input, now);
    if (received.kind === 'dropped') return;
    const { source: endpoint } = event;
    this.#actions.push({ kind: 'send', peer: undefined, endpoint, datagram: received.reply });
  }

  #roamed(slot: PeerSlot, to: Endpoint, now: Instant): void {
    const peer = this.#roster.peers.atSlot(slot);
    if (peer) this.#sessions.roamed(peer, to, now);
  }

  /** Events about a peer that is gone by now are late, and mean nothing. */
  #tell(slot: PeerSlot, input: SessionInput, now: Instant): void {
    this.#tellPeer(this.#roster.peers.atSlot(slot), input, now);
  }

  #tellPeer(peer: Peer | undefined, input: SessionInput, now: Instant): void {
    if (peer) this.#sessions.tell(peer, input, now);
  }

  // What the shell tells.

  #configure(config: Config, now: Instant): void {
    const isNewIdentity = this.#identity.adopt(config.privateKey);
    const publicKey = this.#identity.keys?.publicKey;
    this.#tellKeys();
    for (const write of this.#own.adopt(config, publicKey)) this.#actions.write(write);
    const change = this.#roster.adopt(config, publicKey, now);
    for (const { config: peer, why } of change.refused) {
      this.#log.warn('Peer is left out of the configuration', { peer: peer.name, why });
    }
    for (const peer of change.gone) this.#sessions.dismiss(peer, now);
    for (const write of change.writes) this.#actions.write(write);
    this.#sessions.setFeatures(featuresOf(config, this.#abilities));
    for (const { peer, before } of change.present) {
      if (before && isNewIdentity) this.#sessions.tell(peer, { kind: 'identityChanged' }, now);
      this.#sessions.apply(peer, before, now);
    }
  }

  #tellKeys(): void {
    const [publicKey, other] = this.#identity.publicKeys();
    if (publicKey) this.#admission.setPublicKey(publicKey, other);
    for (const write of this.#own.adoptKeys(this.#identity.mac1Keys())) this.#actions.write(write);
  }

  // What the mesh wants.

  #upsert(config: PeerConfig, otherKey: Uint8Array | undefined, now: Instant): void {
    const change = this.#roster.upsert(config, otherKey, now);
    if (!change) return;
    for (const write of change.writes) this.#actions.write(write);
    // The walk is to know where packets for it would go, for it asks for a session by them.
    if (!change.peer.hasSession) return this.#placeUnmet(change.peer);
    this.#sessions.apply(change.peer, change.before, now);
  }

  #placeUnmet({ slot, config }: Peer): void {
    const endpoint = literalEndpoint(config);
    if (endpoint) this.#actions.write({ kind: 'setEndpoint', peer: slot, endpoint });
  }

  #remove(publicKey: Uint8Array, now: Instant): void {
    const change = this.#roster.dismiss(publicKey, now);
    if (!change) return;
    this.#sessions.dismiss(change.peer, now);
    for (const write of change.writes) this.#actions.write(write);
  }

  #setKeys(privateKeys: readonly Uint8Array[]): void {
    if (this.#identity.adoptOfMesh(privateKeys)) this.#tellKeys();
  }

  #resolved(input: Extract<NodeInput, { kind: 'resolved' }>, now: Instant): void {
    const { request, endpoint } = input;
    const slot = this.#names.answered(request, endpoint, now);
    const peer = slot === undefined ? undefined : this.#roster.peers.atSlot(slot);
    if (!peer) return;
    if (!endpoint) this.#log.debug('Endpoint does not resolve', { peer: peer.config.name });
    // A peer that is being heard is where it is heard.
    else if (peer.session.state(now) !== 'established') this.#roamed(peer.slot, endpoint, now);
  }

  #followUnderlay(now: Instant): void {
    if (!this.#underlay.take(now)) return;
    for (const peer of this.#roster.peers.all()) {
      if (!peer.hasSession || this.#unaffected.has(peer.slot)) continue;
      this.#sessions.tell(peer, { kind: 'underlayChanged' }, now);
    }
  }

  #setWallClock(wall: WallTime, now: Instant): void {
    this.#mesh.feed({ kind: 'wallClock', wall }, now);
    this.#clock.set(wall, now);
    for (const write of this.#clearPeers.clockSet(now)) this.#actions.write(write);
  }

  #stop(now: Instant): void {
    this.#isStopped = true;
    for (const peer of this.#roster.peers.all()) this.#sessions.stop(peer, now);
    this.#identity.forget();
  }
}
