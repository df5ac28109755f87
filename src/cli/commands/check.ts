/** `heddle check`: the faults of a configuration file, or a line that says there are none. */

import { resolve } from 'node:path';
import { wipe } from '../../base/bytes.js';
import { ConfigError } from '../../daemon/config_fault.js';
import { readConfigFile } from '../../daemon/config_file.js';
import { SodiumSuite } from '../../io/sodium.js';
import { EXIT, type ExitCode } from '../exit.js';

export function check(file: string, json: boolean): ExitCode {
  const path = resolve(file);
  try {
    const config = readConfigFile(path, new SodiumSuite());
    wipe(config.privateKey);
    const length = config.peers.length + config.clearPeers.length;
    const summary = `interface ${config.interface}, ${length} peer${length === 1 ? '' : 's'}`;
    const result = { schemaVersion: 1, file: path, valid: true, faults: [] };
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${path}: no faults: ${summary}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const result = { schemaVersion: 1, file: path, valid: false, faults: error.faults };
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stderr.write(`${error.message}\n`);
    return EXIT.failed;
  }
}
