import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Endpoint, parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { peerSlot } from '../../src/base/identifiers.js';
import { unaffectedPeers } from '../../src/daemon/unaffected_peers.js';
import { address, endpoint } from '../support/parsed.js';

const test = suite('daemon/unaffected_peers');

const MARK = 7;
const [UP, OTHER] = [2, 3];

/** A host with 192.0.2.1 on UP and 198.51.100.1 on OTHER; all ways lead out at `by`. */
function hostBy(by: number) {
  const placed = (text: string, interfaceIndex: number) => ({
    address: present(parseInterfaceAddress(text), text),
    interfaceIndex,
    isGlobal: true,
  });
  return {
    addresses: () => [placed('192.0.2.1/24', UP), placed('198.51.100.1/24', OTHER)],
    lookUpRoute: (_: unknown, mark: number) => {
      assert.is(mark, MARK);
      return { interfaceIndex: by, via: '' };
    },
  } as unknown as Parameters<typeof unaffectedPeers>[1];
}

function from(local: string | undefined, interfaceIndex: number): Endpoint {
  const to = endpoint('203.0.113.9:51820');
  return local === undefined ? to : { ...to, local: { address: address(local), interfaceIndex } };
}

const CASES: readonly (readonly [why: string, at: Endpoint, by: number, stays: boolean])[] = [
  ['address and way are as they were', from('192.0.2.1', UP), UP, true],
  ['the way leads out elsewhere', from('192.0.2.1', UP), OTHER, false],
  ['the address is gone', from('192.0.2.77', UP), UP, false],
  ['the address went to another interface', from('192.0.2.1', OTHER), OTHER, false],
  ['nobody knows which address it spoke to', from(undefined, 0), UP, false],
];

for (const [why, at, by, stays] of CASES) {
  test(`unaffected: ${stays ? 'where' : 'not where'} ${why}`, () => {
    const slot = peerSlot(5);
    const found = unaffectedPeers([{ slot, endpoint: at }], hostBy(by), MARK);
    assert.equal(found, new Set(stays ? [slot] : []));
  });
}

test('unaffected: a peer without an endpoint is none', () => {
  const peers = [{ slot: peerSlot(5), endpoint: undefined }];
  assert.equal(unaffectedPeers(peers, hostBy(UP), MARK), new Set());
});

test.run();
