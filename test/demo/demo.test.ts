/** The demo as its users run it: it works, and nothing of it is left, however it ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ownerOf } from '../../src/demo/topology.js';
import { skip } from '../support/skip.js';

export const timeLimitSeconds = 180;

const DEMO = fileURLToPath(new URL('../../src/demo/main.js', import.meta.url));
/** The line after which all hosts are up and bulk traffic begins. */
const MIDWAY = /ping +from gamma/;

interface Run {
  readonly pid: number;
  readonly code: number | null;
  readonly output: string;
}

/** Runs the demo to its end; `onOutput` hears all that it printed so far. */
function runDemo(
  args: readonly string[],
  onOutput: (output: string, demo: ChildProcess) => void = () => {},
): Promise<Run> {
  const demo = spawn(process.execPath, [DEMO, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    onOutput(output, demo);
  };
  demo.stdout.on('data', collect);
  demo.stderr.on('data', collect);
  return new Promise((done) => {
    demo.on('close', (code) => done({ pid: demo.pid ?? 0, code, output }));
  });
}

/** Everything on this host that is named after the demo with this number. */
function leftovers(pid: number): string[] {
  const names = [tmpdir(), '/run/netns'].filter((folder) => fs.existsSync(folder));
  const files = names.flatMap((folder) => fs.readdirSync(folder));
  return [...files.filter((name) => ownerOf(name) === pid), ...processesNaming(pid)];
}

function processesNaming(pid: number): string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(pid))
    .map(commandOf)
    .filter((command) => command.includes(`heddle-demo-${pid}-`));
}

function commandOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function killMidway(signal: NodeJS.Signals): (output: string, demo: ChildProcess) => void {
  return (output, demo) => {
    if (MIDWAY.test(output) && !demo.killed) demo.kill(signal);
  };
}

const test = suite('demo');

test.before(() => {
  if (process.geteuid?.() !== 0) skip('the demo makes network namespaces: run the tests as root');
  if (!fs.existsSync('/dev/net/tun')) skip('there is no /dev/net/tun: modprobe tun');
});

for (const datapath of ['native', 'reference']) {
  test(`demo: carries sealed traffic by the ${datapath} hand and leaves nothing`, async () => {
    const { pid, code, output } = await runDemo(['--seconds', '1', '--datapath', datapath]);
    assert.is(code, 0, output);
    for (const from of ['alpha', 'beta', 'gamma']) {
      assert.match(output, new RegExp(`ping +from ${from}: \\w+ 10 of 10, .*; \\w+ 10 of 10, `));
    }
    assert.match(output, /wire .* [1-9]\d* data of heddle's own/);
    assert.is(output.match(/ (aes-256-gcm|chacha20-poly1305) /g)?.length, 6, output);
    assert.match(output, /proof +0 of \d+ packets on the wire show it/);
    assert.equal(leftovers(pid), []);
  });
}

for (const encapsulation of ['vxlan-sealed', 'vxlan', 'udp']) {
  test(`demo: carries traffic by ${encapsulation}, and says whether it can be read`, async () => {
    const args = ['--seconds', '1', '--encapsulation', encapsulation];
    const { pid, code, output } = await runDemo(args);
    assert.is(code, 0, output);
    const verdict =
      encapsulation === 'vxlan-sealed'
        ? /proof +0 of \d+ packets on the wire show it: no plaintext crossed/
        : /in clear +[1-9]\d* of \d+ packets on the wire show it: \w+ has no seal/;
    assert.match(output, verdict);
    assert.equal(leftovers(pid), []);
  });
}

test('demo: Ctrl-C midway leaves nothing', async () => {
  const { pid, code, output } = await runDemo([], killMidway('SIGINT'));
  assert.is(code, 130, output);
  assert.match(output, /removed/);
  assert.equal(leftovers(pid), []);
});

test('demo: what a killed demo leaves is removed by the next', async () => {
  const killed = await runDemo([], killMidway('SIGKILL'));
  assert.not.equal(leftovers(killed.pid), [], 'a killed demo cannot clean up');
  const next = await runDemo(['--seconds', '1']);
  assert.is(next.code, 0, next.output);
  assert.match(next.output, /removed what an earlier demo left behind/);
  assert.equal([...leftovers(killed.pid), ...leftovers(next.pid)], []);
});

test('demo: an option it does not know is a sentence, and nothing is made', async () => {
  const { pid, code, output } = await runDemo(['--datapath', 'kernel']);
  assert.is(code, 1);
  assert.match(output, /"kernel": expected native or reference/);
  assert.equal(leftovers(pid), []);
});

test.run();
