/**
 * The key of the built-in configuration: made once in the state folder and kept. What is there is
 * never replaced: others know this host by its public key, so a private key that is damaged or gone
 * is an identity that only its owner may give up. The public key stands beside it, since a private
 * key with one wrong bit is a private key, too, of a host that nobody knows.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { wipe } from '../base/bytes.js';
import type { Random } from '../base/random.js';
import { formatKey, generatePrivateKey, parseSecretKey } from '../crypto/keys.js';
import { createPrivateFile, quote, readFile, readPrivateFile } from '../io/files.js';
import { ConfigError } from './config_fault.js';
import type { KeyDerivation } from './config_reader.js';

const KEY_FILE_LIMIT = 4096;

export interface KeptKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly file: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

/** Reads the key in the folder, or makes it. Throws ConfigError, or FileError. */
export function keepKey(folder: string, crypto: KeyDerivation, random: Random): KeptKey {
  const [file, publicFile] = [join(folder, 'private.key'), join(folder, 'public.key')];
  if (fs.existsSync(publicFile) && !fs.existsSync(file)) {
    throw lost(file, 'is gone', `restore it, or remove ${quote(publicFile)}`);
  }
  const isNew = makeKey(file, random);
  const text = readPrivateFile(file, KEY_FILE_LIMIT);
  const privateKey = parseSecretKey(new TextDecoder().decode(text).trim());
  wipe(text);
  if (!privateKey) {
    const advice = `restore it, or remove it and ${quote(publicFile)}`;
    throw lost(file, 'does not hold a key of 32 bytes in base64', advice);
  }
  const publicKey = crypto.publicKey(privateKey);
  if (!isPublicKey(publicKey, publicFile)) {
    wipe(privateKey);
    const advice = `restore what is damaged, or remove ${quote(publicFile)}`;
    throw lost(file, `is not the private key of "${publicFile}"`, advice);
  }
  return { privateKey, publicKey, file, isNew };
}

/** False when there is a file already. */
function makeKey(file: string, random: Random): boolean {
  if (fs.existsSync(file)) return false;
  const key = generatePrivateKey(random);
  const text = new TextEncoder().encode(`${formatKey(key)}\n`);
  wipe(key);
  const isNew = createPrivateFile(file, text);
  wipe(text);
  return isNew;
}

/** Whether the file holds the key; it is written where it is not there. */
function isPublicKey(key: Uint8Array, file: string): boolean {
  const text = formatKey(key);
  if (!fs.existsSync(file)) createPrivateFile(file, new TextEncoder().encode(`${text}\n`));
  return new TextDecoder().decode(readFile(file, KEY_FILE_LIMIT).bytes).trim() === text;
}

function lost(file: string, found: string, advice: string): ConfigError {
  const message = `"${file}" ${found}; ${advice} to get a new identity`;
  return new ConfigError(file, [{ line: 0, column: 0, message }]);
}
