/** Configuration texts judged: what comes of them, or the faults as the operator reads them. */

import { ConfigError } from '../../src/daemon/config_fault.js';
import { parseConfig } from '../../src/daemon/config_file.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { Config } from '../../src/node/config.js';

export const CRYPTO = new SodiumSuite();
export const FILE = '/etc/heddle/heddle.yaml';
/** Canaries: no message may show them. */
export const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
export const OTHER_SECRET = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=';
/** Public keys. */
export const PEER = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
export const PEER2 = 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=';
export const KEY = `privateKey: ${SECRET}\n`;

export function parse(text: string, mode = 0o600): Config {
  return parseConfig({ file: FILE, bytes: new TextEncoder().encode(text), mode }, CRYPTO);
}

/** The faults without the file's name. */
export function faultsOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${FILE}:`, '');
  }
  return 'no fault';
}
