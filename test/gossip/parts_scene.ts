/** One core of the gossip's parts, fed by hand. */

import { type NodeId, nodeId } from '../../src/base/identifiers.js';
import { SILENT } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import type { GossipAction } from '../../src/gossip/action.js';
import { Awareness } from '../../src/gossip/awareness.js';
import { GOSSIP_DEFAULTS, type GossipConfig } from '../../src/gossip/config.js';
import { GossipCounters } from '../../src/gossip/counters.js';
import { Courier } from '../../src/gossip/courier.js';
import { MemberTable } from '../../src/gossip/member_table.js';
import type { GossipParts } from '../../src/gossip/parts.js';
import { Prober } from '../../src/gossip/prober.js';
import { Spreader } from '../../src/gossip/spreader.js';
import { Standing } from '../../src/gossip/standing.js';

export const SELF = nodeId('5e1f5e1f5e1f5e1f');

export function member(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, '0'));
}

export interface PartsScene extends GossipParts {
  readonly spreader: Spreader;
  readonly standing: Standing;
  readonly courier: Courier;
  readonly prober: Prober;
  readonly awareness: Awareness;
  /** What was wanted since the last call. */
  take(): GossipAction[];
}

/** `count` members, all alive and known, with a session each. */
export function partsScene(count: number, changes: Partial<GossipConfig> = {}): PartsScene {
  const config = { ...GOSSIP_DEFAULTS, ...changes };
  const random = new SeededRandom('gossip parts');
  const table = new MemberTable(config.memberLimit);
  const counters = new GossipCounters();
  const parts: GossipParts = { config, random, log: SILENT, table, counters, actions: [] };
  const spreader = new Spreader(parts);
  const standing = new Standing(parts, spreader);
  const courier = new Courier(parts, spreader, standing);
  const awareness = new Awareness(config.healthLimit);
  const prober = new Prober({ ...parts, courier, standing, awareness });
  prober.start(SELF);
  for (let i = 1; i <= count; i++) {
    const slot = table.insert(member(i), 1);
    if (slot === undefined) continue;
    table.setWarm(slot, true);
    prober.join(slot);
  }
  const take = (): GossipAction[] => parts.actions.splice(0);
  return { ...parts, spreader, standing, courier, prober, awareness, take };
}
