/** What the parts of the gossip core share. */

import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { GossipAction } from './action.js';
import type { GossipConfig } from './config.js';
import type { GossipCounters } from './counters.js';
import type { MemberTable } from './member_table.js';

export interface GossipParts {
  readonly config: GossipConfig;
  readonly random: Random;
  readonly log: Log;
  readonly table: MemberTable;
  readonly counters: GossipCounters;
  /** What is wanted, in order, until it is drained. */
  readonly actions: GossipAction[];
}
