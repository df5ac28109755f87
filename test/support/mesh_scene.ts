/**
 * A mesh of mesh cores alone: hosts with kept files, whose control messages reach each other where
 * both ends know each other's key, after LATENCY. A session is made by the first message between
 * two keys, one that nobody answers is given up after GIVE_UP. Cut links, stopped hosts and failing
 * disks are the test's to make. Signatures and keys are real.
 */

import { parseEndpoint, parsePrefix, type Prefix } from '../../src/base/address.js';
import { toHex } from '../../src/base/bytes.js';
import { SILENT } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  instant,
  millis,
  NEVER,
  seconds,
  wallTime,
} from '../../src/base/time.js';
import { parseJoinLine } from '../../src/identity/join_line.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import type { MeshAction, MeshFile, MeshPeer } from '../../src/mesh/action.js';
import type { MeshAnswer, MeshCommand } from '../../src/mesh/command.js';
import type { MeshInput } from '../../src/mesh/input.js';
import { type Keys, parseKeys } from '../../src/mesh/keys.js';
import { parseMembersFile } from '../../src/mesh/members_file.js';
import { Mesh } from '../../src/mesh/mesh.js';
import { parseOwnState } from '../../src/mesh/own_state.js';
import type { MeshSetup } from '../../src/mesh/setup.js';
import type { MemberSnapshot } from '../../src/mesh/snapshot.js';

export const LATENCY = millis(2);
const DISK = millis(5);
const GIVE_UP = seconds(15);
/** What the wall clocks show when the scene's begins. */
export const WALL = 1_790_000_000_000_000;

const crypto = new SodiumSuite();
const suite = new SodiumSignatures();

export interface HostOptions {
  readonly entry?: MeshSetup['entry'];
  readonly announce?: readonly string[];
  readonly subnetLength?: number;
  readonly acceptsDefaultRoutes?: boolean;
}

export interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export class MeshHost {
  readonly name: string;
  readonly index: number;
  mesh: Mesh | undefined;
  readonly files = new Map<MeshFile, Uint8Array>();
  readonly peers = new Map<string, MeshPeer>();
  readonly sessions = new Set<string>();
  /** Where each key was heard last. */
  readonly heardAt = new Map<string, MeshHost>();
  readonly told: Told[] = [];
  readonly answers = new Map<number, MeshAnswer>();
  ownKeys: readonly string[] = [];
  addresses: readonly string[] = [];
  prefixes: readonly string[] = [];
  isForgotten = false;
  isDiskFull = false;
  /** What its wall clock is ahead of the truth by. */
  ahead = 0;

  constructor(name: string, index: number) {
    this.name = name;
    this.index = index;
  }

  /** Whom this key belongs to here: a peer by its key, or by its other one. */
  peerWith(key: string): MeshPeer | undefined {
    const direct = this.peers.get(key);
    if (direct) return direct;
    for (const peer of this.peers.values()) {
      if (peer.alternateKey && toHex(peer.alternateKey) === key) return peer;
    }
    return undefined;
  }
}

interface Due {
  readonly at: Instant;
  readonly order: number;
  readonly run: () => void;
}

export class MeshScene {
  readonly hosts: MeshHost[] = [];
  now: Instant = instant(1_000_000);
  /** Whether what one host sends reaches the other. */
  isOpen: (from: MeshHost, to: MeshHost) => boolean = () => true;
  readonly #random: SeededRandom;
  #queue: Due[] = [];
  #order = 0;
  #request = 0;

  constructor(seed: string) {
    this.#random = new SeededRandom(seed);
  }

  add(name: string): MeshHost {
    const host = new MeshHost(name, this.hosts.length + 1);
    this.hosts.push(host);
    return host;
  }

  found(name: string): MeshHost {
    const host = this.add(name);
    const pool = parsePrefix('10.86.0.0/16');
    if (!pool) throw new Error('it is one');
    this.start(host, { entry: { kind: 'found', name: 'testnet', pool } });
    return host;
  }

  join(name: string, line: string, options: HostOptions = {}): MeshHost {
    const host = this.add(name);
    const parsed = parseJoinLine(line);
    if (parsed.kind === 'fault') throw new Error(parsed.message);
    this.start(host, { ...options, entry: { kind: 'join', line: parsed.line } });
    return host;
  }

