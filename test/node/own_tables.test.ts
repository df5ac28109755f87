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
  assert.equal(kinds(CONFIG, KEY), ['setVtepMac', 'setOwnAddresses']);
  assert.equal(kinds(CONFIG, KEY), []);
  assert.equal(kinds({ ...CONFIG, addresses: [] }, KEY), ['setOwnAddresses']);
  const other = new Uint8Array(32).fill(2);
  assert.equal(kinds({ ...CONFIG, addresses: [] }, other), ['setVtepMac']);
});

test('own tables: the VTEP has the configured address, else the one of the key', () => {
  const own = new OwnTables();
  assert.is(own.vtepMac, undefined);
  own.adopt(CONFIG, KEY);
  assert.is(own.vtepMac?.text, vtepMacOf(KEY).text);
  const vtepMac = present(parseMac('02:00:5e:10:00:01'), 'an address');
  assert.equal(own.adopt({ ...CONFIG, vtepMac }, KEY), [{ kind: 'setVtepMac', mac: vtepMac }]);
});

test('own tables: the keys of mac1 are told when they change, the second beside the first', () => {
  const own = new OwnTables();
  const other = new Uint8Array(32).fill(2);
  assert.equal(own.adoptKeys([]), []);
  assert.equal(own.adoptKeys([KEY]), [{ kind: 'setMac1Key', key: KEY }]);
  assert.equal(own.adoptKeys([KEY]), []);
  assert.equal(own.adoptKeys([KEY, other]), [{ kind: 'setMac1Key', key: KEY, other }]);
  assert.equal(own.adoptKeys([other, KEY]), [{ kind: 'setMac1Key', key: other, other: KEY }]);
});

test('own tables: without a key the VTEP has an address all the same', () => {
  const own = new OwnTables();
  const kinds = own.adopt(CONFIG, undefined).map(({ kind }) => kind);
  assert.equal(kinds, ['setVtepMac', 'setOwnAddresses']);
});

test.run();
