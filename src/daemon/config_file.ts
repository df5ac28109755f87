/**
 * The configuration file: from its bytes to a Config, or to every fault in it at once. Three
 * passes, each only when the one before found nothing that blinds it: YAML (config_document.ts),
 * the shape (config_schema.ts), and what depends on more than one key (config_reader.ts).
 */

import { wipe } from '../base/bytes.js';
import { FileError, readFile } from '../io/files.js';
import type { Config } from '../node/config.js';
import { ConfigDocument } from './config_document.js';
import { ConfigError } from './config_fault.js';
import { ConfigReader, type KeyDerivation } from './config_reader.js';
import { CONFIG_SCHEMA } from './config_schema.js';
import { type ConfigPlace, judgeMode } from './config_secrets.js';
import { FaultList } from './fault_list.js';

/** Room for 2^16 peers with a few prefixes each; a file beyond it is something else. */
export const CONFIG_LIMIT = 8 * 1024 * 1024;

/** Reads and judges the file. Throws ConfigError with every fault. */
export function readConfigFile(file: string, crypto: KeyDerivation): Config {
  try {
    const source = { file, ...readFile(file, CONFIG_LIMIT) };
    try {
      return parseConfig(source, crypto);
    } finally {
      wipe(source.bytes);
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError(file, [{ line: 0, column: 0, message: error.message }], error);
  }
}

export interface ConfigSource extends ConfigPlace {
  readonly bytes: Uint8Array;
}

/** Judges a configuration that was read. Throws ConfigError with every fault. */
export function parseConfig(source: ConfigSource, crypto: KeyDerivation): Config {
  const document = new ConfigDocument(source.bytes);
  if (document.faults.length > 0) throw new ConfigError(source.file, document.faults);
  const faults = new FaultList(document);
  judgeMode(source, document.value, faults);
  const parsed = CONFIG_SCHEMA.safeParse(document.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) faults.addIssue(issue);
    throw new ConfigError(source.file, faults.list);
  }
  const config = new ConfigReader(source, faults, crypto).read(parsed.data);
  if (config && faults.list.length === 0) return config;
  throw new ConfigError(source.file, faults.list);
}