  start(host: MeshHost, options: HostOptions = {}): void {
    const keys = this.#keysOf(host);
    const own = host.files.get('own');
    const members = host.files.get('members');
    const endpoint = parseEndpoint(`192.0.2.${host.index}:51820`);
    const random = this.#random.fork(`${host.name} ${this.now}`);
    host.mesh = new Mesh({ suite, crypto, random, log: SILENT });
    host.peers.clear();
    host.sessions.clear();
    this.feed(host, { kind: 'wallClock', wall: wallTime(WALL + this.now + host.ahead) });
    const setup: MeshSetup = {
      keys,
      own: own && parseOwnState(own),
      records: (members && parseMembersFile(members)) ?? [],
      entry: options.entry,
      hostName: host.name,
      announce: (options.announce ?? []).map(prefix),
      acceptsDefaultRoutes: options.acceptsDefaultRoutes ?? false,
      subnetLength: options.subnetLength,
      instance: toHex(random.bytes(8)),
      endpoints: endpoint ? [endpoint] : [],
    };
    this.feed(host, { kind: 'start', setup });
  }

  /** As by kill -9: nothing is said any more. */
  kill(host: MeshHost): void {
    host.mesh = undefined;
    host.peers.clear();
    host.sessions.clear();
    for (const other of this.hosts) {
      for (const session of other.sessions) {
        if (host.ownKeys.some((key) => session.endsWith(key))) other.sessions.delete(session);
      }
    }
  }

  feed(host: MeshHost, input: MeshInput): void {
    host.mesh?.handle(input, this.now);
    this.#drain(host);
  }

  /** Runs until the answer is there. */
  ask(host: MeshHost, command: MeshCommand): MeshAnswer {
    const request = ++this.#request;
    this.feed(host, { kind: 'command', request, command });
    this.runUntil(() => host.answers.has(request), seconds(5));
    const answer = host.answers.get(request);
    if (!answer) throw new Error(`No answer to ${command.kind}`);
    return answer;
  }

  invite(host: MeshHost, options: Partial<Extract<MeshCommand, { kind: 'invite' }>> = {}): string {
    const base = { kind: 'invite', ttl: seconds(3600), uses: 1, name: undefined } as const;
    const rest = { groups: [], isAdmin: false, prefixes: [] };
    const answer = this.ask(host, { ...base, ...rest, ...options });
    if (!answer.ok || answer.result.kind !== 'invited') throw new Error(JSON.stringify(answer));
    return answer.result.line;
  }

  run(duration: Duration): void {
    this.runUntil(() => false, duration);
  }

  /** True when it came to hold in that time. */
  runUntil(holds: () => boolean, within: Duration): boolean {
    const end = after(this.now, within);
    while (!holds()) {
      const next = this.#nextAt();
      if (next > end) {
        this.now = end;
        return holds();
      }
      if (next > this.now) this.now = next;
      this.#step();
    }
    return true;
  }

  #nextAt(): Instant {
    let next: Instant = NEVER;
    for (const { at } of this.#queue) next = earliest(next, at);
    for (const { mesh } of this.hosts) {
      if (mesh) next = earliest(next, mesh.deadline());
    }
    return next;
  }

