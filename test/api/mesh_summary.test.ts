import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meshSummary, meshWarnings } from '../../src/api/mesh_summary.js';
import { memberSnapshot, meshSnapshot } from '../support/mesh_document.js';

const test = suite('api/mesh_summary');

test('mesh summary: members are counted by status', () => {
  const statuses = ['alive', 'failed', 'alive', 'revoked'] as const;
  const members = statuses.map((status) => memberSnapshot({ status }));
  assert.equal(meshSummary(meshSnapshot({ members })), {
    phase: 'member',
    network: 'home',
    waiting: null,
    members: { alive: 2, failed: 1, revoked: 1 },
  });
  assert.is(meshSummary(undefined), null);
});

test('mesh summary: a member is warned of what the mesh says, and of nothing else', () => {
  assert.equal(meshWarnings(undefined), []);
  assert.equal(meshWarnings(meshSnapshot()), []);
  const [warning, ...others] = meshWarnings(meshSnapshot({ warnings: ['The disk is full'] }));
  assert.equal(others, []);
  assert.is(warning?.code, 'mesh');
  assert.is(warning?.text, 'The disk is full');
});

test('mesh summary: who is no member is told why, and what to do', () => {
  for (const [changes, text, fix] of [
    [{ phase: 'joining', waiting: 'an admin' }, 'waits for an admin', 'by itself'],
    [{ phase: 'joining', waiting: 'nothing more', isRefused: true }, 'nothing more', '--join'],
    [{ phase: 'left', waiting: 'This host was revoked' }, 'was revoked', '--new-identity'],
    [{ phase: 'none' }, 'neither founded nor joined', '--join'],
  ] as const) {
    const [warning, ...others] = meshWarnings(meshSnapshot(changes));
    assert.equal(others, []);
    assert.is(warning?.code, 'not_a_member');
    assert.match(warning?.text ?? '', text);
    assert.match(warning?.fix ?? '', fix);
  }
});

test.run();
