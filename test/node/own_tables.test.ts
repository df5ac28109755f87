import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress, parseMac } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { OwnTables } from '../../src/node/own_tables.js';
import { vtepMacOf } from '../../src/node/vtep_mac.js';
import { configOf } from '../support/pair.js';

const test = suite('node/own_tables');
const KEY = new Uint8Array(32).fill(1);
const CONFIG = {
  ...configOf(new Uint8Array(32), []),
  addresses: [present(parseInterfaceAddress('10.0.0.1/24'), 'an address')],
};

test('own tables: everything is told once, and what changes again', () => {
  const own = new OwnTables();
  const kinds = (...adopted: Parameters<OwnTables['adopt']>) =>
    own.adopt(...adopted).map(({ kind }) => kind);
  assert.equal(kinds(CONFIG, KEY, KEY), ['setMac1Key', 'setVtepMac', 'setOwnAddresses']);
  assert.equal(kinds(CONFIG, KEY, undefined), []);
  assert.equal(kinds({ ...CONFIG, addresses: [] }, KEY, undefined), ['setOwnAddresses']);
  const other = new Uint8Array(32).fill(2);
  assert.equal(kinds({ ...CONFIG, addresses: [] }, other, other), ['setMac1Key', 'setVtepMac']);
});

test('own tables: the VTEP has the configured address, else the one of the key', () => {
  const own = new OwnTables();
  assert.is(own.vtepMac, undefined);
  own.adopt(CONFIG, KEY, KEY);
  assert.is(own.vtepMac?.text, vtepMacOf(KEY).text);
  const vtepMac = present(parseMac('02:00:5e:10:00:01'), 'an address');
  assert.equal(own.adopt({ ...CONFIG, vtepMac }, KEY, undefined), [
    { kind: 'setVtepMac', mac: vtepMac },
  ]);
});

test('own tables: without a key the walk is not told of one', () => {
  const own = new OwnTables();
  const kinds = own.adopt(CONFIG, undefined, undefined).map(({ kind }) => kind);
  assert.equal(kinds, ['setVtepMac', 'setOwnAddresses']);
});

test.run();
