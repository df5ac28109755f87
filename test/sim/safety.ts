/**
 * What must hold of a simulated mesh at every moment:
 *
 * - nobody who is well is taken for failed by somebody who is well and can be reached by it;
 * - no two statements of one place have one version, and nobody's incarnation ever goes back;
 * - two hosts that can reach each other do not have one address for longer than ADDRESS_GRACE;
 * - who left or was revoked is sent nothing;
 * - what a host keeps is bounded.
 *
 * Well is a host that runs and has run for a while, with nothing in its way (`illUntil`). A full
 * disk and a wrong clock are no excuse.
 */

import { equal } from '../../src/base/bytes.js';
import { after, elapsed, type Instant, seconds } from '../../src/base/time.js';
import type { SignedRecord } from '../../src/wire/record.js';
import type { Links } from './links.js';
import type { SimHost } from './sim_host.js';
import type { View } from './views.js';

const ADDRESS_GRACE = seconds(15);
/** How long after a partition those that it parted may hold each other for failed. */
const HEALING = seconds(15);
/** In which everybody is to know of who is gone. */
const CUT_OFF = seconds(5);
const BYTES_A_HOST = 4_096;
const BYTES_AT_ALL = 65_536;
/** Pictures are drawn of so many members in a second. */
const LINES = 1_000;

export interface SafetyWorld {
  readonly hosts: readonly SimHost[];
  readonly links: Links;
  readonly now: Instant;
  readonly fault: (text: string) => void;
}

export class Safety {
  readonly #world: SafetyWorld;
  /** Of each host and each of its starts: the highest it knew, by member. */
  readonly #incarnations = new Map<string, number>();
  readonly #versions = new Map<string, SignedRecord>();
  readonly #shared = new Map<string, Instant>();
  readonly #goneAt = new Map<SimHost, Instant>();
  #next = 0;

  constructor(world: SafetyWorld) {
    this.#world = world;
  }

  changed(by: SimHost, index: number, view: View): void {
    const of = this.#world.hosts[index];
    if (view !== 'failed' || !of || of.isGone || !this.#isWell(by) || !this.#isWell(of)) return;
    if (!this.#canTalk(by, of)) return;
    this.#world.fault(`${by.name} takes ${of.name} for failed, and neither is ill`);
  }

  /** A record is seen for the first time in this world. */
  saw(record: SignedRecord): void {
    const key = `${record.place} ${record.version}`;
    if (record.kind === 'suspicion') return;
    const other = this.#versions.get(key);
    if (!other) this.#versions.set(key, record);
    else if (
      !equal(other.bytes, record.bytes) &&
      (record.kind !== 'node' || !this.#hadFullDisk())
    ) {
      this.#world.fault(`two statements at ${key}`);
    }
  }

  gone(host: SimHost): void {
    host.isGone = true;
    this.#goneAt.set(host, this.#world.now);
  }

  sent(from: SimHost, to: SimHost): void {
    const { now } = this.#world;
    const goneAt = this.#goneAt.get(to);
    if (goneAt === undefined || from.isGone || !this.#isWell(from)) return;
    const known = Math.max(goneAt, from.illUntil, this.#world.links.partedUntil);
    if (this.#world.links.partition || now <= known + CUT_OFF) return;
    this.#world.fault(`${from.name} talks to ${to.name}, who is of the mesh no more`);
  }

  everySecond(): void {
    this.#checkAddresses();
    this.#checkSizes();
    const { hosts } = this.#world;
    for (let lines = 0; lines < LINES; lines += hosts.length) {
      const host = hosts[this.#next++ % Math.max(1, hosts.length)];
      if (host?.isRunning) this.#checkIncarnations(host);
    }
  }

  #checkIncarnations(host: SimHost): void {
    const picture = host.snapshot();
    if (picture?.phase !== 'member') return;
    for (const { id, name, incarnation, status } of picture.members) {
      if (status === 'revoked') continue;
      const key = `${host.index}.${host.starts} ${id}`;
      if ((this.#incarnations.get(key) ?? 0) > incarnation) {
        this.#world.fault(`${host.name} knows ${name} at an incarnation that went back`);
      }
      this.#incarnations.set(key, incarnation);
    }
  }

  #checkAddresses(): void {
    const { hosts, now, fault } = this.#world;
    const holders = new Map<string, SimHost>();
    const shared = new Set<string>();
    for (const host of hosts) {
      const [address] = host.addresses;
      if (address === undefined || !this.#isWell(host) || host.isGone) continue;
      const other = holders.get(address);
      holders.set(address, host);
      if (!other || !this.#canTalk(host, other)) continue;
      const key = `${other.name} and ${host.name} both have ${address}`;
      shared.add(key);
      const since = this.#shared.get(key) ?? now;
      this.#shared.set(key, since);
      if (elapsed(since, now) > ADDRESS_GRACE) fault(key);
    }
    for (const key of this.#shared.keys()) if (!shared.has(key)) this.#shared.delete(key);
  }

  #checkSizes(): void {
    const { hosts, fault } = this.#world;
    const limit = BYTES_AT_ALL + BYTES_A_HOST * hosts.length;
    for (const { name, disk } of hosts) {
      for (const [file, { length }] of disk.files) {
        if (length > limit) fault(`${name} keeps ${length} bytes in ${file}`);
      }
    }
  }

  #isWell(host: SimHost): boolean {
    return host.isRunning && host.illUntil <= this.#world.now;
  }

  #canTalk(a: SimHost, b: SimHost): boolean {
    const { links, now } = this.#world;
    if (!links.isOpen(a.index, b.index) || !links.isOpen(b.index, a.index)) return false;
    return now > after(links.partedUntil, HEALING);
  }

  /** Where the disk refuses, incarnations may repeat: being heard matters more. */
  #hadFullDisk(): boolean {
    return this.#world.hosts.some(({ disk }) => disk.wasFull);
  }
}
