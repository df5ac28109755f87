/**
 * What a killed daemon leaves in the host. Its interface goes with the process, and addresses and
 * routes with the interface; rules, a sysctl and sockets stay. So they are written down before they
 * are made and struck off after they are taken back: what is still written down at the next start,
 * at `heddle down` or `heddle cleanup`, is a dead daemon's and is removed.
 *
 * Rules and the sysctl carry heddle's number besides, and rules the name of their interface
 * (io/host_rules.ts), so that those of a dead daemon are found without its file, too, and those of
 * a living one in the same namespace stay.
 */

import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../base/log.js';
import { FileError, readPrivateFile, replacePrivateFile } from '../io/files.js';
import { orphans, writtenRules } from '../io/host_rules.js';
import type { HostJournal } from '../io/host_rule_set.js';
import { type Netlink, NetlinkError, PROTOCOL_HEDDLE } from '../io/netlink.js';
import { removeDeadSocket } from '../io/uapi_socket.js';
import { turnOffValidMark } from '../io/valid_mark.js';
import { formatRule, type Rule } from '../wire/netlink_rule.js';
import type { Folders } from './folders.js';

const LONGEST_FILE = 1024 * 1024;
const FAMILIES = [4, 6] as const;

/** The file's form. */
interface Notes {
  /** The boot and the network namespace that the rules are in. */
  readonly place: string;
  /** As `formatRule` writes them. */
  readonly rules: readonly string[];
  readonly sockets: readonly string[];
}

export type LeftoverNetlink = Pick<Netlink, 'rules' | 'deleteRule'>;

/** Writes down what this daemon makes that would outlive it. The caller holds the folder's lock. */
export class LeftoverNotes implements HostJournal {
  readonly #path: string;
  #rules: readonly string[] = [];
  #sockets: readonly string[] = [];

  constructor(folders: Folders) {
    this.#path = leftoversPath(folders);
  }

  /** The rules that are made or about to be made; none takes the note away. */
  note(rules: readonly Rule[]): void {
    this.#rules = rules.map(formatRule);
    this.#write();
  }

  /** A socket that is about to be made. */
  noteSocket(path: string): void {
    this.#sockets = [path];
    this.#write();
  }

  /** All is gone. */
  strikeOff(): void {
    this.#rules = [];
    this.#sockets = [];
    this.#write();
  }

  #write(): void {
    if (this.#rules.length === 0 && this.#sockets.length === 0) {
      fs.rmSync(this.#path, { force: true });
      return;
    }
    const notes: Notes = { place: ownPlace(), rules: this.#rules, sockets: this.#sockets };
    replacePrivateFile(this.#path, new TextEncoder().encode(JSON.stringify(notes)));
  }
}

/** True when a daemon, dead unless it holds the lock of the folder, has written something down. */
export function hasLeftovers(folders: Folders): boolean {
  return fs.existsSync(leftoversPath(folders));
}

/**
 * Removes what dead daemons left: what is written down in this folder, and rules in this namespace
 * that carry heddle's number and have no living owner. The caller holds the lock of the folder.
 * Returns what was removed, a text each.
 */
export async function removeLeftovers(
  folders: Folders,
  netlink: LeftoverNetlink,
  log: Log,
): Promise<string[]> {
  const path = leftoversPath(folders);
  const notes = readNotes(path);
  const written = new Set(notes?.place === ownPlace() ? notes.rules : []);
  const removed = [...removeRules(netlink, written, log), ...turnOff(netlink, log)];
  for (const socket of notes?.sockets ?? []) removed.push(...(await removeSocket(socket, log)));
  removeNotes(path);
  if (removed.length > 0) {
    log.info('removed what a killed daemon left', { first: removed[0] ?? '', of: removed.length });
  }
  return removed;
}

function leftoversPath(folders: Folders): string {
  return join(folders.run, 'leftovers.json');
}

/** The file, and those that a writer was killed over. */
function removeNotes(path: string): void {
  fs.rmSync(path, { force: true });
  const folder = dirname(path);
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    if (/^leftovers\.json\.\d+\.new$/.test(name)) fs.rmSync(join(folder, name), { force: true });
  }
}

function removeRules(netlink: LeftoverNetlink, written: ReadonlySet<string>, log: Log): string[] {
  const found = FAMILIES.flatMap((family) => attempt(() => netlink.rules(family), log) ?? []);
  const dead = [...writtenRules(written, found), ...orphans(found)].sort(compareRules);
  const byText = new Map(dead.map((rule) => [formatRule(rule), rule]));
  return [...byText].flatMap(([text, rule]) => {
    const isDeleted = attempt(() => {
      netlink.deleteRule(rule);
      return true;
    }, log);
    return isDeleted ? [`rule ${text}`] : [];
  });
}

/** What leads into a tunnel first, then what leads past it, and the end of the block last. */
function compareRules(a: Rule, b: Rule): number {
  const [isEndA, isEndB] = [a.incoming !== undefined, b.incoming !== undefined];
  if (isEndA !== isEndB) return isEndA ? 1 : -1;
  return (b.priority ?? 0) - (a.priority ?? 0);
}

/** The sysctl is off again when no heddle in the namespace needs it any more. */
function turnOff(netlink: LeftoverNetlink, log: Log): string[] {
  const rules = attempt(() => netlink.rules(4), log);
  if (!rules || rules.some(({ protocol }) => protocol === PROTOCOL_HEDDLE)) return [];
  try {
    return turnOffValidMark() ? ['sysctl net.ipv4.conf.all.src_valid_mark'] : [];
  } catch (error) {
    log.warn('cannot turn src_valid_mark off', { error: String(error) });
    return [];
  }
}

async function removeSocket(path: string, log: Log): Promise<string[]> {
  try {
    if ((await removeDeadSocket(path)) !== 'removed') return [];
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    log.warn('cannot remove a socket', { error: error.message });
    return [];
  }
  return [`socket ${path}`];
}

/** Undefined, after a word for who debugs, when the kernel refuses. */
function attempt<T>(call: () => T, log: Log): T | undefined {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    log.debug('cannot remove what a killed daemon left', { error: error.message });
    return undefined;
  }
}

/** Rules do not outlive a boot, and the number of a namespace may come again after it. */
function ownPlace(): string {
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${fs.readlinkSync('/proc/self/ns/net')}`;
}

/** Undefined when there is no file, or none of ours. */
function readNotes(path: string): Notes | undefined {
  if (!fs.existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(
      new TextDecoder().decode(readPrivateFile(path, LONGEST_FILE)),
    );
    return isNotes(value) ? value : undefined;
  } catch (error) {
    if (error instanceof FileError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isNotes(value: unknown): value is Notes {
  if (typeof value !== 'object' || value === null) return false;
  if (!('place' in value) || typeof value.place !== 'string') return false;
  if (!('rules' in value) || !('sockets' in value)) return false;
  return [value.rules, value.sockets].every(
    (list) => Array.isArray(list) && list.every((each) => typeof each === 'string'),
  );
}
