import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Endpoint } from '../../src/base/address.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { EndpointTable, hasMoved } from '../../src/path/endpoint_table.js';
import { address, endpoint as plainEndpoint } from '../support/parsed.js';

const endpoints = suite('endpoint table');

const [ONE, TWO] = [peerSlot(1), peerSlot(2)];

function endpoint(text: string, local?: string, interfaceIndex = 0): Endpoint {
  const plain = plainEndpoint(text);
  if (local === undefined) return plain;
  return { ...plain, local: { address: address(local), interfaceIndex } };
}

const HOME = endpoint('192.0.2.1:51820');
const AWAY = endpoint('[2001:db8::1]:4500');

endpoints('endpoint table: holds one endpoint a peer, the last that was set', () => {
  const table = new EndpointTable();
  assert.is(table.get(ONE), undefined);
  table.set(ONE, HOME);
  table.set(TWO, HOME);
  table.set(ONE, AWAY);
  assert.equal([table.get(ONE), table.get(TWO), table.size], [AWAY, HOME, 2]);
  table.remove(ONE);
  assert.equal([table.get(ONE), table.size], [undefined, 1]);
});

endpoints('endpoint table: tells of a move once, until it is answered', () => {
  const table = new EndpointTable();
  table.set(ONE, HOME);
  assert.not(table.moved(ONE, HOME));
  assert.ok(table.moved(ONE, AWAY));
  assert.not(table.moved(ONE, AWAY));
  assert.not(table.moved(ONE, endpoint('192.0.2.7:7')));
  table.set(ONE, AWAY);
  assert.not(table.moved(ONE, AWAY));
  assert.ok(table.moved(ONE, HOME));
  assert.equal(table.get(ONE), HOME, 'answers go there at once');
});

endpoints(
  'endpoint table: a peer without endpoint is always news, and has one from then on',
  () => {
    const table = new EndpointTable();
    assert.ok(table.moved(ONE, HOME));
    assert.not(table.moved(ONE, HOME));
    assert.equal(table.get(ONE), HOME);
  },
);

const MOVES: readonly [known: Endpoint, source: Endpoint, moved: boolean, why: string][] = [
  [HOME, HOME, false, 'the same'],
  [HOME, endpoint('192.0.2.1:51821'), true, 'another port'],
  [HOME, endpoint('192.0.2.2:51820'), true, 'another address'],
  [HOME, AWAY, true, 'another family'],
  [HOME, endpoint('192.0.2.1:51820', '192.0.2.9', 2), true, 'news of how it reached us'],
  [endpoint('192.0.2.1:51820', '192.0.2.9', 2), HOME, false, 'a source that does not say'],
  [
    endpoint('192.0.2.1:51820', '192.0.2.9', 2),
    endpoint('192.0.2.1:51820', '192.0.2.9', 2),
    false,
    'the same way',
  ],
  [
    endpoint('192.0.2.1:51820', '192.0.2.9', 2),
    endpoint('192.0.2.1:51820', '192.0.2.8', 2),
    true,
    'another local address',
  ],
  [
    endpoint('192.0.2.1:51820', '192.0.2.9', 2),
    endpoint('192.0.2.1:51820', '192.0.2.9', 3),
    true,
    'another interface',
  ],
];

for (const [known, source, moved, why] of MOVES) {
  endpoints(`endpoint table: ${why} is ${moved ? 'a' : 'no'} move`, () => {
    assert.is(hasMoved(known, source), moved);
  });
}

endpoints.run();
