import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest } from '../../src/daemon/nearest.js';

const test = suite('daemon/nearest');

const KNOWN = ['interface', 'listenPort', 'mtu', 'peers', 'publicKey', 'privateKey'];

const ROWS: readonly (readonly [string, string | undefined, string])[] = [
  ['listenport', 'listenPort', 'case alone'],
  ['lisenPort', 'listenPort', 'a letter is missing'],
  ['interfaces', 'interface', 'a letter too many'],
  ['mut', 'mtu', 'neighbours swapped'],
  ['pubicKey', 'publicKey', 'nearer than privateKey'],
  ['peer', 'peers', 'singular'],
  ['zebra', undefined, 'nothing near'],
  ['', undefined, 'no letters at all'],
  ['x'.repeat(100_000), undefined, 'a long word costs no more than a short one'],
];

for (const [word, expected, reason] of ROWS) {
  test(`nearest: ${reason}`, () => assert.is(nearest(word, KNOWN), expected));
}

test.run();
