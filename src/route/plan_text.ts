/** A host plan in words, a line a step, in the manner of ip(8): for `heddle up --dry-run`. */

import { unreachable } from '../base/assert.js';
import type { HostPlan, HostStep } from './host_plan.js';

export interface PlanLine {
  readonly what: 'link' | 'address' | 'route' | 'rule' | 'sysctl';
  readonly text: string;
}

export function describePlanSteps(plan: HostPlan, interfaceName: string): PlanLine[] {
  return plan.steps.map((step) => describeStep(step, interfaceName));
}

function describeStep(step: HostStep, interfaceName: string): PlanLine {
  const device = `dev ${interfaceName}`;
  switch (step.kind) {
    case 'link':
      return { what: 'link', text: `${interfaceName} type tun mtu ${step.mtu} up` };
    case 'address':
      return { what: 'address', text: `${step.address.text} ${device}` };
    case 'route': {
      const table = step.table === undefined ? '' : ` table ${step.table}`;
      return { what: 'route', text: `${step.prefix.text} ${device}${table}` };
    }
    case 'answerRules': {
      const text = `IPv${step.family}: from other interfaces' addresses: as without the tunnel`;
      return { what: 'rule', text };
    }
    case 'markRule': {
      const mark = `0x${step.mark.toString(16)}`;
      const text = `IPv${step.family}: not from all fwmark ${mark} lookup ${step.table}`;
      return { what: 'rule', text };
    }
    case 'mainRule':
      return {
        what: 'rule',
        text: `IPv${step.family}: from all lookup main suppress_prefixlength 0`,
      };
    case 'validMark':
      return { what: 'sysctl', text: 'net.ipv4.conf.all.src_valid_mark = 1' };
    default:
      return unreachable(step);
  }
}
