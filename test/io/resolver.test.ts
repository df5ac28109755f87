import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveHost } from '../../src/io/resolver.js';

const test = suite('io/resolver');

test('resolve: a literal is its own answer', async () => {
  assert.is((await resolveHost('192.0.2.1'))?.text, '192.0.2.1');
  assert.is((await resolveHost('2001:DB8::1'))?.text, '2001:db8::1');
});

test('resolve: a name of this host has an address', async () => {
  const address = await resolveHost('localhost');
  assert.ok(address?.text === '127.0.0.1' || address?.text === '::1');
});

test('resolve: what has no address is undefined, not an error', async () => {
  assert.is(await resolveHost('name with spaces'), undefined);
});

test.run();
