import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meshDocument } from '../../src/api/mesh_status.js';
import { invitationSnapshot, memberSnapshot, meshSnapshot } from '../support/mesh_document.js';

const test = suite('api/mesh_status');

test('mesh document: what is not known is null, and times are RFC 3339', () => {
  const nothing = {
    publicKey: undefined,
    endpoint: undefined,
    subnet: undefined,
    certificateExpires: undefined,
  };
  const members = [memberSnapshot(), memberSnapshot({ name: 'beta', ...nothing })];
  const invitations = [invitationSnapshot({ used: undefined })];
  const document = meshDocument(meshSnapshot({ members, invitations }));
  assert.is(document.members[0]?.certificateExpires, '2026-11-23T00:00:00.000Z');
  for (const key of ['publicKey', 'endpoint', 'subnet', 'certificateExpires'] as const) {
    assert.is(document.members[1]?.[key], null);
  }
  assert.is(document.invitations[0]?.used, null);
  assert.is(document.invitations[0]?.name, null);
  assert.is(document.waiting, null);
  assert.equal(document.sent, { messages: 3, bytes: 400 });
  assert.equal(JSON.parse(JSON.stringify(document)), document, 'it is a JSON value');
});

test('mesh document: a host in no network says what it waits for', () => {
  const document = meshDocument(
    meshSnapshot({ phase: 'none', waiting: 'a join line', network: undefined, members: [] }),
  );
  assert.is(document.network, null);
  assert.is(document.waiting, 'a join line');
});

test.run();
