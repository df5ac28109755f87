/**
 * The coverage-guided fuzzers of native/fuzz, each from its kept corpus, under ASan and UBSan:
 * FUZZ_SECONDS each, 10 where nothing else is said. What a fuzzer finds stays in its folder under
 * native/build/fuzz, and the failure names it; what it finds of new ways goes nowhere (`make -C
 * native fuzzers` and a folder of your own before the corpus to keep it).
 */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../support/skip.js';

const seconds = Number(process.env.FUZZ_SECONDS ?? 10);
const NATIVE = resolve('native');
const BUILD = resolve(NATIVE, 'build/fuzz');
const FUZZERS = fs
  .readdirSync(resolve(NATIVE, 'fuzz'))
  .filter((file) => file.endsWith('_fuzz.cc'))
  .map((file) => basename(file, '_fuzz.cc'));
const BUILD_LIMIT_MS = 600_000;

export const timeLimitSeconds = 660 + 2 * FUZZERS.length * seconds;

const test = suite('native fuzzers');

test('native fuzzers: they are built with clang', () => {
  if (spawnSync('clang++-14', ['--version']).status !== 0) {
    skip('clang is missing: apt-get install clang-14 libclang-rt-14-dev');
  }
  const args = ['-C', NATIVE, `-j${availableParallelism()}`, 'fuzzers'];
  const made = spawnSync('make', args, { encoding: 'utf8', timeout: BUILD_LIMIT_MS });
  assert.is(made.status, 0, made.stderr);
  assert.ok(FUZZERS.length > 0, 'there are fuzzers');
});

for (const name of FUZZERS) {
  test(`native fuzzers: ${name} finds nothing in its time`, () => {
    const program = resolve(BUILD, `${name}_fuzz`);
    if (!fs.existsSync(program)) skip(`${name}_fuzz was not built`);
    const corpus = resolve(NATIVE, 'fuzz/corpus', name);
    assert.ok(fs.readdirSync(corpus).length > 0, 'the corpus is kept');
    const fresh = resolve(BUILD, `${name}_corpus`);
    const found = resolve(BUILD, `${name}_found`);
    fs.rmSync(fresh, { recursive: true, force: true });
    for (const folder of [fresh, found]) fs.mkdirSync(folder, { recursive: true });
    const limits = [`-max_total_time=${seconds}`, '-max_len=4096', '-timeout=10'];
    const places = [`-artifact_prefix=${found}/`, fresh, corpus];
    const { status, stderr } = spawnSync(program, [...limits, ...places], {
      encoding: 'utf8',
      timeout: 1000 * (60 + 2 * seconds),
      maxBuffer: 1 << 28,
    });
    assert.is(status, 0, stderr.slice(-4000));
    assert.match(stderr, /Done \d+ runs/);
  });
}

test.run();
