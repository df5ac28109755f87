import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect } from '../../src/cli/mesh_words.js';
import { heddle } from '../support/heddle.js';

const test = suite('cli/mesh_words');

test('mesh words: an option that is repeated is a list', () => {
  assert.equal(collect('b', collect('a')), ['a', 'b']);
});

test('mesh words: each command says what it does', async () => {
  const { out } = await heddle('/nonexistent', ['--help']);
  for (const word of [
    'invite',
    'invitations',
    'members',
    'addresses',
    'revoke',
    'leave',
    'rotate',
  ]) {
    assert.match(out, new RegExp(`^  ${word}\\b.{10,}`, 'm'));
  }
  const invite = await heddle('/nonexistent', ['invite', '--help']);
  for (const word of ['--ttl', '--uses', '--name', '--groups', '--admin', '--announce']) {
    assert.ok(invite.out.includes(word), word);
  }
});

test.run();
