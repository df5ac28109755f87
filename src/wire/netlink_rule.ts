/**
 * Routing rules in Linux's rtnetlink(7) (linux/fib_rules.h), in host byte order: of all that a rule
 * can say, what heddle's rules do. The fixed part, with the attributes behind it:
 *
 *   0        1       2       3      4       5          7        8
 *   +--------+-------+-------+------+-------+----------+--------+---------+
 *   | family |dst len|src len| tos  | table | reserved | action | flags   |
 *   +--------+-------+-------+------+-------+----------+--------+---------+
 */

import { type Address, addressFromBytes, bitsOf, type Family } from '../base/address.js';
import { loadLe32, storeLe32 } from '../base/bytes.js';
import { type Attribute, parseAttributes, readText, u32 } from './netlink.js';

const RULE_FIXED = 12;
const AF: Record<Family, number> = { 4: 2, 6: 10 };
const FRA = {
  source: 2,
  incomingInterface: 3,
  goto: 4,
  priority: 6,
  mark: 10,
  suppressPrefixLength: 14,
  table: 15,
  protocol: 21,
};
const ACTION = { lookup: 1, goto: 2, nop: 3 };
const INVERT = 2;
const INCOMING_DETACHED = 8;
const NO_TABLE = 0;

/** What it selects goes to `table`, or on with the rules at `goto`, or, with neither, nowhere. */
export interface Rule {
  readonly family: Family;
  /** Lower ones come first; without one the kernel puts it ahead of all but the first. */
  readonly priority?: number;
  readonly table?: number;
  readonly goto?: number;
  /** Selects what does not carry the mark. */
  readonly notMark?: number;
  /** Selects what comes from the address. */
  readonly from?: Address;
  /** Selects what comes in by the interface of this name. */
  readonly incoming?: string;
  /** A default route does not count in the table. */
  readonly suppressDefault?: boolean;
}

/** A rule as the kernel tells of it. */
export interface FoundRule {
  readonly rule: Rule;
  /** Who made it. */
  readonly protocol: number;
  /** There is no interface of the name `incoming` now. */
  readonly isDetached: boolean;
}

export function parseRule(body: Uint8Array): FoundRule | undefined {
  if (body.length < RULE_FIXED) return undefined;
  const family = body[0] === AF[4] ? 4 : body[0] === AF[6] ? 6 : undefined;
  if (family === undefined) return undefined;
  const found = parseAttributes(body, RULE_FIXED);
  const number = (type: number): number | undefined => {
    const value = found.get(type);
    return value && value.length >= 4 ? loadLe32(value, 0) : undefined;
  };
  const flags = loadLe32(body, 8);
  const [source, incoming] = [found.get(FRA.source), found.get(FRA.incomingInterface)];
  const isWhole = source?.length === bitsOf(family) / 8 && body[2] === bitsOf(family);
  const [table, goto, mark] = [number(FRA.table), number(FRA.goto), number(FRA.mark)];
  const rule: Rule = {
    family,
    priority: number(FRA.priority) ?? 0,
    ...(body[7] === ACTION.lookup && table !== undefined ? { table } : {}),
    ...(body[7] === ACTION.goto && goto !== undefined ? { goto } : {}),
    ...(flags & INVERT && mark !== undefined ? { notMark: mark } : {}),
    ...(source && isWhole ? { from: addressFromBytes(source, 0, family) } : {}),
    ...(incoming ? { incoming: readText(incoming) } : {}),
    ...(number(FRA.suppressPrefixLength) === 0 ? { suppressDefault: true } : {}),
  };
  const isDetached = (flags & INCOMING_DETACHED) !== 0;
  return { rule, protocol: found.get(FRA.protocol)?.[0] ?? 0, isDetached };
}

/** The fixed part and the attributes of a request about the rule, made by `protocol`. */
export function emitRule(
  rule: Rule,
  protocol: number,
): { fixed: Uint8Array; attributes: Attribute[] } {
  const fixed = new Uint8Array(RULE_FIXED);
  const table = rule.table ?? NO_TABLE;
  fixed[0] = AF[rule.family];
  fixed[4] = table < 256 ? table : 0;
  fixed[7] = actionOf(rule);
  storeLe32(fixed, 8, rule.notMark === undefined ? 0 : INVERT);
  const attributes = [
    u32(FRA.table, table),
    { type: FRA.protocol, value: Uint8Array.of(protocol) },
  ];
  if (rule.priority !== undefined) attributes.push(u32(FRA.priority, rule.priority));
  if (rule.goto !== undefined) attributes.push(u32(FRA.goto, rule.goto));
  if (rule.notMark !== undefined) attributes.push(u32(FRA.mark, rule.notMark));
  if (rule.suppressDefault) attributes.push(u32(FRA.suppressPrefixLength, 0));
  if (rule.from) {
    fixed[2] = bitsOf(rule.family);
    attributes.push({ type: FRA.source, value: rule.from.bytes });
  }
  if (rule.incoming !== undefined) {
    const value = Uint8Array.from(`${rule.incoming}\0`, (letter) => letter.charCodeAt(0));
    attributes.push({ type: FRA.incomingInterface, value });
  }
  return { fixed, attributes };
}

/** One text a rule, in the manner of ip-rule(8). */
export function formatRule(rule: Rule): string {
  const not = rule.notMark === undefined ? '' : 'not ';
  const words = [`IPv${rule.family} ${rule.priority ?? 'first'}: ${not}from`];
  words.push(rule.from?.text ?? 'all');
  if (rule.notMark !== undefined) words.push(`fwmark 0x${rule.notMark.toString(16)}`);
  if (rule.incoming !== undefined) words.push(`iif ${rule.incoming}`);
  if (rule.table !== undefined) words.push(`lookup ${rule.table}`);
  if (rule.suppressDefault) words.push('suppress_prefixlength 0');
  if (rule.goto !== undefined) words.push(`goto ${rule.goto}`);
  else if (rule.table === undefined) words.push('nop');
  return words.join(' ');
}

function actionOf(rule: Rule): number {
  if (rule.table !== undefined) return ACTION.lookup;
  return rule.goto === undefined ? ACTION.nop : ACTION.goto;
}
