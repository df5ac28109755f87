import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../../src/cli/exit.js';
import { heddle } from '../../support/heddle.js';

const test = suite('cli/commands/keys');
const FOLDER = '/nonexistent';
const KEY_LINE = /^[A-Za-z0-9+/]{43}=\n$/;

test('keygen and genpsk: print a key each, another each time', async () => {
  for (const word of ['keygen', 'genpsk']) {
    const made = await heddle(FOLDER, [word]);
    assert.is(made.code, EXIT.ok);
    assert.match(made.out, KEY_LINE);
    assert.is(made.err, '');
    assert.is.not((await heddle(FOLDER, [word])).out, made.out);
  }
});

test('pubkey: is that of RFC 7748 §6.1', async () => {
  const alice = 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n';
  const derived = await heddle(FOLDER, ['pubkey'], alice);
  assert.is(derived.code, EXIT.ok);
  assert.is(derived.out, 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n');
});

test('pubkey: refuses what is no key without showing it', async () => {
  const secret = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
  for (const input of ['', secret.slice(0, 43), `${secret}x`, 'x'.repeat(100_000)]) {
    const { code, out, err } = await heddle(FOLDER, ['pubkey'], input);
    assert.is(code, EXIT.failed);
    assert.is(out, '');
    assert.match(err, 'Standard input holds no private key');
    assert.not.match(err, /yAnz5TF/);
  }
});

test.run();
