import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fdb, type Vtep } from '../../src/route/fdb.js';
import { address, mac } from '../support/parsed.js';

const test = suite('route/fdb');

const HERE = address('192.0.2.1');
const THERE = address('2001:db8::1');
const FIRST = mac('02:00:5e:10:00:01');
const SECOND = mac('02:00:5e:10:00:02');

function vxlan(vni: number, vtepMac = FIRST, at = HERE): Vtep {
  return { address: at, port: 4789, segment: { vni, mac: vtepMac } };
}

test('fdb: a sender is known by address, port and VNI together', () => {
  const fdb = new Fdb<string>();
  fdb.insert('one', vxlan(1));
  fdb.insert('other segment', vxlan(2));
  fdb.insert('bare', { address: HERE, port: 8285 });
  assert.is(fdb.size, 3);
  assert.is(fdb.lookup({ address: HERE, port: 4789, vni: 1 }), 'one');
  assert.is(fdb.lookup({ address: HERE, port: 4789, vni: 2 }), 'other segment');
  assert.is(fdb.lookup({ address: HERE, port: 8285 }), 'bare');
  for (const stranger of [
    { address: THERE, port: 4789, vni: 1 },
    { address: HERE, port: 8472, vni: 1 },
    { address: HERE, port: 4789, vni: 3 },
    { address: HERE, port: 4789 },
    { address: HERE, port: 8285, vni: 0 },
  ]) {
    assert.is(fdb.lookup(stranger), undefined, JSON.stringify(stranger));
  }
});

test('fdb: a written VTEP replaces the last one, and nothing is left of who is removed', () => {
  const fdb = new Fdb<string>();
  fdb.insert('one', vxlan(1));
  fdb.insert('one', vxlan(2, SECOND));
  assert.is(fdb.lookup({ address: HERE, port: 4789, vni: 1 }), undefined);
  fdb.insert('two', vxlan(3));
  assert.ok(fdb.isOfAnother('two', SECOND));
  fdb.remove('one');
  assert.not(fdb.isOfAnother('two', SECOND));
  assert.is(fdb.lookup({ address: HERE, port: 4789, vni: 2 }), undefined);
  fdb.remove('one');
  fdb.remove('nobody');
  assert.is(fdb.size, 1);
});

test('fdb: of two at one place the later has it, until it goes', () => {
  const fdb = new Fdb<string>();
  fdb.insert('one', vxlan(1));
  fdb.insert('two', vxlan(1, SECOND));
  const found = () => fdb.lookup({ address: HERE, port: 4789, vni: 1 });
  assert.is(found(), 'two');
  fdb.insert('one', vxlan(1));
  assert.is(found(), 'two', 'who is there already does not come');
  fdb.remove('two');
  assert.is(found(), 'one');
});

test('fdb: an Ethernet address is another’s only if it is not one’s own, too', () => {
  const fdb = new Fdb<string>();
  fdb.insert('one', vxlan(1, FIRST));
  fdb.insert('same host', vxlan(2, FIRST));
  fdb.insert('two', vxlan(1, SECOND, THERE));
  assert.not(fdb.isOfAnother('one', FIRST));
  assert.not(fdb.isOfAnother('same host', FIRST));
  assert.ok(fdb.isOfAnother('two', FIRST));
  assert.ok(fdb.isOfAnother('one', SECOND));
  assert.not(fdb.isOfAnother('one', mac('02:00:5e:10:00:99')), 'nobody’s: it may be behind one');
});

test.run();
