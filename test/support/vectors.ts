/**
 * Reads test vectors: the project's own, and the larger collections beside the project, if there.
 */

import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex } from '../../src/base/bytes.js';
import { skip } from './skip.js';

/** This file runs three folders below the project. */
const PROJECT = new URL('../../../', import.meta.url);

/** The text of `test/vectors/NAME`. */
export function readVectors(name: string): string {
  return fs.readFileSync(fileURLToPath(new URL(`test/vectors/${name}`, PROJECT)), 'utf8');
}

/** The text of `../shared/vectors/NAME`; the test counts as skipped when it is not there. */
export function readSharedVectors(name: string): string {
  const path = fileURLToPath(new URL(`../shared/vectors/${name}`, PROJECT));
  if (!fs.existsSync(path)) skip(`needs the vectors "../shared/vectors/${name}"`);
  return fs.readFileSync(path, 'utf8');
}

/** The bytes that a vector spells. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (!bytes) throw new Error(`Read a vector: "${text}" is not hexadecimal`);
  return bytes;
}
