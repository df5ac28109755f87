import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfigFile } from '../../src/daemon/config_file.js';
import {
  CRYPTO,
  FILE,
  faultsOf,
  KEY,
  OTHER_SECRET,
  PEER,
  parse,
  SECRET,
} from '../support/config_text.js';

const test = suite('daemon/config_secrets');

test('secrets: a file that others may read is refused with the command that mends it', () => {
  const advice = `run: chmod 600 ${FILE}`;
  const found = 'a secret stands in a file of mode 0640 that others may read';
  assert.is(
    faultsOf(() => parse(KEY, 0o640)),
    `1:1: privateKey: ${found}; ${advice}`,
  );
  const shared = `peers: [{publicKey: ${PEER}, presharedKey: ${OTHER_SECRET}}]\n`;
  assert.match(
    faultsOf(() => parse(shared, 0o604)),
    /^1:67: peers\[0\]\.presharedKey: a secret/m,
  );
  assert.is(parse(KEY, 0o400).interface, 'heddle0');
});

test('files: a key in its own file is found beside the configuration, and must be private', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const file = join(folder, 'heddle.yaml');
  fs.writeFileSync(file, 'privateKeyFile: own.key\n', { mode: 0o644 });
  const key = join(folder, 'own.key');
  fs.writeFileSync(key, `${SECRET}\n`, { mode: 0o600 });
  assert.is(readConfigFile(file, CRYPTO).interface, 'heddle0');
  fs.chmodSync(key, 0o644);
  const read = () => readConfigFile(file, CRYPTO);
  assert.match(faultsOf(read), /own\.key": its mode is 0644, so others may read .* chmod 600 /);
  fs.writeFileSync(key, 'not a key');
  fs.chmodSync(key, 0o600);
  assert.match(faultsOf(read), /own\.key" does not hold a key, expected one line with 32 bytes/);
  fs.rmSync(folder, { recursive: true });
});

test('files: a secret stands in one place', () => {
  const text = `${KEY}privateKeyFile: own.key\n`;
  assert.is(
    faultsOf(() => parse(text)),
    '2:1: privateKeyFile: privateKey is given too; keep one',
  );
});

test.run();
