/**
 * The newest rivals to be had. Debian's sid and bookworm-backports have newer packages than the
 * release; they are fetched by apt-get with a configuration of its own, unpacked into a folder of
 * the benchmark, and never installed. A second run finds them there. Where the archive is out of
 * reach, what is installed must do.
 */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { findProgram, installedVersion } from './programs.js';

/** Newest first: a package made for a newer release may not run here, and then the next does. */
const SUITES = ['sid', 'bookworm-backports'] as const;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const APT_LIMIT_MS = 180_000;
const LOOK_AGAIN_MS = 7 * 24 * 3600 * 1000;

/** Packages and the program in each that must run. */
export const RIVALS = { 'wireguard-go': ['--version'], nebula: ['-version'] } as const;
export type RivalName = keyof typeof RIVALS;

export interface Rival {
  readonly name: RivalName;
  /** Of the package: `0.0.20260522-1`. */
  readonly version: string;
  /** `sid`, `bookworm-backports` or `installed`. */
  readonly source: string;
  /** The path of a program of the package. */
  readonly program: (name: string) => string;
}

interface Asked {
  /** Where packages are kept. */
  readonly folder: string;
  readonly mirror: string;
  readonly isOffline: boolean;
  readonly say: (line: string) => void;
}

export interface Rivals {
  readonly found: ReadonlyMap<RivalName, Rival>;
  readonly remarks: readonly string[];
}

export function findRivals(asked: Asked): Rivals {
  const remarks = asked.isOffline ? [] : fetchPackages(asked);
  const found = new Map<RivalName, Rival>();
  for (const name of rivalNames()) {
    const rival = newestOf(asked.folder, name) ?? installed(name);
    if (rival !== undefined) found.set(name, rival);
    else remarks.push(`${name} was left out: it is not here; apt-get install -y ${name}`);
  }
  return { found, remarks };
}

function rivalNames(): RivalName[] {
  return ['wireguard-go', 'nebula'];
}

/** Downloads what is not there; remarks on what could not be had. */
function fetchPackages({ folder, mirror, say }: Asked): string[] {
  const apt = join(resolve(folder), 'apt');
  const stamp = join(apt, 'stamp');
  if (existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < LOOK_AGAIN_MS) return [];
  if (findProgram('apt-get') === undefined || findProgram('dpkg-deb') === undefined) {
    return ['newer rivals were not looked for: there is no apt-get here'];
  }
  say(`looking for the newest rivals in ${SUITES.join(' and ')}; they are not installed`);
  const options = prepareApt(apt, mirror);
  try {
    runApt(apt, [...options, 'update']);
    for (const suite of SUITES) for (const name of rivalNames()) fetchOne(folder, suite, name);
    writeFileSync(stamp, '');
    return [];
  } catch (error) {
    const why = error instanceof Error ? lastLine(error.message) : String(error);
    return [`newer rivals could not be fetched from ${mirror}: ${why}`];
  }

  function fetchOne(into: string, suite: string, name: string): void {
    const place = packageFolder(into, suite, name);
    const archives = join(apt, 'archives', suite);
    mkdirSync(archives, { recursive: true });
    try {
      runApt(archives, [...options, 'download', `${name}/${suite}`]);
    } catch {
      return; // The suite has no such package, or not for this kind of processor.
    }
    const archive = readdirSync(archives).find((file) => file.startsWith(`${name}_`));
    if (archive === undefined) return;
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    const path = join(archives, archive);
    execFileSync('dpkg-deb', ['-x', path, place], { stdio: 'pipe' });
    const version = execFileSync('dpkg-deb', ['-f', path, 'Version'], { encoding: 'utf8' });
    writeFileSync(join(place, 'VERSION'), version.trim());
    rmSync(path);
  }
}

/** A configuration that touches nothing of this host's own; its options. */
function prepareApt(folder: string, mirror: string): string[] {
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const trust = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = SUITES.map((suite) => `deb ${trust}${mirror} ${suite} main\n`);
  writeFileSync(join(folder, 'sources.list'), lines.join(''));
  writeFileSync(join(folder, 'status'), '');
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, 'sources.list')}`,
    `Dir::Etc::sourceparts=${join(folder, 'parts')}`,
    `Dir::State=${join(folder, 'state')}`,
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=15',
    'APT::Sandbox::User=root',
  ];
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])];
}

function runApt(folder: string, words: readonly string[]): void {
  const options = { cwd: folder, stdio: 'pipe', timeout: APT_LIMIT_MS } as const;
  execFileSync('apt-get', [...words], options);
}

function packageFolder(folder: string, suite: string, name: string): string {
  return join(resolve(folder), suite, name);
}

/** The newest unpacked one that runs here. */
function newestOf(folder: string, name: RivalName): Rival | undefined {
  for (const source of SUITES) {
    const place = packageFolder(folder, source, name);
    const program = (of: string): string => join(place, 'usr/bin', of);
    if (!existsSync(join(place, 'VERSION')) || !runs(program(name), RIVALS[name])) continue;
    const version = readFileSync(join(place, 'VERSION'), 'utf8');
    return { name, version, source, program };
  }
  return undefined;
}

function installed(name: RivalName): Rival | undefined {
  const path = findProgram(name);
  if (path === undefined) return undefined;
  const version = installedVersion(name) ?? 'of unknown version';
  const program = (of: string): string => (of === name ? path : (findProgram(of) ?? of));
  return { name, version, source: 'installed', program };
}

function runs(program: string, words: readonly string[]): boolean {
  try {
    execFileSync(program, [...words], { stdio: 'pipe', timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

/** wireguard-go learned its offloads then; an older one is no measure. */
const OFFLOADS_SINCE = 20231201;

/** Whether a wireguard-go of this version, `0.0.YYYYMMDD-N`, has offloads. */
export function hasOffloads(version: string): boolean {
  return Number(/^0\.0\.(\d{8})/.exec(version)?.[1] ?? 0) >= OFFLOADS_SINCE;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
