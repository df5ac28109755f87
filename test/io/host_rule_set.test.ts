/** What becomes of rules, and what of the journal, in the order of both. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Family } from '../../src/base/address.js';
import { FileError } from '../../src/io/files.js';
import { HostRuleSet } from '../../src/io/host_rule_set.js';
import { NetlinkError, PROTOCOL_HEDDLE } from '../../src/io/netlink.js';
import { planHost } from '../../src/route/host_plan.js';
import { type FoundRule, formatRule, type Rule } from '../../src/wire/netlink_rule.js';
import { address, prefix } from '../support/parsed.js';

const test = suite('io/host_rule_set');

const NOTHING = { steps: [], mark: 0 };
const PLAN = planHost({
  addresses: [],
  mtu: 1400,
  messageOverhead: 32,
  table: 'auto',
  fwMark: 0,
  allowedIps: [prefix('0.0.0.0/0')],
  freeTable: () => 51_820,
});
const HERE = { interfaceName: 'hd0', underlay: [address('192.0.2.1')] };
const ELSEWHERE = { interfaceName: 'hd0', underlay: [address('192.0.2.2')] };

class Kernel {
  readonly calls: string[] = [];
  readonly there = new Map<string, Rule>();
  /** The text that a rule has that is refused, and how. */
  refuses: { readonly text: string; readonly code: string } | undefined;

  rules(family: Family): FoundRule[] {
    return [...this.there.values()]
      .filter((rule) => rule.family === family)
      .map((rule) => ({ rule, protocol: PROTOCOL_HEDDLE, isDetached: false }));
  }

  addRule(rule: Rule): void {
    const text = formatRule(rule);
    if (this.refuses && text.includes(this.refuses.text)) {
      throw new NetlinkError('Add rule', this.refuses.code);
    }
    assert.not(this.there.has(text), `${text} twice`);
    this.there.set(text, rule);
    this.calls.push(`add ${text}`);
  }

  deleteRule(rule: Rule): void {
    const text = formatRule(rule);
    if (!this.there.delete(text)) throw new NetlinkError('Delete rule', 'ENOENT');
    this.calls.push(`delete ${text}`);
  }
}

function scene() {
  const kernel = new Kernel();
  const noted: string[][] = [];
  const journal = {
    note: (rules: readonly Rule[]) => {
      noted.push(rules.map(formatRule));
      for (const text of kernel.there.keys()) {
        assert.ok(noted.at(-1)?.includes(text), `${text} is there and not written down`);
      }
    },
  };
  return { kernel, noted, set: new HostRuleSet(kernel, journal) };
}

const END = 'IPv4 32765: from all iif hd0 nop';
const ANSWER = 'IPv4 32762: from 192.0.2.1 goto 32765';
const MAIN = 'IPv4 32763: from all lookup 254 suppress_prefixlength 0';
const MARK = 'IPv4 32764: not from all fwmark 0xca6c lookup 51820';

test('rules: are written down before they are made, and taken back the last first', () => {
  const { kernel, noted, set } = scene();
  set.add(PLAN, HERE, []);
  assert.equal(noted, [[END, ANSWER, MAIN, MARK]]);
  assert.equal(kernel.calls, [`add ${END}`, `add ${ANSWER}`, `add ${MAIN}`, `add ${MARK}`]);
  kernel.calls.length = 0;
  set.keepOnly(NOTHING, HERE);
  assert.equal(kernel.calls, [
    `delete ${MARK}`,
    `delete ${MAIN}`,
    `delete ${ANSWER}`,
    `delete ${END}`,
  ]);
  assert.equal(noted.at(-1), []);
});

test('rules: a plan without any asks and writes nothing', () => {
  const { kernel, noted, set } = scene();
  set.add(NOTHING, HERE, []);
  set.keepOnly(NOTHING, HERE);
  assert.equal(set.repair(NOTHING, HERE), { count: 0, refusals: [] });
  assert.equal([kernel.calls, noted], [[], []]);
});

test('rules: one that is refused takes those before it along', () => {
  const { kernel, noted, set } = scene();
  kernel.refuses = { text: 'not from', code: 'EPERM' };
  assert.throws(() => set.add(PLAN, HERE, []), /EPERM/);
  assert.is(kernel.there.size, 0);
  assert.equal(noted.at(-1), []);
});

test('rules: what is missing is made again where it was, once, and counted', () => {
  const { kernel, set } = scene();
  set.add(PLAN, HERE, []);
  kernel.there.delete(MAIN);
  kernel.there.delete(END);
  kernel.calls.length = 0;
  assert.equal(set.repair(PLAN, HERE), { count: 2, refusals: [] });
  assert.equal(kernel.calls, [`add ${END}`, `add ${MAIN}`]);
  assert.equal(set.repair(PLAN, HERE), { count: 0, refusals: [] });
  kernel.there.delete(MARK);
  kernel.refuses = { text: 'not from', code: 'EPERM' };
  assert.equal(set.repair(PLAN, HERE).refusals.length, 1);
});

test('rules: other addresses of the underlay are followed, which is no repair', () => {
  const { kernel, set } = scene();
  set.add(PLAN, HERE, []);
  kernel.calls.length = 0;
  assert.equal(set.repair(PLAN, ELSEWHERE), { count: 0, refusals: [] });
  assert.equal(kernel.calls, [
    'add IPv4 32762: from 192.0.2.2 goto 32765',
    'delete IPv4 32762: from 192.0.2.1 goto 32765',
  ]);
});

test('rules: a host without IPv6 is told once, and not asked again', () => {
  const { kernel, noted, set } = scene();
  const six = planHost({
    addresses: [],
    mtu: 1400,
    messageOverhead: 32,
    table: 'auto',
    fwMark: 0,
    allowedIps: [prefix('0.0.0.0/0'), prefix('::/0')],
    freeTable: () => 51_820,
  });
  kernel.refuses = { text: 'IPv6', code: 'EAFNOSUPPORT' };
  const skipped: string[] = [];
  set.add(six, HERE, skipped);
  assert.is(skipped.length, 3);
  assert.is(kernel.there.size, 4);
  const before = noted.length;
  assert.equal(set.repair(six, HERE), { count: 0, refusals: [] });
  assert.is(noted.length, before);
});

test('rules: what the journal does not take is not made, and the rest is put right', () => {
  const { kernel } = scene();
  const full = new FileError('ENOSPC', 'Cannot write "notes": the disk is full');
  let isFull = false;
  const note = (): void => {
    if (isFull) throw full;
  };
  const set = new HostRuleSet(kernel, { note });
  set.add(PLAN, HERE, []);
  kernel.there.delete(MARK);
  kernel.calls.length = 0;
  isFull = true;
  assert.equal(set.repair(PLAN, ELSEWHERE), { count: 1, refusals: [full.message] });
  assert.equal(kernel.calls, [`add ${MARK}`]);
  isFull = false;
  assert.equal(set.repair(PLAN, ELSEWHERE), { count: 0, refusals: [] });
  assert.is(kernel.calls.length, 3, 'the new address is followed');
});

test.run();
