import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { addressesOf } from '../../src/node/config.js';
import { configOf } from '../support/pair.js';

const test = suite('node/config');

function address(text: string) {
  return present(parseInterfaceAddress(text), 'an address');
}

test('config: what the mesh gave stands beside what is configured', () => {
  const config = { ...configOf(new Uint8Array(32), []), addresses: [address('10.0.0.1/24')] };
  assert.equal(
    addressesOf(config).map(({ text }) => text),
    ['10.0.0.1/24'],
  );
  const mesh = { addresses: [address('10.86.0.1/16')], prefixes: [] };
  assert.equal(
    addressesOf({ ...config, mesh }).map(({ text }) => text),
    ['10.0.0.1/24', '10.86.0.1/16'],
  );
});

test.run();
