/** The commands of the mesh, as programs, against a daemon that answers what the test says. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import type { MeshAnswer } from '../../../src/mesh/command.js';
import { type FakeDaemon, fakeDaemon } from '../../support/fake_daemon.js';
import { type CommandResult, heddle } from '../../support/heddle.js';
import { invitationSnapshot, meshDocumentOf } from '../../support/mesh_document.js';
import { statusSource } from '../../support/status.js';

const test = suite('cli/commands/mesh');
const DONE: MeshAnswer = { ok: true, result: { kind: 'done', text: 'beta is revoked' } };
const LINE = 'heddle1secretline';
const INVITED: MeshAnswer = {
  ok: true,
  result: { kind: 'invited', line: LINE, id: '00000000000000e1', expires: 1_795_392_000 },
};

async function run(
  answer: MeshAnswer,
  words: readonly string[],
): Promise<CommandResult & { commands: unknown[] }> {
  const document = meshDocumentOf({ invitations: [invitationSnapshot()] });
  const daemon: FakeDaemon = await fakeDaemon(statusDocument(statusSource()), undefined, {
    document,
    answer,
  });
  try {
    return { ...(await heddle(daemon.folder, words)), commands: daemon.commands };
  } finally {
    await daemon.close();
  }
}

test('invite: the line alone is on standard output; what to do with it stands beside', async () => {
  const { code, out, err, commands } = await run(INVITED, ['invite', '--ttl', '2h']);
  assert.is(code, EXIT.ok);
  assert.is(out, `${LINE}\n`);
  assert.match(err, 'heddle up --join');
  assert.match(err, '2026-11-23 00:00 UTC');
  assert.not.match(err, LINE);
  assert.equal(commands, [
    { kind: 'invite', ttlSeconds: 7_200, uses: 1, groups: [], isAdmin: false, prefixes: [] },
  ]);
});

test('invite: every word reaches the daemon', async () => {
  const words = ['--uses', '4', '--name', 'edge', '--groups', 'web, db', '--admin'];
  const announce = ['--announce', '10.20.0.0/16', '--announce', '10.30.0.0/16'];
  const { commands } = await run(INVITED, ['invite', ...words, ...announce, '--json']);
  assert.equal(commands, [
    {
      kind: 'invite',
      ttlSeconds: 86_400,
      uses: 4,
      name: 'edge',
      groups: ['web', 'db'],
      isAdmin: true,
      prefixes: ['10.20.0.0/16', '10.30.0.0/16'],
    },
  ]);
});

test('invite: what cannot be meant is told before anybody is asked', async () => {
  for (const words of [
    ['--ttl', 'soon'],
    ['--uses', '17'],
    ['--uses', '0'],
  ]) {
    const { code, err, commands } = await run(INVITED, ['invite', ...words]);
    assert.is(code, EXIT.usage, err);
    assert.equal(commands, []);
  }
});

test('mesh: commands whose answer is a sentence print it', async () => {
  for (const [words, command] of [
    [['revoke', 'beta'], { kind: 'revoke', member: 'beta' }],
    [['leave'], { kind: 'leave' }],
    [['rotate', 'key'], { kind: 'rotate', what: 'key' }],
    [['invitations', 'revoke', 'e1'], { kind: 'revokeInvitation', invitation: 'e1' }],
  ] as const) {
    const { code, out, commands } = await run(DONE, words);
    assert.is(code, EXIT.ok);
    assert.is(out, 'beta is revoked\n');
    assert.equal(commands, [command]);
  }
});

test('mesh: a refusal is told in the words of the daemon', async () => {
  const { code, err } = await run({ ok: false, error: 'No member is called x' }, ['revoke', 'x']);
  assert.is(code, EXIT.failed);
  assert.is(err, 'heddle: No member is called x\n');
});

test('rotate: another word than the three is a fault of usage', async () => {
  const { code, commands } = await run(DONE, ['rotate', 'everything']);
  assert.is(code, EXIT.usage);
  assert.equal(commands, []);
});

test('root export: to standard output, or to a file that nobody else may read', async () => {
  const answer: MeshAnswer = { ok: true, result: { kind: 'root', seed: 'c2VlZA==' } };
  assert.is((await run(answer, ['root', 'export'])).out, 'c2VlZA==\n');
  const folder = fs.mkdtempSync('/tmp/heddle-root-');
  const file = join(folder, 'root');
  try {
    const first = await run(answer, ['root', 'export', '--to', file]);
    assert.is(first.out, '');
    assert.is(fs.readFileSync(file, 'utf8'), 'c2VlZA==\n');
    assert.is(fs.statSync(file).mode & 0o777, 0o600);
    const second = await run(answer, ['root', 'export', '--to', file]);
    assert.is(second.code, EXIT.failed);
    assert.match(second.err, 'is there already');
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('members, addresses, invitations: a screen each, and the document with --json', async () => {
  for (const [words, said] of [
    [['members'], 'alpha *'],
    [['addresses'], '10.86.0.1'],
    [['invitations'], '1 of 2'],
  ] as const) {
    const { code, out } = await run(DONE, words);
    assert.is(code, EXIT.ok);
    assert.ok(out.includes(said), out);
  }
  const { out } = await run(DONE, ['members', '--json']);
  assert.is(JSON.parse(out).network.name, 'home');
});

test('members: a daemon without a mesh says so', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()));
  try {
    const { code, err } = await heddle(daemon.folder, ['members']);
    assert.is(code, EXIT.failed);
    assert.match(err, 'without a mesh');
  } finally {
    await daemon.close();
  }
});

test.run();
