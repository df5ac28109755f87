import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { invitationKey } from '../../src/identity/invitation_key.js';

const test = suite('identity/invitation_key');

test('invitation key: each use of each seed has its own, the same on both ends', () => {
  const seeds = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  const keys = seeds.flatMap((seed) =>
    Array.from({ length: 16 }, (_, use) => toHex(invitationKey(seed, use))),
  );
  assert.is(new Set(keys).size, 32);
  const again = seeds.flatMap((seed) => toHex(invitationKey(seed, 0)));
  assert.equal(again, [keys[0], keys[16]]);
});

test('invitation key: it is clamped as RFC 7748 §5 asks', () => {
  const key = invitationKey(new Uint8Array(16).fill(0xff), 3);
  assert.is((key[0] ?? 0) & 7, 0);
  assert.is((key[31] ?? 0) & 0xc0, 0x40);
});

test.run();
