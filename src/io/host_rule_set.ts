/**
 * The rules that a plan needs, as they are in the host now. They outlive the process, so they are
 * in a journal before they are made, and until they are gone.
 */

import type { Address } from '../base/address.js';
import type { HostPlan } from '../route/host_plan.js';
import { type FoundRule, formatRule, type Rule } from '../wire/netlink_rule.js';
import { isSystemRefusal } from './files.js';
import type { Repaired } from './host_addresses.js';
import { isGone, isWithoutIpv6, unlessWithoutIpv6 } from './host_errors.js';
import { freeBlock, missingRules, rulesOf } from './host_rules.js';
import { type Netlink, NetlinkError } from './netlink.js';

type RuleNetlink = Pick<Netlink, 'addRule' | 'deleteRule' | 'rules'>;

/** Remembers, beyond the process, the rules that are made or are about to be. */
export interface HostJournal {
  note(rules: readonly Rule[]): void;
}

interface Surroundings {
  readonly interfaceName: string;
  readonly underlay: readonly Address[];
}

export class HostRuleSet {
  readonly #netlink: RuleNetlink;
  readonly #journal: HostJournal;
  /** By text. */
  readonly #ours = new Map<string, Rule>();
  /** What the kernel does not take, being without IPv6. */
  readonly #refused = new Set<string>();
  /** Where our block stands, from the first time on that there is one. */
  #end: number | undefined;

  constructor(netlink: RuleNetlink, journal: HostJournal) {
    this.#netlink = netlink;
    this.#journal = journal;
  }

  /**
   * Adds what the plan needs and is not ours yet. Throws NetlinkError, and then none of it is
   * added. `skipped` takes why the kernel refused what needs IPv6, where that is off.
   */
  add(plan: HostPlan, surroundings: Surroundings, skipped: string[]): Rule[] {
    const fresh = this.#wanted(plan, surroundings).filter((rule) => !this.#has(rule));
    if (fresh.length === 0) return [];
    this.#journal.note([...this.#ours.values(), ...fresh]);
    const added: Rule[] = [];
    try {
      for (const rule of fresh) {
        if (!this.#tryAdd(rule, skipped)) continue;
        this.#ours.set(formatRule(rule), rule);
        added.push(rule);
      }
    } catch (error) {
      this.delete(added);
      throw error;
    }
    return added;
  }

  /** Deletes ours that the plan does not need, what leads into the tunnel first. */
  keepOnly(plan: HostPlan, surroundings: Surroundings): void {
    const wanted = new Set(this.#wanted(plan, surroundings).map(formatRule));
    const others = [...this.#ours].filter(([text]) => !wanted.has(text));
    if (others.length > 0) this.delete(others.map(([, rule]) => rule).reverse());
  }

  /** What is gone already is no fault. */
  delete(rules: readonly Rule[]): void {
    for (const rule of rules) {
      this.#ours.delete(formatRule(rule));
      try {
        this.#netlink.deleteRule(rule);
      } catch (error) {
        if (!isGone(error) && !isWithoutIpv6(error, rule.family)) throw error;
      }
    }
    this.#journal.note([...this.#ours.values()]);
  }

  /** Adds again those of ours that the kernel does not have, and follows the surroundings. */
  repair(plan: HostPlan, surroundings: Surroundings): Repaired {
    if (this.#ours.size === 0) return { count: 0, refusals: [] };
    const refusals: string[] = [];
    const missing = missingRules([...this.#ours.values()], this.#found());
    for (const rule of missing) {
      try {
        this.#netlink.addRule(rule);
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
        refusals.push(error.message);
      }
    }
    const count = missing.length - refusals.length;
    try {
      this.add(plan, surroundings, []);
      this.keepOnly(plan, surroundings);
    } catch (error) {
      // The kernel's, or the journal's on a full disk: what was not written down is not made.
      if (!isSystemRefusal(error)) throw error;
      refusals.push(error.message);
    }
    return { count, refusals };
  }

  #wanted(plan: HostPlan, surroundings: Surroundings): Rule[] {
    if (!plan.steps.some(({ kind }) => kind === 'markRule')) return [];
    this.#end ??= freeBlock(this.#found());
    return rulesOf(plan, { end: this.#end, ...surroundings });
  }

  #found(): FoundRule[] {
    const families = [4, 6] as const;
    return families.flatMap(
      (family) => unlessWithoutIpv6(family, () => this.#netlink.rules(family)) ?? [],
    );
  }

  #has(rule: Rule): boolean {
    const text = formatRule(rule);
    return this.#ours.has(text) || this.#refused.has(text);
  }

  #tryAdd(rule: Rule, skipped: string[]): boolean {
    try {
      this.#netlink.addRule(rule);
      return true;
    } catch (error) {
      if (!isWithoutIpv6(error, rule.family)) throw error;
      this.#refused.add(formatRule(rule));
      skipped.push(error.message);
      return false;
    }
  }
}
