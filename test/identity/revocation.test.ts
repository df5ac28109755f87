import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { emitRevocation, parseRevocation } from '../../src/identity/revocation.js';
import { revocationBody } from '../support/identity_samples.js';
import { later, MEMBER } from '../support/identity_scene.js';
import { changed, checkBody } from '../support/record_body.js';

const test = suite('identity/revocation');
const BODY = emitRevocation({
  identityKey: MEMBER.publicKey,
  staticKeys: [new Uint8Array(32).fill(1)],
  keepUntil: later(1),
  fate: 'void',
});

test('revocation: random bodies come back, and parts of them are nothing', () => {
  checkBody('revocation', { make: revocationBody, parse: parseRevocation, emit: emitRevocation });
});

test('revocation: it is about the owner of the key, whatever else was said', () => {
  assert.is(parseRevocation(BODY)?.subject, nodeIdOf(MEMBER.publicKey));
});

test('revocation: fates and counts beyond those that there are, are refused', () => {
  for (const fate of [0, 3, 0xff]) {
    assert.is(parseRevocation(changed(BODY, 40, fate)), undefined, `fate ${fate}`);
  }
  assert.is(parseRevocation(changed(BODY, 41, 200)), undefined, 'two hundred keys');
});

test.run();
