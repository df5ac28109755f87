/** Bulk TCP by iperf3, in both directions. */

import * as assert from 'uvu/assert';
import { type LabHost, waitUntil } from '../support/netns.js';

const LISTEN_LIMIT_MS = 5_000;
const SECONDS = '1';

/** From the client and back, a second each; every direction moves at least so much. */
export async function movesBulk(
  client: LabHost,
  server: LabHost,
  address: string,
  leastBitsPerSecond: number,
): Promise<void> {
  const listener = server.start(['iperf3', '-s', '--forceflush', '-B', address]);
  let said = '';
  listener.stdout?.on('data', (text) => {
    said += text;
  });
  await waitUntil('iperf3 listens', LISTEN_LIMIT_MS, () => said.includes('Server listening'));
  for (const direction of [[], ['-R']]) {
    const words = ['iperf3', '-J', '-t', SECONDS, '-c', address, ...direction];
    const report = JSON.parse(await client.must(words));
    const rate = report.end.sum_received.bits_per_second;
    assert.ok(rate > leastBitsPerSecond, `bulk ${direction.join()} moved ${rate} bit/s`);
  }
  listener.kill('SIGTERM');
}
