import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ARP_REQUEST, emitArp, parseArp } from '../../src/wire/arp.js';
import { changed, equalBytes, flipBit } from '../support/bytes.js';
import { arp } from '../support/frames.js';
import { address, mac } from '../support/parsed.js';

const test = suite('wire/arp');

const REQUEST = arp({
  senderMac: '02005e100001',
  sender: '10.0.0.2',
  targetMac: '02005e1000ff',
  target: '10.0.0.9',
});

test('arp: each field stands where RFC 826 puts it', () => {
  const message = parseArp(REQUEST, 0);
  assert.equal(message, {
    operation: ARP_REQUEST,
    senderMac: mac('02:00:5e:10:00:01'),
    sender: address('10.0.0.2'),
    targetMac: mac('02:00:5e:10:00:ff'),
    target: address('10.0.0.9'),
  });
  const bytes = new Uint8Array(32).fill(0xa5);
  if (message) assert.is(emitArp(bytes, 2, message), 28);
  equalBytes(bytes.slice(2, 30), REQUEST);
  assert.equal([bytes[1], bytes[30]], [0xa5, 0xa5]);
});

test('arp: a message cut at any length is refused, and padding is not read', () => {
  for (let length = 0; length < 28; length++) {
    assert.is(parseArp(REQUEST.slice(0, length), 0), undefined, `${length} bytes`);
  }
  const padded = new Uint8Array(46);
  padded.set(REQUEST);
  assert.equal(parseArp(padded, 0), parseArp(REQUEST, 0));
});

const OTHERS: readonly [at: number, value: number, why: string][] = [
  [1, 6, 'hardware is not Ethernet'],
  [0, 1, 'hardware is not Ethernet, in its upper byte'],
  [2, 0x86, 'protocol is not IPv4'],
  [3, 1, 'protocol is not IPv4, in its lower byte'],
  [4, 8, 'hardware addresses are not 6 bytes long'],
  [5, 16, 'protocol addresses are not 4 bytes long'],
];

for (const [at, value, why] of OTHERS) {
  test(`arp: refuses a message where ${why}`, () => {
    assert.is(parseArp(changed(REQUEST, at, value), 0), undefined);
  });
}

test('arp: with any bit flipped a message is refused, or comes out flipped', () => {
  for (let bit = 0; bit < 8 * REQUEST.length; bit++) {
    const message = parseArp(flipBit(REQUEST, bit), 0);
    assert.is(message === undefined, bit < 48, `bit ${bit}`);
    const bytes = new Uint8Array(28);
    if (!message) continue;
    emitArp(bytes, 0, message);
    equalBytes(bytes, flipBit(REQUEST, bit), `bit ${bit}`);
  }
});

test.run();
