/**
 * What a killed daemon leaves in the host. Its interface goes with the process, and addresses and
 * routes with the interface; rules and a sysctl stay. So they are written down before they are made
 * and struck off after they are taken back: what is still written down at the next start, or at
 * `heddle down`, is a dead daemon's and is removed.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../base/log.js';
import { createPrivateFile, readPrivateFile } from '../io/files.js';
import { type Netlink, NetlinkError, type Rule } from '../io/netlink.js';
import type { HostPlan } from '../route/host_plan.js';
import type { Folders } from './folders.js';

const MAIN_TABLE = 254;
const VALID_MARK = '/proc/sys/net/ipv4/conf/all/src_valid_mark';
const LONGEST_FILE = 64 * 1024;

interface Leftovers {
  /** The network namespace they are in, as /proc names it. */
  readonly namespace: string;
  readonly rules: readonly Rule[];
  /** What src_valid_mark was before it was set; absent when it was not set. */
  readonly validMark?: string;
}

type RuleRemover = Pick<Netlink, 'deleteRule'>;

function leftoversPath(folders: Folders): string {
  return join(folders.run, 'leftovers.json');
}

/** Writes down what of the plan would outlive the interface. Returns how to strike it off. */
export function noteLeftovers(folders: Folders, plan: HostPlan): () => void {
  const path = leftoversPath(folders);
  const rules = plan.steps.flatMap((step): Rule[] => {
    if (step.kind === 'mainRule') {
      return [{ family: step.family, table: MAIN_TABLE, suppressDefault: true }];
    }
    if (step.kind !== 'markRule') return [];
    return [{ family: step.family, table: step.table, notMark: step.mark }];
  });
  if (rules.length === 0) return () => {};
  const setsMark = plan.steps.some((step) => step.kind === 'validMark');
  const before = setsMark ? fs.readFileSync(VALID_MARK, 'utf8').trim() : '1';
  const noted: Leftovers = {
    namespace: ownNamespace(),
    rules,
    ...(before === '1' ? {} : { validMark: before }),
  };
  createPrivateFile(path, new TextEncoder().encode(JSON.stringify(noted)));
  return () => fs.rmSync(path, { force: true });
}

/**
 * True when a dead daemon left something; the caller holds the lock of the folder or asks out of
 * curiosity.
 */
export function hasLeftovers(folders: Folders): boolean {
  return fs.existsSync(leftoversPath(folders));
}

/** Removes what a dead daemon left. The caller holds the lock of the folder. */
export function removeLeftovers(folders: Folders, netlink: RuleRemover, log: Log): void {
  const path = leftoversPath(folders);
  if (!fs.existsSync(path)) return;
  const noted = parseLeftovers(readPrivateFile(path, LONGEST_FILE));
  if (noted?.namespace === ownNamespace()) {
    for (const rule of noted.rules) deleteRule(netlink, rule, log);
    if (noted.validMark !== undefined) fs.writeFileSync(VALID_MARK, noted.validMark);
    log.info('removed what a killed daemon left', { rules: noted.rules.length });
  }
  fs.rmSync(path, { force: true });
}

function deleteRule(netlink: RuleRemover, rule: Rule, log: Log): void {
  try {
    netlink.deleteRule(rule);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    // It may not have come to be made, or somebody removed it since.
    log.debug('a rule of a killed daemon is gone already', { error: error.message });
  }
}

function ownNamespace(): string {
  return fs.readlinkSync('/proc/self/ns/net');
}

/** Undefined when the file is not whole: then its writer died before it made anything. */
function parseLeftovers(bytes: Uint8Array): Leftovers | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isLeftovers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLeftovers(value: unknown): value is Leftovers {
  if (typeof value !== 'object' || value === null) return false;
  if (!('namespace' in value) || !('rules' in value) || !Array.isArray(value.rules)) return false;
  const isMark = !('validMark' in value) || value.validMark === '0';
  return isMark && value.rules.every(isRule);
}

function isRule(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'family' in value && 'table' in value && typeof value.table === 'number';
}
