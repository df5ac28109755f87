/**
 * The peers whose packets cross the underlay in the clear. They share slots and prefixes with the
 * sealed ones and have neither key nor session: all there is to know of one is its configuration
 * and when it ends. A new configuration is taken as a difference: a peer of the same form, outer
 * address, port and VNI keeps its slot; a second one with the same is left out.
 *
 * The end of one (`plaintextUntil`) is a wall time. The walk, which enforces it, is told the
 * instant since boot that it amounts to, again whenever the wall clock was set. An end that was
 * reached is warned of once, those of one moment in one line.
 *
 * Deadline: the next end. Limit: what there are slots for; further peers are refused.
 */

import type { PeerSlot } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import { earliest, type Instant, instant, NEVER, type WallTime } from '../base/time.js';
import type { TableWrite } from '../datapath/tables.js';
import type { ClearEncapsulation } from '../encap/encapsulation.js';
import type { WallClock } from '../base/wall_clock.js';
import type { ClearPeerConfig } from './config.js';
import type { Slots } from './slots.js';
import type { ClearPeerSnapshot } from './snapshot.js';

interface ClearPeer {
  readonly slot: PeerSlot;
  /** When it was first in the configuration. */
  readonly since: WallTime;
  config: ClearPeerConfig;
  until: Instant;
  isEndTold: boolean;
}

/** What a new configuration changed. */
export interface ClearPeersChange {
  readonly gone: readonly PeerSlot[];
  /** In order: new peers, each with its encapsulation, and what changed of others. */
  readonly writes: readonly TableWrite[];
  readonly refused: readonly { config: ClearPeerConfig; why: 'duplicate_endpoint' | 'too_many' }[];
}

export class ClearPeers {
  readonly #slots: Slots;
  readonly #wallClock: WallClock;
  readonly #log: Log;
  #peers = new Map<string, ClearPeer>();
  #deadline = NEVER;

  constructor(slots: Slots, wallClock: WallClock, log: Log) {
    this.#slots = slots;
    this.#wallClock = wallClock;
    this.#log = log;
  }

  /** Which peer has which prefix, in the order of the configuration. */
  *prefixes(): Iterable<{ prefix: ClearPeerConfig['allowedIps'][number]; peer: PeerSlot }> {
    for (const { config, slot } of this.#peers.values()) {
      for (const prefix of config.allowedIps) yield { prefix, peer: slot };
    }
  }

  adopt(configs: readonly ClearPeerConfig[], now: Instant): ClearPeersChange {
    const next = new Map<string, ClearPeer>();
    const writes: TableWrite[] = [];
    const refused: ClearPeersChange['refused'][number][] = [];
    for (const config of configs) {
      const key = wayOf(config);
      const known = this.#peers.get(key);
      const isDuplicate = next.has(key);
      const peer = isDuplicate ? undefined : (known ?? this.#create(config, now));
      if (!peer) {
        refused.push({ config, why: isDuplicate ? 'duplicate_endpoint' : 'too_many' });
        continue;
      }
      next.set(key, peer);
      if (!known) writes.push({ kind: 'addPeer', peer: peer.slot });
      const until = this.#untilOf(config, now);
      if (!known || until !== peer.until || isOtherMac(config, peer.config)) {
        writes.push(encapsulationWrite(peer.slot, config, until));
      }
      setEnd(peer, until, now);
      peer.config = config;
    }
    const gone = [...this.#peers].flatMap(([key, { slot }]) => (next.has(key) ? [] : [slot]));
    for (const slot of gone) this.#slots.release(slot, now);
    this.#peers = next;
    this.#tellEnds(now);
    return { gone, writes, refused };
  }

  /** The wall clock was set: the ends lie elsewhere. */
  clockSet(now: Instant): TableWrite[] {
    const writes: TableWrite[] = [];
    for (const peer of this.#peers.values()) {
      const until = this.#untilOf(peer.config, now);
      if (until === peer.until) continue;
      writes.push(encapsulationWrite(peer.slot, peer.config, until));
      setEnd(peer, until, now);
    }
    this.#tellEnds(now);
    return writes;
  }

  advance(now: Instant): void {
    if (now >= this.#deadline) this.#tellEnds(now);
  }

  deadline(): Instant {
    return this.#deadline;
  }

  /** `owns`: whether a peer has a prefix that it is configured with. */
  snapshot(
    owns: (prefix: ClearPeerConfig['allowedIps'][number], peer: PeerSlot) => boolean,
    now: Instant,
  ): ClearPeerSnapshot[] {
    return Array.from(this.#peers.values(), ({ slot, since, until, config }) => ({
      slot,
      name: config.name,
      carrier: config.carrier,
      endpoint: config.endpoint,
      allowedIps: config.allowedIps.filter((prefix) => owns(prefix, slot)),
      since,
      plaintextUntil: config.plaintextUntil,
      hasEnded: now >= until,
    }));
  }

  #create(config: ClearPeerConfig, now: Instant): ClearPeer | undefined {
    const slot = this.#slots.claim(now);
    if (slot === undefined) return undefined;
    const since = this.#wallClock.at(now);
    return { slot, since, config, until: NEVER, isEndTold: false };
  }

  #untilOf({ plaintextUntil }: ClearPeerConfig, now: Instant): Instant {
    if (plaintextUntil === undefined) return NEVER;
    const until = now + plaintextUntil - this.#wallClock.at(now);
    return instant(Math.min(Math.max(until, 0), NEVER));
  }

  #tellEnds(now: Instant): void {
    const ended: ClearPeer[] = [];
    this.#deadline = NEVER;
    for (const peer of this.#peers.values()) {
      if (peer.until > now) this.#deadline = earliest(this.#deadline, peer.until);
      else if (!peer.isEndTold) ended.push(peer);
    }
    for (const peer of ended) peer.isEndTold = true;
    const [first] = ended;
    if (!first) return;
    const others = ended.length - 1;
    const fields = { peer: first.config.name, ...(others > 0 ? { others } : {}) };
    this.#log.warn('plaintext ended', fields);
  }
}

/** An end that was put off is told of again when it comes. */
function setEnd(peer: ClearPeer, until: Instant, now: Instant): void {
  peer.until = until;
  if (until > now) peer.isEndTold = false;
}

/** What tells clear peers apart on the wire. */
function wayOf({ carrier, endpoint }: ClearPeerConfig): string {
  return carrier.kind === 'udp' ? endpoint.text : `${endpoint.text} ${carrier.vni}`;
}

function isOtherMac(a: ClearPeerConfig, b: ClearPeerConfig): boolean {
  return macText(a) !== macText(b);
}

function macText({ carrier }: ClearPeerConfig): string {
  return carrier.kind === 'udp' ? '' : carrier.mac.text;
}

function encapsulationWrite(
  peer: PeerSlot,
  { carrier, endpoint }: ClearPeerConfig,
  until: Instant,
): TableWrite {
  const encapsulation: ClearEncapsulation = { ...carrier, endpoint, until };
  return { kind: 'setEncapsulation', peer, encapsulation };
}
