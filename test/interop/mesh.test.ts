/**
 * A mesh of real daemons in namespaces, and what hosts and networks do to it. After each: all see
 * all, nobody has the address of another, everybody reaches everybody. HEDDLE_LONG=1 takes the long
 * times of real life instead of those that a test run has.
 */

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, reaches, waitUntil } from '../support/netns.js';
import { JumpingClock } from './jumping_clock.js';
import { type MeshEnd, MeshLab } from './mesh_rig.js';

export const timeLimitSeconds = 420;

const test = suite('interop/mesh');
const IS_LONG = process.env.HEDDLE_LONG === '1';
const HOSTS = 8;
const PARTITION_MS = IS_LONG ? 120_000 : 25_000;
const STOPPED_MS = IS_LONG ? 60_000 : 20_000;
const YEARS = 10n * 365n * 86_400n;

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function at(lab: MeshLab, index: number): MeshEnd {
  const end = lab.ends[index];
  if (!end) throw new Error(`there is no host ${index}`);
  return end;
}

/** Whom a daemon took for failed, by its log: `who: whom`. */
function failedBy(end: MeshEnd, from = 0): string[] {
  const lines = end.said.slice(from).split('\n');
  return lines
    .filter((line) => line.includes('Member changed') && line.includes('failed'))
    .map((line) => `${end.name}: ${/"member":"([^"]*)"/.exec(line)?.[1] ?? line}`);
}

/** What is taken for failed while `change` lasts, by all together; each once. */
async function failedDuring(lab: MeshLab, change: () => Promise<void>): Promise<string[]> {
  const from = lab.ends.map((end) => end.said.length);
  await change();
  return [...new Set(lab.ends.flatMap((end, index) => failedBy(end, from[index])))];
}

/** Where a join line stands that it must not: the log, arguments and environment of processes. */
function secretsIn(end: MeshEnd, secret: string): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const files = processes.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const inFiles = files.filter((file) => readIfThere(file).includes(secret));
  return end.said.includes(secret) ? ['its log', ...inFiles] : inFiles;
}

