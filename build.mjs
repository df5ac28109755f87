/**
 * Brings a clone to where it runs: packages, the addon, the compiled TypeScript. What is current is
 * left alone, so a run without a change takes a fraction of a second.
 *
 *   node build.mjs             build what is missing or out of date
 *   node build.mjs --check     build, then check layout, lint and warnings; nothing is changed
 *   node build.mjs --format    lay out every source
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(fileURLToPath(import.meta.url));
const OLDEST_NODE = [20, 19];
const TOOLS = [
  { command: 'npm', debian: 'npm' },
  { command: 'g++', debian: 'g++' },
  { command: 'make', debian: 'make' },
];
/** Of npm's words on a failure: what went wrong comes first, then its manual. */
const SHOWN_NPM_LINES = 15;
const TYPESCRIPT_FOLDERS = ['src', 'test', 'bench'];
const TYPESCRIPT_STAMP = 'dist/.stamp';
const SHELL_SOURCES = { sh: ['src/cli/heddle'], bash: ['.ci/run'] };
const startedAt = Date.now();

/** What went wrong, said to the person who typed the command. */
class BuildError extends Error {
  name = 'BuildError';
}

async function main(options) {
  process.chdir(ROOT);
  checkNode();
  checkTools();
  await installPackages();
  if (options.has('--format')) return format();
  await bothOrThrow(compileTypescript(), compileNative());
  linkCommand();
  if (options.has('--check')) await check();
}

/** Waits for both, so that one run shows what is wrong in either language. */
async function bothOrThrow(...parts) {
  const results = await Promise.allSettled(parts);
  const reasons = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  const defect = reasons.find((reason) => !(reason instanceof BuildError));
  if (defect !== undefined) throw defect;
  if (reasons.length > 0) throw new BuildError(reasons.map(({ message }) => message).join('\n\n'));
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new BuildError(
    `This is Node.js ${process.versions.node}, and heddle needs ${OLDEST_NODE.join('.')} or newer`,
  );
}

function checkTools() {
  const missing = TOOLS.filter(({ command }) => !isOnPath(command));
  if (missing.length === 0) return;
  const commands = missing.map(({ command }) => command).join(', ');
  const packages = missing.map(({ debian }) => debian).join(' ');
  throw new BuildError(`Missing: ${commands}. On Debian: apt-get install -y ${packages}`);
}

function isOnPath(command) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, command)));
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * `npm ci` when what is installed is not what package-lock.json says. No package's own script is
 * run.
 */
async function installPackages() {
  if (packagesAreCurrent()) return;
  say('installing packages from the npm registry');
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-global'];
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const result = await run('npm', ['ci', ...flags, ...quiet]);
  if (result.code !== 0) {
    const said = result.output.split('\n').slice(0, SHOWN_NPM_LINES).join('\n');
    throw new BuildError(`npm ci failed: is the npm registry reachable?\n${said}`);
  }
}

/** Compares the lock with the record that npm leaves when an installation is complete. */
function packagesAreCurrent() {
  const wanted = readJson('package-lock.json')?.packages;
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (wanted === undefined) throw new BuildError('There is no readable "package-lock.json" here');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function compileTypescript() {
  const sources = TYPESCRIPT_FOLDERS.flatMap((folder) => listFiles(folder, /\.ts$/));
  const stamp = fingerprint([...sources, 'tsconfig.json', 'package-lock.json']);
  if (readText(TYPESCRIPT_STAMP) === stamp) return;
  say('compiling TypeScript');
  const result = await run(binary('tsc'), ['-p', '.']);
  if (result.code !== 0) throw new BuildError(`TypeScript does not compile\n${result.output}`);
  removeStaleOutput(new Set(sources));
  fs.writeFileSync(TYPESCRIPT_STAMP, stamp);
}

/** Names, sizes and times of change. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = fs.statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** The output of a source that is gone would still be found by whoever looks into dist. */
function removeStaleOutput(sources) {
  for (const output of listFiles('dist', /\.js$/)) {
    const source = relative('dist', output).replace(/\.js$/, '.ts');
    if (!sources.has(source)) fs.rmSync(output);
  }
}

async function compileNative() {
  const plan = await run('make', ['-C', 'native', '--question']);
  if (plan.code === 0) return;
  say('compiling the addon');
  const result = await run('make', ['-C', 'native', `-j${availableParallelism()}`]);
  if (result.code !== 0) throw new BuildError(`The addon does not compile\n${result.output}`);
}

/** Makes `npx heddle` in the clone the command of the clone. */
function linkCommand() {
  const link = 'node_modules/.bin/heddle';
  const target = '../../src/cli/heddle';
  fs.chmodSync('src/cli/heddle', 0o755);
  if (readLink(link) === target) return;
  fs.rmSync(link, { force: true });
  fs.symlinkSync(target, link);
}

function readLink(file) {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Every check runs, so that one run shows everything there is to mend. */
async function check() {
  const native = listNativeSources();
  const checks = [
    [
      'TypeScript layout and lint',
      binary('biome'),
      ['ci', '--colors=off', '--diagnostic-level=warn', '--error-on-warnings'],
    ],
    ['C++ layout', binary('clang-format'), ['--dry-run', '-Werror', ...native]],
    ['C++ warnings', 'make', ['-C', 'native', 'lint']],
    ...Object.entries(SHELL_SOURCES).flatMap(([shell, files]) =>
      files.map((file) => [`${shell} syntax of ${file}`, shell, ['-n', file]]),
    ),
  ];
  let failed = 0;
  for (const [name, command, args] of checks) {
    const result = await run(command, args);
    say(`${name}: ${result.code === 0 ? 'ok' : 'FAILED'}`);
    if (result.code === 0) continue;
    process.stderr.write(`${result.output}\n`);
    failed++;
  }
  if (failed > 0) throw new BuildError(`${failed} of ${checks.length} checks failed`);
}

async function format() {
  const native = listNativeSources();
  for (const [command, args] of [
    [binary('biome'), ['format', '--write', '.']],
    [binary('clang-format'), ['-i', ...native]],
  ]) {
    const result = await run(command, args);
    if (result.code !== 0) throw new BuildError(`${command} failed\n${result.output}`);
  }
}

function listNativeSources() {
  const files = ['native', 'bench'].flatMap((folder) => listFiles(folder, /\.(h|cc)$/));
  return files.filter((file) => !file.includes('/build/'));
}

function binary(name) {
  return join('node_modules', '.bin', name);
}

/** Paths below `folder` whose name matches, sorted; none where there is no such folder. */
function listFiles(folder, pattern) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Runs a command to its end without a terminal; resolves with its exit code and all it printed. */
function run(command, args) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) =>
      done({ code: 1, output: `Cannot run "${command}": ${error.code}` }),
    );
    child.on('close', (code) => {
      done({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8').trimEnd() });
    });
  });
}

function say(step) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stderr.write(`[${seconds.padStart(5)} s] ${step}\n`);
}

try {
  await main(new Set(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}
