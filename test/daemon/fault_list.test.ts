import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigDocument } from '../../src/daemon/config_document.js';
import { FaultList } from '../../src/daemon/fault_list.js';

const test = suite('daemon/fault_list');

function listOf(text: string): FaultList {
  return new FaultList(new ConfigDocument(new TextEncoder().encode(text)));
}

test('fault list: a fault stands where its value does, or its key', () => {
  const faults = listOf('a: 1\npeers:\n  - name: x\n');
  faults.add(['peers', 0, 'name'], 'of the value');
  faults.addAtKey(['peers', 0, 'name'], 'of the key');
  assert.equal(faults.list, [
    { line: 3, column: 11, message: 'of the value' },
    { line: 3, column: 5, message: 'of the key' },
  ]);
});

test('fault list: what two rules find is told once', () => {
  const faults = listOf('a: 1\n');
  for (const _rule of [1, 2]) faults.add(['a'], 'wrong');
  assert.is(faults.list.length, 1);
});

test('fault list: what is expected stands beside what was found, a missing value too', () => {
  const faults = listOf('peers:\n  - name: x\n');
  faults.addExpected(['peers', 0, 'name'], 'a longer one');
  faults.addExpected(['peers', 0, 'endpoint'], 'one');
  assert.equal(
    faults.list.map(({ message }) => message),
    [
      'peers[0].name: found "x", expected a longer one',
      'peers[0].endpoint: found nothing, expected one',
    ],
  );
});

test.run();
