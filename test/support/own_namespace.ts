/**
 * Tests that each run in a network namespace of their own. A process cannot leave its namespace
 * from JavaScript, so the file is run once more for each test, by unshare(1), with this test alone.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'uvu';
import { skip } from './skip.js';
import { addonHere } from './twin.js';

/** Names the one test that this process is for. */
const ALONE = 'HEDDLE_TEST_ALONE';
const LIMIT_MS = 20_000;

/** How the file at `url` adds a test to its suite. `lo` is up when `body` begins. */
export function ownNamespace(
  test: Test,
  url: string,
): (name: string, body: () => void | Promise<void>) => void {
  const alone = process.env[ALONE];
  return (name, body) => {
    if (alone === undefined) test(name, () => runAlone(fileURLToPath(url), name));
    else if (alone === name) test(name, body);
  };
}

function runAlone(file: string, name: string): void {
  addonHere();
  if (process.getuid?.() !== 0) skip('needs root, to make network namespaces');
  const command = 'ip link set lo up && exec "$0" "$1"';
  const words = ['--net', 'sh', '-c', command, process.execPath, file];
  const { status, stdout, stderr, error } = spawnSync('unshare', words, {
    encoding: 'utf8',
    env: { ...process.env, [ALONE]: name, NO_COLOR: '1' },
    timeout: LIMIT_MS,
  });
  if (error) throw error;
  if (status === 0 && /Passed: +1\n/.test(stdout)) return;
  // What uvu says of the failure: its name is known, and its stack is this file's.
  const [, said = stdout] = stdout.split(/FAIL.*\n/);
  throw new Error(`${said.split(/\n +at /)[0]}${stderr}`);
}
