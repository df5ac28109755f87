import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MeshFiles } from '../../src/daemon/mesh_files.js';
import { emitKeys, type Keys } from '../../src/mesh/keys.js';
import { emitMembersFile } from '../../src/mesh/members_file.js';
import { emitOwnState } from '../../src/mesh/own_state.js';

const test = suite<{ folder: string }>('daemon/mesh_files');
const KEYS: Keys = {
  identity: new Uint8Array(32).fill(1),
  staticKey: new Uint8Array(32).fill(2),
  nextStaticKey: undefined,
  admin: undefined,
  root: undefined,
};
const OWN = { network: undefined, ceiling: 7, stamp: 9, records: [], redeemed: [] };

test.before.each((context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
});
test.after.each((context) => fs.rmSync(context.folder, { recursive: true }));

test('mesh files: what was written is read again, by another process too', ({ folder }) => {
  const files = new MeshFiles(folder);
  const none = { keys: undefined, own: undefined, isOwnLost: false };
  assert.equal(files.read(), { ...none, records: [], remarks: [] });
  files.write('keys', emitKeys(KEYS));
  files.write('own', emitOwnState(OWN));
  files.write('members', emitMembersFile([Uint8Array.of(1, 2), Uint8Array.of(3)]));
  const kept = new MeshFiles(folder).read();
  assert.equal(kept.keys, KEYS);
  assert.equal(kept.own, OWN);
  assert.equal(
    kept.records.map((record) => [...record]),
    [[1, 2], [3]],
  );
  for (const name of ['keys', 'own', 'members']) {
    assert.is(fs.statSync(join(folder, name)).mode & 0o777, 0o600);
  }
});

test('mesh files: damaged members are only a remark, for they are learned again', ({ folder }) => {
  const files = new MeshFiles(folder);
  files.write('keys', emitKeys(KEYS));
  files.write('members', emitMembersFile([Uint8Array.of(1, 2)]));
  fs.writeFileSync(join(folder, 'members'), 'xx', { mode: 0o600 });
  const kept = files.read();
  assert.equal(kept.keys, KEYS);
  assert.equal(kept.records, []);
  assert.is(kept.remarks.length, 1);
});

test('mesh files: keys that are lost are never replaced in silence', ({ folder }) => {
  const files = new MeshFiles(folder);
  files.write('keys', emitKeys(KEYS));
  files.write('own', emitOwnState(OWN));
  fs.rmSync(join(folder, 'keys'));
  assert.throws(() => files.read(), /identity .* is lost: restore it/);
  files.write('keys', emitKeys(KEYS));
  fs.writeFileSync(join(folder, 'keys'), 'xx', { mode: 0o600 });
  assert.throws(() => files.read(), /identity .* is lost/);
});

test('mesh files: what was known of the network and is lost, is no first start', ({ folder }) => {
  const files = new MeshFiles(folder);
  files.write('keys', emitKeys(KEYS));
  assert.not.ok(files.read().isOwnLost);
  files.write('own', Uint8Array.of(1, 2, 3));
  assert.ok(files.read().isOwnLost, 'whole, and nothing that was ever written');
  fs.writeFileSync(join(folder, 'own'), 'xx', { mode: 0o600 });
  for (const start of ['the first', 'the next']) assert.ok(files.read().isOwnLost, start);
});

test('mesh files: of two generations of keys the whole one is taken', ({ folder }) => {
  const files = new MeshFiles(folder);
  files.write('keys', emitKeys(KEYS));
  files.write('keys', emitKeys({ ...KEYS, admin: new Uint8Array(32).fill(3) }));
  fs.truncateSync(join(folder, 'keys'), 20);
  assert.equal(files.read().keys, KEYS);
});

test('mesh files: what is set aside is not read again, and not gone', ({ folder }) => {
  const files = new MeshFiles(folder);
  files.write('keys', emitKeys(KEYS));
  files.setAside();
  assert.is(files.read().keys, undefined);
  assert.ok(fs.existsSync(join(folder, 'keys.left')));
});

test.run();
