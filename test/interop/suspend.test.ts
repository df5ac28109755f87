/**
 * A host that was suspended for an hour: CLOCK_BOOTTIME has gone on, and nothing else noticed. The
 * jump comes from a small library in front of the C library's clock_gettime, in a real daemon.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { pings, reaches, requireTools, waitUntil } from '../support/netns.js';
import { FAR, NEAR, withRig } from './rig.js';
import { HeddleEnd, prepareHeddle, type Status } from './tunnels.js';

const test = suite('interop/suspend');

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const HOUR_SECONDS = 3600n;
const START_LIMIT_MS = 20_000;

/** Adds the seconds in the file that JUMP_FILE names to CLOCK_BOOTTIME. */
const SHIM = `#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile const int64_t* jump() {
  static volatile const int64_t* seconds = [] {
    int fd = open(getenv("JUMP_FILE"), O_RDONLY | O_CLOEXEC);
    void* page = mmap(nullptr, 8, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return static_cast<volatile const int64_t*>(page);
  }();
  return seconds;
}
extern "C" int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  int failed = static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  if (failed == 0 && clock == CLOCK_BOOTTIME) now->tv_sec += *jump();
  return failed;
}
`;

test('suspend: after an hour the first packet finds the old keys refused (WG-17)', () =>
  withRig(async (rig) => {
    requireTools({ 'g++': 'g++' });
    const { lab, near, far } = rig;
    const [source, library, jumpFile] = ['shim.cc', 'shim.so', 'jump'].map((name) =>
      join(lab.folder, name),
    ) as [string, string, string];
    writeFileSync(source, SHIM);
    execFileSync('g++', ['-O1', '-shared', '-fPIC', '-o', library, source]);
    writeFileSync(jumpFile, new Uint8Array(8));
    const { file, env } = prepareHeddle(lab, near, rig.nearTunnel);
    const command = [process.execPath, '--no-warnings', MAIN];
    const preload = { ...env, JUMP_FILE: jumpFile, LD_PRELOAD: library };
    const settings = Object.entries(preload).map(([name, value]) => `${name}=${value}`);
    const daemon = near.start(['env', ...settings, ...command, 'up', '-c', file]);
    let said = '';
    daemon.stderr?.on('data', (text) => {
      said += text;
    });
    await waitUntil('the daemon is ready', START_LIMIT_MS, () => /\bready\b/.test(said));
    await HeddleEnd.start(lab, far, rig.farTunnel);
    await pings(near, FAR.inner);
    const status = async (): Promise<Status> => {
      const { stdout, code } = await near.run([...command, 'status', '--json'], { env });
      assert.ok(code === EXIT.ok || code === EXIT.degraded, stdout);
      return JSON.parse(stdout) as Status;
    };
    const before = await status();
    const lines = said.split('\n').length;

    const jump = openSync(jumpFile, 'r+');
    writeSync(jump, BigInt64Array.of(HOUR_SECONDS), 0, 8, 0);
    closeSync(jump);

    assert.not(await reaches(far, NEAR.inner), 'what comes under the old key is not answered');
    const refused = (await status()).dropsByReason.keypair_expired ?? 0;
    assert.ok(refused > (before.dropsByReason.keypair_expired ?? 0), 'it is refused as too old');
    const sealed = (await status()).counters.sealed ?? 0;
    await pings(near, FAR.inner);
    await pings(far, NEAR.inner);
    const after = await status();
    assert.is.not(after.peers[0]?.latestHandshake, before.peers[0]?.latestHandshake);
    // Two pings, their session's confirmation, and what keepalives there may be: no burst.
    assert.ok((after.counters.sealed ?? 0) - sealed < 10, `${after.counters.sealed} were sealed`);
    assert.ok(said.split('\n').length - lines < 10, said);
  }));

test.run();