  #step(): void {
    const due = this.#queue.filter(({ at }) => at <= this.now);
    this.#queue = this.#queue.filter(({ at }) => at > this.now);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const { run } of due) run();
    for (const host of this.hosts) {
      if (!host.mesh || host.mesh.deadline() > this.now) continue;
      host.mesh.advance(this.now);
      this.#drain(host);
    }
  }

  #later(delay: Duration, run: () => void): void {
    this.#queue.push({ at: after(this.now, delay), order: this.#order++, run });
  }

  #drain(host: MeshHost): void {
    const actions: MeshAction[] = [];
    host.mesh?.drain(actions);
    for (const action of actions) this.#carryOut(host, action);
  }

  #carryOut(host: MeshHost, action: MeshAction): void {
    switch (action.kind) {
      case 'upsertPeer':
        return this.#upsert(host, action.peer);
      case 'removePeer':
        host.peers.delete(toHex(action.publicKey));
        return;
      case 'sendControl':
        return this.#send(host, toHex(action.publicKey), action.message);
      case 'restartSession':
        host.sessions.delete(`${host.ownKeys[0]} ${toHex(action.publicKey)}`);
        return;
      case 'staticKeys':
        host.ownKeys = action.privateKeys.map((key) => toHex(crypto.publicKey(key)));
        return;
      case 'persist':
        return this.#persist(host, action);
      case 'addresses':
        host.addresses = action.addresses.map(({ text }) => text);
        host.prefixes = action.prefixes.map(({ text }) => text);
        return;
      case 'answer':
        host.answers.set(action.request, action.answer);
        return;
      case 'tell':
        host.told.push(action);
        return;
      default:
        host.isForgotten = true;
    }
  }

  #upsert(host: MeshHost, peer: MeshPeer): void {
    const key = toHex(peer.publicKey);
    for (const [text, { alternateKey }] of host.peers) {
      if (text !== key && alternateKey && toHex(alternateKey) === key) host.peers.delete(text);
    }
    host.peers.set(key, peer);
  }

  #persist(host: MeshHost, action: Extract<MeshAction, { kind: 'persist' }>): void {
    const { request, file, content } = action;
    const { mesh } = host;
    this.#later(DISK, () => {
      if (host.mesh !== mesh) return;
      const isSafe = !host.isDiskFull;
      if (isSafe) host.files.set(file, content);
      this.feed(host, { kind: 'persisted', request, isSafe });
    });
  }

  #send(from: MeshHost, key: string, message: { kind: number; body: Uint8Array }): void {
    const [ownKey] = from.ownKeys;
    const holds = ({ ownKeys, mesh }: MeshHost): boolean =>
      mesh !== undefined && ownKeys.includes(key);
    const heard = from.heardAt.get(key);
    const to = heard && holds(heard) ? heard : this.hosts.find(holds);
    const isHeard = (): boolean =>
      ownKey !== undefined &&
      to?.mesh !== undefined &&
      to.peerWith(ownKey) !== undefined &&
      from.peerWith(key) !== undefined &&
      this.isOpen(from, to) &&
      this.isOpen(to, from);
    if (!to || !ownKey || !isHeard()) return this.#giveUp(from, key, isHeard, message);
    const name = `${ownKey} ${key}`;
    const isNew = !from.sessions.has(name);
    from.sessions.add(name);
    to.sessions.add(`${key} ${ownKey}`);
    const delay = isNew ? millis(6) : LATENCY;
    this.#later(delay, () => {
      // What was sealed in a session arrives, whatever became of the peer since.
      if (isNew && !isHeard()) return;
      if (isNew) {
        this.#established(from, key);
        this.#established(to, ownKey);
      }
      const sender = to.peerWith(ownKey);
      if (!sender) return;
      to.heardAt.set(ownKey, from);
      this.feed(to, { kind: 'control', publicKey: sender.publicKey, message });
    });
  }

  /** Tried again each 5 s, as handshakes are. */
  #giveUp(
    from: MeshHost,
    key: string,
    isHeard: () => boolean,
    message: { kind: number; body: Uint8Array },
  ): void {
    const { mesh } = from;
    const started = this.now;
    const retry = (): void => {
      if (from.mesh !== mesh) return;
      if (from.peers.has(key) && isHeard()) return this.#send(from, key, message);
      if (this.now - started < GIVE_UP) return this.#later(seconds(5), retry);
      const peer = from.peers.get(key);
      if (!peer) return;
      const { publicKey } = peer;
      this.feed(from, { kind: 'session', publicKey, event: 'gaveUp', endpoint: undefined });
    };
    this.#later(seconds(5), retry);
  }

  #established(host: MeshHost, key: string): void {
    const publicKey = host.peerWith(key)?.publicKey;
    if (!publicKey) return;
    this.feed(host, { kind: 'session', publicKey, event: 'established', endpoint: undefined });
  }

  #keysOf(host: MeshHost): Keys {
    const file = host.files.get('keys');
    const kept = file && parseKeys(file);
    if (kept) return kept;
    const random = this.#random.fork(`keys ${host.name}`);
    const staticKey = random.bytes(32);
    return {
      identity: random.bytes(32),
      staticKey,
      nextStaticKey: undefined,
      admin: undefined,
      root: undefined,
    };
  }
}

/** What one host takes the members for, by name. */
export function statuses(host: MeshHost): Record<string, string> {
  const members = host.mesh?.snapshot().members ?? [];
  return Object.fromEntries(members.map(({ name, status }) => [name, status]));
}

export function memberOn(host: MeshHost, name: string): MemberSnapshot | undefined {
  return host.mesh?.snapshot().members.find((member) => member.name === name);
}

/** Whether all that run see all of these alive, have the same store, and an address each. */
export function isWhole(hosts: readonly MeshHost[]): boolean {
  const [first] = hosts;
  const digest = first?.mesh?.snapshot().digest;
  return hosts.every((host) => {
    const picture = host.mesh?.snapshot();
    if (!picture || picture.digest !== digest || host.addresses.length < 2) return false;
    const alive = picture.members.filter(({ status }) => status === 'alive');
    return alive.length >= hosts.length;
  });
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`${text} is no prefix`);
  return parsed;
}
