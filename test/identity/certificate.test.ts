import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emitCertificate, parseCertificate } from '../../src/identity/certificate.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { certificateBody } from '../support/identity_samples.js';
import { certificateFields, later, MEMBER, NOW, prefix } from '../support/identity_scene.js';
import { changed, checkBody } from '../support/record_body.js';

const test = suite('identity/certificate');
const FIELDS = certificateFields(MEMBER);
const FLAGS_AT = 32 + 3 * 8;

test('certificate: random bodies come back, and parts of them are nothing', () => {
  checkBody('certificate', {
    make: certificateBody,
    parse: parseCertificate,
    emit: emitCertificate,
  });
});

test('certificate: the member follows from the key', () => {
  const parsed = parseCertificate(emitCertificate(FIELDS));
  assert.is(parsed?.member, nodeIdOf(MEMBER.publicKey));
});

test('certificate: what contradicts itself is refused', () => {
  for (const [why, fields] of [
    ['it ends before it begins', { notAfter: NOW, notBefore: later(1) }],
    ['a default route without the flag', { prefixes: [prefix('0.0.0.0/0')] }],
    ['a name that a terminal would obey', { name: '\u001b[2J' }],
    ['no name', { name: '' }],
  ] as const) {
    assert.is(parseCertificate(emitCertificate({ ...FIELDS, ...fields })), undefined, why);
  }
  const body = emitCertificate(FIELDS);
  for (const flags of [2, 0x80, 0xff]) {
    assert.is(parseCertificate(changed(body, FLAGS_AT, flags)), undefined, `flags ${flags}`);
  }
});

test('certificate: a default route stands where it is allowed', () => {
  const prefixes = [prefix('0.0.0.0/0')];
  const parsed = parseCertificate(
    emitCertificate({ ...FIELDS, prefixes, mayAnnounceDefault: true }),
  );
  assert.equal(
    parsed?.prefixes.map(({ text }) => text),
    ['0.0.0.0/0'],
  );
});

test.run();
