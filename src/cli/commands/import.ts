/** `heddle import`: a wg-quick file in, heddle's configuration out, and a word on each loss. */

import { basename, resolve } from 'node:path';
import { wipe } from '../../base/bytes.js';
import { ConfigError } from '../../daemon/config_fault.js';
import { CONFIG_LIMIT, parseConfig } from '../../daemon/config_file.js';
import { wipeSecrets } from '../../daemon/secrets.js';
import type { LineFault } from '../../daemon/wg_quick.js';
import { importWgQuick } from '../../daemon/wg_quick_import.js';
import { createPrivateFile, FileError, readFile, replacePrivateFile } from '../../io/files.js';
import { SodiumSuite } from '../../io/sodium.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { harmless } from '../table.js';

const PRIVATE_MODE = 0o600;

export interface ImportOptions {
  /** Where to write; absent: standard output. */
  readonly output?: string;
  /** Replace what is there. */
  readonly force?: true;
}

export function importFile(file: string, options: ImportOptions): ExitCode {
  const suite = new SodiumSuite();
  const imported = importWgQuick(readText(file), basename(file), suite);
  if (imported.kind === 'faulty') {
    tell(file, imported.faults);
    return EXIT.failed;
  }
  const bytes = new TextEncoder().encode(imported.yaml);
  const output = options.output === undefined ? undefined : resolve(options.output);
  try {
    const source = { file: output ?? resolve(file), bytes, mode: PRIVATE_MODE };
    wipeSecrets(parseConfig(source, suite));
    tell(file, imported.notes);
    if (output === undefined) process.stdout.write(imported.yaml);
    else write(output, bytes, options.force === true);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof FileError)) throw error;
    const why =
      error instanceof ConfigError ? `the result has faults: ${error.message}` : error.message;
    throw new CommandError(EXIT.failed, why);
  } finally {
    wipe(bytes);
  }
}

function readText(file: string): string {
  try {
    const { bytes } = readFile(file, CONFIG_LIMIT);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    wipe(bytes);
    return text;
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(EXIT.failed, error.message);
    if (!(error instanceof TypeError)) throw error;
    throw new CommandError(EXIT.failed, `Cannot import "${file}": it is not UTF-8 text`);
  }
}

function write(path: string, bytes: Uint8Array, force: boolean): void {
  if (force) replacePrivateFile(path, bytes);
  else if (!createPrivateFile(path, bytes)) {
    throw new FileError('EEXIST', `"${path}" is there already; give --force to replace it`);
  }
  process.stderr.write(`heddle: wrote ${path}; try it with \`heddle check ${path}\`\n`);
}

function tell(file: string, lines: readonly LineFault[]): void {
  for (const { line, message } of lines) {
    process.stderr.write(`${harmless(`${file}:${line}: ${message}`)}\n`);
  }
}
