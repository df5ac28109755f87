/**
 * The mesh core: what makes hosts that share a network find, know and reach each other. It has no
 * network (`none`) until it founds one or is given a join line; from then on membership.ts is the
 * node in its network, and this is its face: inputs in, actions out, commands answered.
 *
 * Order of a start: the wall clock, then `start`, once. What comes before is ignored. A network
 * that the disk knows is continued, whatever the command line says: to come to another one the
 * host leaves it first.
 */

import { unreachable } from '../base/assert.js';
import { nodeId } from '../base/identifiers.js';
import { type Instant, instant, NEVER, type WallTime } from '../base/time.js';
import { parseCertificate } from '../identity/certificate.js';
import { nodeIdOf } from '../identity/node_id.js';
import { WallClock } from '../base/wall_clock.js';
import { parseRecord } from '../wire/record.js';
import type { MeshAction } from './action.js';
import { type Assembly, assemble } from './assembly.js';
import type { MeshCommand } from './command.js';
import type { MeshInput } from './input.js';
import { KeyRing } from './key_ring.js';
import { Membership } from './membership.js';
import type { MeshDependencies } from './parts.js';
import { emptyPicture, pictureOf } from './picture.js';
import type { MeshSetup } from './setup.js';
import type { MeshSnapshot } from './snapshot.js';

const NO_NETWORK =
  'This host is in no network: `heddle up` founds one, `heddle up --join` joins one';

/** Before the keys are known. */
const UNKNOWN = nodeId('0000000000000000');

type Entry = Pick<Assembly, 'network' | 'rootKey' | 'line'>;

export class Mesh {
  readonly #dependencies: MeshDependencies;
  readonly #wallClock = new WallClock();
  readonly #actions: MeshAction[] = [];
  #keys: KeyRing | undefined;
  #membership: Membership | undefined;
  #now: Instant = instant(0);

  constructor(dependencies: MeshDependencies) {
    this.#dependencies = dependencies;
  }

  handle(input: MeshInput, now: Instant): void {
    this.#now = now;
    this.#take(input, now);
    this.#settle(now);
  }

  advance(now: Instant): void {
    this.#now = now;
    this.#membership?.advance(now);
    this.#settle(now);
  }

  deadline(): Instant {
    return this.#membership?.deadline() ?? NEVER;
  }

  /** Moves what is wanted, in order, into `out`. */
  drain(out: MeshAction[]): void {
    for (const action of this.#actions) out.push(action);
    this.#actions.length = 0;
  }

  snapshot(): MeshSnapshot {
    if (this.#membership) return pictureOf(this.#membership, this.#now);
    return emptyPicture(this.#keys?.identity.id ?? UNKNOWN, NO_NETWORK);
  }

  /** As in `snapshot`, and at less cost; undefined: there is no network. */
  get digest(): string | undefined {
    return this.#membership?.parts.store.digestText();
  }

  #take(input: MeshInput, now: Instant): void {
    const membership = this.#membership;
    switch (input.kind) {
      case 'wallClock':
        this.#wallClock.set(input.wall, now);
        return;
      case 'start':
        if (!this.#keys) this.#start(input.setup, now);
        return;
      case 'control': {
        const { kind, body } = input.message;
        return membership?.receive(input.publicKey, kind, body, now);
      }
      case 'session':
        return membership?.session(input.publicKey, input.event === 'established', now);
      case 'persisted':
        return membership?.persisted(input.request, input.isSafe, now);
      case 'command':
        return this.#command(input.request, input.command, now);
      case 'endpoints':
        return membership?.endpoints(input.endpoints, now);
      case 'lag':
        return membership?.lag(input.lag, now);
      default:
        return unreachable(input);
    }
  }

  #start(setup: MeshSetup, now: Instant): void {
    const { suite, crypto, random } = this.#dependencies;
    const keys = new KeyRing({ suite, crypto, random }, setup.keys);
    this.#keys = keys;
    this.#actions.push({ kind: 'staticKeys', privateKeys: keys.staticKeys() });
    const entry = this.#entryOf(setup, keys);
    if (!entry) return this.#tell('warn', NO_NETWORK, {});
    const wallClockAt = (at: Instant): WallTime => this.#wallClock.at(at);
    const dependencies = this.#dependencies;
    const assembly = { ...entry, dependencies, setup, keys, wallClockAt, actions: this.#actions };
    const parts = assemble(assembly, now);
    const membership = new Membership(parts, now);
    this.#membership = membership;
    const records = [...(setup.own?.records ?? []), ...setup.records];
    this.#hearAdmins(records, membership);
    parts.keeper.keep('keys', now);
    const isFounding = setup.own?.network === undefined && setup.entry?.kind === 'found';
    if (isFounding && setup.entry?.kind === 'found') {
      parts.affairs.found(setup.entry.name, setup.entry.pool, now);
      membership.pump(now);
      parts.affairs.certifyOurselves(setup.hostName, now);
      parts.addresses.synced(now);
      membership.pump(now);
      this.#tell('info', 'A network is founded', { network: setup.entry.name });
    }
    membership.start(records, now);
    parts.affairs.resume(now);
  }

  /** Which network it is to be; undefined: none. */
  #entryOf({ own, entry }: MeshSetup, keys: KeyRing): Entry | undefined {
    if (own?.network) {
      if (entry?.kind === 'join' && entry.line.network !== own.network.id) {
        const message = 'This host is in a network already: `heddle leave` comes before another';
        this.#tell('warn', message, { network: own.network.id, line: entry.line.network });
      }
      return { network: own.network.id, rootKey: own.network.rootKey, line: undefined };
    }
    if (entry?.kind === 'join') {
      const { line } = entry;
      return { network: line.network, rootKey: line.rootKey, line };
    }
    if (!entry) return undefined;
    const root = keys.makeRoot();
    keys.settleRoot(root.publicKey);
    keys.makeAdmin();
    return { network: nodeIdOf(root.publicKey), rootKey: root.publicKey, line: undefined };
  }

  /**
   * By our own disk: what admins signed says what time it is at least, and how far ahead the clock
   * of this host can be believed. It is heard before anything is judged by that time.
   */
  #hearAdmins(records: readonly Uint8Array[], { parts }: Membership): void {
    const parse = this.#dependencies.parse ?? parseRecord;
    for (const bytes of records) {
      const record = parse(bytes);
      if (record?.kind !== 'certificate') continue;
      const certificate = parseCertificate(record.body);
      if (certificate) parts.clock.heard(certificate.notBefore);
    }
  }

  #command(request: number, command: MeshCommand, now: Instant): void {
    const membership = this.#membership;
    if (!membership) return this.#refuse(request, NO_NETWORK);
    const { affairs } = membership.parts;
    if (affairs.ending) return this.#refuse(request, affairs.ending.why);
    affairs.command(request, command, now);
    membership.pump(now);
  }

  #refuse(request: number, error: string): void {
    this.#actions.push({ kind: 'answer', request, answer: { ok: false, error } });
  }

  /** What is to be written, and whether it is over. */
  #settle(now: Instant): void {
    const membership = this.#membership;
    if (!membership) return;
    const { affairs, keeper } = membership.parts;
    const { ending } = affairs;
    if (ending && membership.phase !== 'left') {
      membership.end();
      keeper.keep('members', now);
      this.#tell('warn', ending.why, {});
      if (ending.forgets) this.#actions.push({ kind: 'forgetNetwork', why: ending.why });
    }
    keeper.drain(this.#actions);
  }

  #tell(level: 'info' | 'warn', message: string, fields: Record<string, string>): void {
    this.#actions.push({ kind: 'tell', level, message, fields });
  }
}
