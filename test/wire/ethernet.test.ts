import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  emitEthernetHeader,
  isBroadcastMac,
  isGroupMac,
  isSolicitedNodeMac,
  parseEthernetHeader,
} from '../../src/wire/ethernet.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { mac } from '../support/parsed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/ethernet');

const HEADER = {
  destination: mac('02:00:5e:10:00:01'),
  source: mac('02:00:5e:10:00:02'),
  ethertype: 0x86dd,
};
const BYTES = hex('02005e10000102005e10000286dd');

test('ethernet: destination, source and ethertype follow each other', () => {
  const bytes = new Uint8Array(18).fill(0xa5);
  assert.is(emitEthernetHeader(bytes, 2, HEADER), 14);
  equalBytes(bytes, hex('a5a502005e10000102005e10000286dda5a5'));
  assert.equal(parseEthernetHeader(BYTES, 0), HEADER);
});

test('ethernet: a header cut at any length is refused', () => {
  for (let length = 0; length < 14; length++) {
    assert.is(parseEthernetHeader(BYTES.slice(0, length), 0), undefined, `${length} bytes`);
  }
  assert.is(parseEthernetHeader(BYTES, 1), undefined);
});

test('ethernet: with any bit flipped a header comes out flipped', () => {
  for (let bit = 0; bit < 8 * BYTES.length; bit++) {
    const header = parseEthernetHeader(flipBit(BYTES, bit), 0);
    const bytes = new Uint8Array(14);
    if (header) emitEthernetHeader(bytes, 0, header);
    equalBytes(bytes, flipBit(BYTES, bit), `bit ${bit}`);
  }
});

const GROUPS: readonly [text: string, group: boolean, broadcast: boolean, solicited: boolean][] = [
  ['02:00:5e:10:00:01', false, false, false],
  ['ff:ff:ff:ff:ff:ff', true, true, false],
  ['ff:ff:ff:ff:ff:fe', true, false, false],
  ['01:00:5e:00:00:01', true, false, false],
  ['33:33:00:00:00:01', true, false, false],
  ['33:33:ff:12:34:56', true, false, true],
  ['33:33:fe:12:34:56', true, false, false],
];

for (const [text, group, broadcast, solicited] of GROUPS) {
  test(`ethernet: ${text} is ${group ? 'of a group' : 'one station'}`, () => {
    assert.is(isGroupMac(mac(text)), group);
    assert.is(isBroadcastMac(mac(text)), broadcast);
    assert.is(isSolicitedNodeMac(mac(text)), solicited);
  });
}

test.run();
