/**
 * A clock that jumps: CLOCK_BOOTTIME, as after a suspend, and nothing else notices; or the wall
 * clock, as where somebody set it wrong. The jump comes from a small library in front of the C
 * library's clock_gettime, in real daemons.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Lab, requireTools } from '../support/netns.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Adds the seconds in the file that JUMP_FILE names to the clock. */
const SHIM = (clock: JumpedClock): string => `#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
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
  if (failed == 0 && clock == ${clock}) now->tv_sec += *jump();
  return failed;
}
extern "C" int gettimeofday(struct timeval* now, void*) noexcept {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
`;

export type JumpedClock = 'CLOCK_BOOTTIME' | 'CLOCK_REALTIME';

export class JumpingClock {
  readonly #library: string;
  readonly #file: string;
  #seconds = 0n;

  constructor(lab: Lab, clock: JumpedClock = 'CLOCK_BOOTTIME') {
    requireTools({ 'g++': 'g++' });
    const source = join(lab.folder, 'shim.cc');
    this.#library = join(lab.folder, 'shim.so');
    this.#file = join(lab.folder, 'jump');
    writeFileSync(source, SHIM(clock));
    execFileSync('g++', ['-O1', '-shared', '-fPIC', '-o', this.#library, source]);
    writeFileSync(this.#file, new Uint8Array(8));
  }

  /**
   * The words before a heddle command, for a daemon that goes by this clock. Node runs it in place
   * of the launcher, which lets nobody put a library before the others.
   */
  get through(): readonly string[] {
    const settings = [`JUMP_FILE=${this.#file}`, `LD_PRELOAD=${this.#library}`];
    const command = ['env', ...settings, process.execPath, '--no-warnings', MAIN];
    return ['sh', '-c', `shift; exec ${command.join(' ')} "$@"`, 'sh'];
  }

  /** For all daemons that go by it. */
  jump(seconds: bigint): void {
    this.#seconds += seconds;
    const file = openSync(this.#file, 'r+');
    writeSync(file, BigInt64Array.of(this.#seconds), 0, 8, 0);
    closeSync(file);
  }
}
