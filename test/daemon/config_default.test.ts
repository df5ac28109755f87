import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64 } from '../../src/base/bytes.js';
import { defaultConfig, firstPeerAdvice, overlayAddress } from '../../src/daemon/config_default.js';
import { SystemRandom } from '../../src/io/entropy.js';
import { SodiumSuite } from '../../src/io/sodium.js';

const test = suite<{ folder: string }>('daemon/config_default');

const CRYPTO = new SodiumSuite();
const RANDOM = new SystemRandom();

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('key: is the one that is kept in the folder', ({ folder }) => {
  const first = defaultConfig(folder, CRYPTO, RANDOM);
  const again = defaultConfig(folder, CRYPTO, RANDOM);
  assert.equal([first.isNewKey, again.isNewKey], [true, false]);
  assert.is(toBase64(again.config.privateKey), toBase64(first.config.privateKey));
  assert.is(first.keyFile, join(folder, 'private.key'));
});

test('address: follows from the key, in one network for all', () => {
  const address = overlayAddress(Uint8Array.from({ length: 32 }, (_, i) => i + 1));
  assert.is(address.text, 'fd68:6564:646c:0:102:304:506:708/64');
});

test('advice: tells the first peer’s values and no secret', ({ folder }) => {
  const built = defaultConfig(folder, CRYPTO, RANDOM);
  const advice = firstPeerAdvice(built);
  assert.match(advice, toBase64(built.publicKey));
  assert.match(advice, built.config.addresses[0]?.address.text ?? 'absent');
  assert.not.match(advice, toBase64(built.config.privateKey));
});

test.run();
