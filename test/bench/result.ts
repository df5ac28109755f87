/** A result of a run for tests, with what they are not about left empty. */

import type { BenchResult } from '../../bench/result.js';

export function makeResult(parts: Partial<BenchResult>): BenchResult {
  return {
    schema: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    durationSeconds: 600,
    command: 'npm run bench',
    commit: '0123456789ab',
    rounds: 5,
    machine: {
      cpu: 'Some Processor',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      kernel: '6.1.0',
      system: 'Debian GNU/Linux 12 (bookworm)',
      node: '20.19.0',
    },
    tools: { iperf3: '3.12-1' },
    subjects: [],
    series: [],
    inProcess: [],
    remarks: [],
    ...parts,
  };
}
