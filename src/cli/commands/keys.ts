/** `heddle keygen`, `pubkey` and `genpsk`: keys on standard input and output, as `wg` has them. */

import * as fs from 'node:fs';
import { wipe } from '../../base/bytes.js';
import {
  formatKey,
  generatePresharedKey,
  generatePrivateKey,
  parseKey,
} from '../../crypto/keys.js';
import { SystemRandom } from '../../io/entropy.js';
import { SodiumSuite } from '../../io/sodium.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';

const STDIN = 0;
const LONGEST_INPUT = 4096;

export function keygen(): ExitCode {
  process.stdout.write(`${formatKey(generatePrivateKey(new SystemRandom()))}\n`);
  return EXIT.ok;
}

export function genpsk(): ExitCode {
  process.stdout.write(`${formatKey(generatePresharedKey(new SystemRandom()))}\n`);
  return EXIT.ok;
}

export function pubkey(): ExitCode {
  const privateKey = parseKey(readInput().trim());
  if (!privateKey) {
    throw new CommandError(
      EXIT.failed,
      'Standard input holds no private key: expected 32 bytes in base64 (44 characters), ' +
        'as in `heddle keygen | heddle pubkey`',
    );
  }
  process.stdout.write(`${formatKey(new SodiumSuite().publicKey(privateKey))}\n`);
  wipe(privateKey);
  return EXIT.ok;
}

function readInput(): string {
  const bytes = Buffer.alloc(LONGEST_INPUT);
  let length = 0;
  while (length < bytes.length) {
    const count = fs.readSync(STDIN, bytes, length, bytes.length - length, null);
    if (count === 0) break;
    length += count;
  }
  const text = bytes.toString('utf8', 0, length);
  bytes.fill(0);
  return text;
}
