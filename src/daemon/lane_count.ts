/** How many lanes a node opens. */

import { MAX_LANES } from '../datapath/tables.js';

const CORES_PER_LANE = 2; // a thread each way

/** As many as configured; where nothing is, as many as so many cores have use for. */
export function laneCount(configured: number | undefined, cores: number): number {
  if (configured !== undefined) return configured;
  return Math.min(Math.max(Math.floor(cores / CORES_PER_LANE), 1), MAX_LANES);
}
