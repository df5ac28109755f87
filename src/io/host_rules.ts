/**
 * The rules that a plan with a default route stands for, and whose a rule is. They stand in a block
 * ahead of all that the host has, each at a priority of its own, so that their order does not
 * depend on the order of making:
 *
 *   end - 3  from ADDRESS goto end        one for each global address of another interface
 *   end - 2  lookup main suppress_prefixlength 0
 *   end - 1  not fwmark MARK lookup TABLE
 *   end      iif INTERFACE nop            the end of the block, and the sign of its owner
 *
 * Answers from an address of the underlay jump over the tunnel's rules to those of the host, which
 * route them as if there were no tunnel, whatever rules of its own the host has. The last rule does
 * nothing. It is what they jump to, and it names the interface: the kernel marks it as detached
 * when there is none of the name, and a TUN device goes with its process, so a block whose last
 * rule is detached or missing is a dead daemon's.
 */

import type { Address } from '../base/address.js';
import type { HostPlan } from '../route/host_plan.js';
import { type FoundRule, formatRule, type Rule } from '../wire/netlink_rule.js';
import { PROTOCOL_HEDDLE } from './netlink.js';

const MAIN_TABLE = 254;
const BLOCK = 4;
/** Where the host's own rules begin without any but the kernel's. */
const MAIN_PRIORITY = 32_766;
/**
 * Every packet without a better rule is compared with each of them, so there is a limit; answers
 * from further addresses go into the tunnel.
 */
const ANSWER_RULES = 256;

export interface RulePlace {
  /** The priority of the block's last rule. */
  readonly end: number;
  readonly interfaceName: string;
  /** The global addresses of other interfaces. */
  readonly underlay: readonly Address[];
}

/** In the order of making: what keeps traffic out of the tunnel comes before what leads into it. */
export function rulesOf(plan: HostPlan, place: RulePlace): Rule[] {
  const { end, interfaceName: incoming, underlay } = place;
  const families = ([4, 6] as const).filter((family) =>
    plan.steps.some((step) => step.kind === 'markRule' && step.family === family),
  );
  const ends = families.map((family): Rule => ({ family, priority: end, incoming }));
  const rest = plan.steps.flatMap((step): Rule[] => {
    switch (step.kind) {
      case 'answerRules':
        return underlay
          .filter(({ family }) => family === step.family)
          .slice(0, ANSWER_RULES)
          .map((from) => ({ family: step.family, priority: end - 3, from, goto: end }));
      case 'mainRule': {
        const what = { table: MAIN_TABLE, suppressDefault: true };
        return [{ family: step.family, priority: end - 2, ...what }];
      }
      case 'markRule': {
        const { family, table, mark: notMark } = step;
        return [{ family, priority: end - 1, table, notMark }];
      }
      default:
        return [];
    }
  });
  const byPriority = (a: Rule, b: Rule): number => (a.priority ?? 0) - (b.priority ?? 0);
  return [...ends, ...rest.sort(byPriority)];
}

/** Where a block ends that comes ahead of all rules but the kernel's first. */
export function freeBlock(rules: readonly FoundRule[]): number {
  let first = MAIN_PRIORITY;
  for (const { rule, protocol } of rules) {
    const isEnd = protocol === PROTOCOL_HEDDLE && rule.incoming !== undefined;
    const begins = (rule.priority ?? 0) - (isEnd ? BLOCK - 1 : 0);
    if (begins > 0) first = Math.min(first, begins);
  }
  return Math.max(first - 1, BLOCK);
}

/** Heddle's rules whose daemon is dead. */
export function orphans(rules: readonly FoundRule[]): Rule[] {
  const ours = rules.filter(isOurs);
  const living = ours.filter(({ rule, isDetached }) => rule.incoming !== undefined && !isDetached);
  const ends = new Set(living.map(({ rule }) => blockKey(rule, 0)));
  const dead = ours.filter(({ rule }) => !isInBlock(rule, ends));
  return dead.map(({ rule }) => rule);
}

/** Which of the wanted rules are missing. */
export function missingRules(wanted: readonly Rule[], found: readonly FoundRule[]): Rule[] {
  const there = new Set(found.filter(isOurs).map(({ rule }) => formatRule(rule)));
  return wanted.filter((rule) => !there.has(formatRule(rule)));
}

/** Heddle's rules among those found that are written down in `texts`. */
export function writtenRules(texts: ReadonlySet<string>, found: readonly FoundRule[]): Rule[] {
  const written = found.filter((each) => isOurs(each) && texts.has(formatRule(each.rule)));
  return written.map(({ rule }) => rule);
}

function isOurs({ protocol }: FoundRule): boolean {
  return protocol === PROTOCOL_HEDDLE;
}

function isInBlock(rule: Rule, ends: ReadonlySet<string>): boolean {
  for (let ahead = 0; ahead < BLOCK; ahead++) if (ends.has(blockKey(rule, ahead))) return true;
  return false;
}

function blockKey({ family, priority = 0 }: Rule, ahead: number): string {
  return `${family} ${priority + ahead}`;
}
