import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  endOf,
  isAbout,
  isIdentityKind,
  parseIdentityBody,
} from '../../src/identity/identity_body.js';
import {
  ADMIN,
  certificate,
  delegation,
  FOUNDER,
  invitation,
  later,
  MEMBER,
  network,
  NEXT_ROOT,
  revocation,
  ROOT,
  rootChange,
  said,
  STRANGER,
} from '../support/identity_scene.js';

const test = suite('identity/identity_body');
const RECORDS = [
  network(ROOT),
  delegation(ADMIN, FOUNDER),
  certificate(MEMBER),
  revocation(MEMBER),
  invitation('00000000000000e1'),
  rootChange(ROOT, NEXT_ROOT),
];

test('identity body: each kind is parsed as its own, and others are none', () => {
  for (const record of RECORDS) {
    assert.ok(isIdentityKind(record.kind));
    assert.is(parseIdentityBody(record)?.kind, record.kind);
    const { kind } = record;
    assert.is(parseIdentityBody({ kind, body: Uint8Array.of(9) }), undefined);
  }
  assert.not(isIdentityKind('lease'));
  assert.is(parseIdentityBody(said(MEMBER)), undefined);
});

test('identity body: a record is about whom its body names, whatever its key says', () => {
  for (const record of RECORDS) {
    const body = parseIdentityBody(record);
    if (!body) return assert.unreachable();
    assert.ok(isAbout(body, record.key), record.kind);
    const isBound = ['delegation', 'certificate', 'revocation'].includes(record.kind);
    assert.is(isAbout(body, STRANGER.id), !isBound, record.kind);
  }
});

test('identity body: what ends says when; a delegation is held for what it revoked', () => {
  const ends = RECORDS.map((record) => {
    const body = parseIdentityBody(record);
    return body && endOf(body);
  });
  assert.equal(ends, [undefined, later(480), later(90), later(120), later(1), undefined]);
});

test.run();
