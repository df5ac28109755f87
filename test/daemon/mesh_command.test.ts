import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seconds } from '../../src/base/time.js';
import { parseMeshCommand } from '../../src/daemon/mesh_command.js';

const test = suite('daemon/mesh_command');
const INVITE = {
  kind: 'invite',
  ttlSeconds: 3_600,
  uses: 2,
  groups: ['web'],
  isAdmin: false,
  prefixes: ['10.20.0.0/16'],
};

function parse(value: unknown) {
  return parseMeshCommand(new TextEncoder().encode(JSON.stringify(value)));
}

test('mesh command: each of them is taken as it is', () => {
  const { ttlSeconds, ...rest } = INVITE;
  const invited = { ...rest, name: undefined, ttl: seconds(ttlSeconds) };
  assert.equal(parse(INVITE), { kind: 'command', command: invited });
  for (const command of [
    { kind: 'revoke', member: 'beta' },
    { kind: 'revokeInvitation', invitation: 'e1' },
    { kind: 'leave' },
    { kind: 'rotate', what: 'root' },
    { kind: 'exportRoot' },
  ]) {
    assert.equal(parse(command), { kind: 'command', command });
  }
});

test('mesh command: what is none is refused, and told by its field', () => {
  for (const [value, field] of [
    [{ ...INVITE, uses: 0 }, 'uses'],
    [{ ...INVITE, uses: 17 }, 'uses'],
    [{ ...INVITE, uses: 1.5 }, 'uses'],
    [{ ...INVITE, ttlSeconds: 59 }, 'ttlSeconds'],
    [{ ...INVITE, ttlSeconds: 2 ** 53 }, 'ttlSeconds'],
    [{ ...INVITE, name: 'a b' }, 'name'],
    [{ ...INVITE, name: '\u001b[2J' }, 'name'],
    [{ ...INVITE, groups: Array(17).fill('g') }, 'groups'],
    [{ kind: 'rotate', what: 'all' }, 'what'],
    [{ kind: 'revoke', member: 'x'.repeat(257) }, 'member'],
  ] as const) {
    const parsed = parse(value);
    assert.is(parsed.kind, 'fault', JSON.stringify(value));
    assert.match(parsed.kind === 'fault' ? parsed.message : '', new RegExp(`^${field}`));
  }
  for (const value of [null, 7, [], {}, { kind: 'leave', now: true }, { kind: 'nothing' }]) {
    assert.is(parse(value).kind, 'fault', JSON.stringify(value));
  }
  assert.is(parseMeshCommand(Uint8Array.of(0xff, 0x7b)).kind, 'fault');
});

test.run();
