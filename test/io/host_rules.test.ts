import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  freeBlock,
  missingRules,
  orphans,
  rulesOf,
  writtenRules,
} from '../../src/io/host_rules.js';
import { PROTOCOL_HEDDLE } from '../../src/io/netlink.js';
import { planHost } from '../../src/route/host_plan.js';
import { type FoundRule, formatRule, type Rule } from '../../src/wire/netlink_rule.js';
import { address, prefix } from '../support/parsed.js';

const test = suite('io/host_rules');

function planOf(...allowed: readonly string[]) {
  return planHost({
    addresses: [],
    mtu: 1400,
    messageOverhead: 32,
    table: 'auto',
    fwMark: 0,
    allowedIps: allowed.map((text) => prefix(text)),
    freeTable: () => 51_820,
  });
}

const PLACE = {
  end: 100,
  interfaceName: 'hd0',
  underlay: ['192.0.2.1', '2001:db8::1', '198.51.100.1'].map((text) => address(text)),
};
const BLOCK = rulesOf(planOf('0.0.0.0/0', '::/0'), PLACE);

function found(rule: Rule, changes: Partial<FoundRule> = {}): FoundRule {
  return { rule, protocol: PROTOCOL_HEDDLE, isDetached: false, ...changes };
}

test('rules: none without a default route', () => {
  assert.equal(rulesOf(planOf('10.0.0.0/8'), PLACE), []);
});

test('rules: first where answers jump to, and what leads into the tunnel last', () => {
  assert.equal(rulesOf(planOf('0.0.0.0/0'), PLACE).map(formatRule), [
    'IPv4 100: from all iif hd0 nop',
    'IPv4 97: from 192.0.2.1 goto 100',
    'IPv4 97: from 198.51.100.1 goto 100',
    'IPv4 98: from all lookup 254 suppress_prefixlength 0',
    'IPv4 99: not from all fwmark 0xca6c lookup 51820',
  ]);
  assert.equal(rulesOf(planOf('::/0'), PLACE).map(formatRule), [
    'IPv6 100: from all iif hd0 nop',
    'IPv6 97: from 2001:db8::1 goto 100',
    'IPv6 98: from all lookup 254 suppress_prefixlength 0',
    'IPv6 99: not from all fwmark 0xca6c lookup 51820',
  ]);
});

test('rules: a host with very many addresses gets a limited number', () => {
  const many = Array.from({ length: 2_000 }, (_, i) => address(`10.0.${i >> 8}.${i & 255}`));
  const rules = rulesOf(planOf('0.0.0.0/0'), { ...PLACE, underlay: many });
  assert.is(rules.length, 256 + 3);
});

test('block: ends ahead of all rules of the host but the first', () => {
  const foreign = (priority: number): FoundRule =>
    found({ family: 4, priority, table: 254 }, { protocol: 2 });
  const kernel = [foreign(0), foreign(32_766), foreign(32_767)];
  assert.is(freeBlock(kernel), 32_765);
  assert.is(freeBlock([...kernel, foreign(1_000)]), 999);
  assert.is(freeBlock([foreign(0)]), 32_765, 'after `ip rule flush`');
  assert.is(freeBlock([...kernel, foreign(2)]), 4, 'there is no room ahead');
});

test('block: two blocks do not overlap, whatever each has in it', () => {
  const end: Rule = { family: 4, priority: 32_765, incoming: 'hd0' };
  assert.is(freeBlock([found(end)]), 32_761);
  assert.is(freeBlock(BLOCK.map((rule) => found(rule))), 96);
});

test('orphans: rules of a block whose interface is gone, or that has no end', () => {
  const living = BLOCK.map((rule) => found(rule));
  assert.equal(orphans(living), []);
  const dead = BLOCK.map((rule) => found(rule, { isDetached: rule.incoming !== undefined }));
  assert.equal(orphans(dead), BLOCK);
  const without = living.filter(({ rule }) => rule.incoming === undefined);
  assert.equal(
    orphans(without),
    without.map(({ rule }) => rule),
  );
});

test('orphans: another’s living block keeps none of them, in another family neither', () => {
  const dead: Rule = { family: 4, priority: 96, table: 51_821, notMark: 51_821 };
  assert.equal(orphans([found(dead), ...BLOCK.map((rule) => found(rule))]), [dead]);
  const end: Rule = { family: 6, priority: 100, incoming: 'hd0' };
  const mark: Rule = { family: 4, priority: 99, table: 51_820, notMark: 51_820 };
  assert.equal(orphans([found(end), found(mark)]), [mark]);
});

test('orphans: rules of others are nobody’s business', () => {
  assert.equal(orphans(BLOCK.map((rule) => found(rule, { protocol: 3, isDetached: true }))), []);
});

test('missing: what is not there as ours, at its place', () => {
  const [first, ...others] = BLOCK;
  if (!first) throw new Error('the block has rules');
  assert.equal(
    missingRules(
      BLOCK,
      BLOCK.map((rule) => found(rule)),
    ),
    [],
  );
  assert.equal(
    missingRules(
      BLOCK,
      others.map((rule) => found(rule)),
    ),
    [first],
  );
  const alike = [found(first, { protocol: 3 }), found({ ...first, priority: 5 })];
  assert.equal(missingRules([first], alike), [first]);
});

test('written: only ours, and only those that are written down', () => {
  const [first, second] = BLOCK;
  if (!first || !second) throw new Error('the block has rules');
  const texts = new Set([formatRule(first)]);
  assert.equal(writtenRules(texts, [found(first), found(second)]), [first]);
  assert.equal(writtenRules(texts, [found(first, { protocol: 3 })]), []);
});

test.run();