/** A process may end while it is looked at. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

test('mesh: eight daemons form it from a line each, and live through kills and partitions', () =>
  MeshLab.with(async (lab) => {
    await lab.form(HOSTS);
    await lab.becomesWhole(30_000);
    for (const end of lab.ends)
      assert.equal(failedBy(end), [], 'nobody healthy was taken for dead');

    const [first, one] = [at(lab, 0), at(lab, 3)];
    const ofOne = await failedDuring(lab, async () => {
      await one.kill();
      await waitUntil('the dead one is failed', 40_000, async () => {
        return (await first.member(one.name))?.status === 'failed';
      });
      await one.up();
      await lab.becomesWhole(15_000);
    });
    assert.ok(
      ofOne.every((line) => line.endsWith(`: ${one.name}`)),
      `no other is taken for dead: ${ofOne}`,
    );

    const half = lab.ends.filter((_, index) => index % 2 === 1);
    await Promise.all(half.map((end) => end.kill()));
    await pause(3_000);
    await Promise.all(half.map((end) => end.up()));
    await lab.becomesWhole(20_000);

    await Promise.all(lab.ends.map((end) => end.kill()));
    await Promise.all(lab.ends.map((end) => end.up()));
    await lab.becomesWhole(30_000);

    await lab.part(lab.ends.slice(0, 3));
    await pause(PARTITION_MS);
    await lab.heal();
    await lab.becomesWhole(60_000);

    const stopped = at(lab, 5);
    const ofStopped = await failedDuring(lab, async () => {
      stopped.signal('SIGSTOP');
      await pause(STOPPED_MS);
      stopped.signal('SIGCONT');
      await lab.becomesWhole(30_000);
    });
    assert.ok(
      ofStopped.every((line) => line.endsWith(`: ${stopped.name}`)),
      `nobody but the stopped one is taken for dead, by it neither: ${ofStopped}`,
    );

    ip(at(lab, 6).host, 'addr', 'del', '192.0.2.7/24', 'dev', 'p7');
    ip(at(lab, 6).host, 'addr', 'add', '192.0.2.107/24', 'dev', 'p7');
    await lab.becomesWhole(30_000);
  }));

test('mesh: who joins by a member that is no admin is let in by the admin', () =>
  MeshLab.with(async (lab) => {
    await lab.form(2);
    const line = await at(lab, 0).invite();
    const late = lab.add();
    await lab.becomesWhole(15_000, lab.ends.slice(0, 2));
    await lab.part([at(lab, 0), late]);
    await lab.heal();
    const secret = line.trim().slice('heddle1'.length);
    assert.ok(secret.length > 100);
    await late.join(line);
    for (const end of lab.ends) assert.equal(secretsIn(end, secret), []);
    await lab.becomesWhole(20_000);
  }));

test('mesh: a revoked host is cut off by all within 5 s, and stays so', () =>
  MeshLab.with(async (lab) => {
    await lab.form(4);
    await lab.becomesWhole(15_000);
    const gone = at(lab, 3);
    const address = (await gone.member('h4'))?.addresses[0] ?? '';
    const { stdout } = await at(lab, 0).heddle('revoke', 'h4');
    assert.match(stdout, 'h4 is revoked');
    const rest = lab.ends.slice(0, 3);
    await waitUntil('nobody reaches it', 5_000, async () => {
      const answers = await Promise.all(rest.map((end) => reaches(end.host, address)));
      return answers.every((answer) => !answer);
    });
    await gone.kill();
    await gone.up();
    await pause(3_000);
    for (const end of rest)
      assert.not(await reaches(end.host, address), `${end.name} takes it back`);
    await lab.becomesWhole(10_000, rest);
  }));

test('mesh: a host that leaves is gone, and its daemon stops', () =>
  MeshLab.with(async (lab) => {
    await lab.form(3);
    await lab.becomesWhole(15_000);
    const gone = at(lab, 2);
    assert.is((await gone.heddle('leave')).code, 0);
    await waitUntil(
      'its daemon stops',
      10_000,
      async () => (await gone.heddle('status')).code === 3,
    );
    await waitUntil('the others know', 10_000, async () => {
      return (await at(lab, 0).member('h3'))?.status === 'left';
    });
    const line = await at(lab, 0).invite();
    await gone.join(line);
    await lab.becomesWhole(20_000);
  }));

test('mesh: keys are changed with no lost packet', () =>
  MeshLab.with(async (lab) => {
    await lab.form(3);
    await lab.becomesWhole(15_000);
    const target = (await at(lab, 1).member('h2'))?.addresses[0] ?? '';
    const before = (await at(lab, 0).member('h2'))?.publicKey;
    const count = 150;
    const ping = ['ping', '-q', '-i', '0.1', '-c', `${count}`, '-W', '2', target];
    const running = at(lab, 0).host.run(ping, { limitMs: 60_000 });
    for (const [index, what] of [
      [1, 'key'],
      [0, 'admin'],
      [0, 'root'],
    ] as const) {
      const { code, stderr } = await at(lab, index).heddle('rotate', what);
      assert.is(code, 0, stderr);
    }
    const { stdout } = await running;
    assert.match(stdout, `${count} received`);
    assert.is.not((await at(lab, 0).member('h2'))?.publicKey, before);
    await at(lab, 2).kill();
    await at(lab, 2).up();
    await lab.becomesWhole(20_000);
    const late = lab.add();
    await late.join(await at(lab, 0).invite());
    await lab.becomesWhole(20_000);
  }));

test('mesh: a full disk costs no membership, and is told', () =>
  MeshLab.with(async (lab) => {
    await lab.form(2);
    const small = lab.add();
    const state = join(small.folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', state]);
    lab.lab.onRemove(() => execFileSync('umount', ['-l', state]));
    await small.join(await at(lab, 0).invite());
    await lab.becomesWhole(20_000);
    fillUp(join(state, 'filler'));
    const late = lab.add();
    await late.join(await at(lab, 0).invite());
    await lab.becomesWhole(20_000);
    await waitUntil('the operator is told', 15_000, async () => {
      return (await small.mesh()).warnings.some((warning) => warning.includes('disk'));
    });
    rmSync(join(state, 'filler'));
    await waitUntil('it is over', 15_000, async () => (await small.mesh()).warnings.length === 0);
    await small.kill();
    await small.up();
    await lab.becomesWhole(20_000);
  }));

test('mesh: a host whose clock is ten years ahead is a member like the others', () =>
  MeshLab.with(async (lab) => {
    const clock = new JumpingClock(lab.lab, 'CLOCK_REALTIME');
    await lab.form(2);
    const wrong = lab.add(clock.through);
    await wrong.join(await at(lab, 0).invite());
    await lab.becomesWhole(20_000);
    clock.jump(YEARS);
    await pause(3_000);
    await lab.becomesWhole(20_000);
    await wrong.kill();
    await wrong.up();
    await lab.becomesWhole(20_000);
    assert.ok((await wrong.mesh()).warnings.some((warning) => warning.includes('clock')));
    clock.jump(-YEARS);
    await wrong.kill();
    await wrong.up();
    await lab.becomesWhole(30_000);
  }));

function fillUp(path: string): void {
  const file = openSync(path, 'w');
  const block = new Uint8Array(4096);
  try {
    for (;;) writeSync(file, block);
  } catch {
    closeSync(file);
  }
}

test.run();
