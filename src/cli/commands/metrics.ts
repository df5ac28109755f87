/** `heddle metrics`: the daemon's counters in Prometheus' text format. */

import type { Folders } from '../../daemon/folders.js';
import { fetchMetrics } from '../client.js';
import { EXIT, type ExitCode } from '../exit.js';

export async function metrics(folders: Folders): Promise<ExitCode> {
  process.stdout.write(await fetchMetrics(folders));
  return EXIT.ok;
}
