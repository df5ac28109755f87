/** Programs the benchmark needs: those of its own are compiled, the others are found. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** As the addon's sources are compiled, warnings included (native/Makefile). */
const FLAGS = ['-std=c++20', '-O2', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra'];
const WARNINGS = ['-Wconversion', '-Wshadow', '-Werror'];

/** Compiles `bench/NAME/NAME.cc` into `folder` where that is out of date; the program's path. */
export function compileProgram(root: string, folder: string, name: string): string {
  const source = join(root, 'bench', name, `${name}.cc`);
  const program = join(folder, name);
  mkdirSync(folder, { recursive: true });
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  execFileSync('g++', [...FLAGS, ...WARNINGS, '-o', program, source], { stdio: 'pipe' });
  return program;
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/local/bin'];

/** The path of an installed program. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What a program that is not there is needed for, and how it is got. */
export function missing(name: string, what: string): string {
  return `${what}: ${name} is not here; apt-get install -y ${name}`;
}

/** The installed version of a Debian package; undefined where it is none. */
export function installedVersion(name: string): string | undefined {
  try {
    const text = execFileSync('dpkg-query', ['-s', name], { encoding: 'utf8', stdio: 'pipe' });
    if (!/^Status: install ok installed$/m.test(text)) return undefined;
    return /^Version: (.+)$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}
