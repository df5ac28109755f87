/**
 * rtnetlink messages and attributes: laid out as the kernel's headers say, and bounded when read.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import * as netlink from '../../src/wire/netlink.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/netlink');

/**
 * `ip link set wg0`: a name of three letters and its zero, an MTU, and a fixed part of 16 bytes.
 */
const MESSAGE = netlink.emitMessage(
  {
    type: netlink.TYPE.newLink,
    flags: netlink.FLAG.request | netlink.FLAG.acknowledge,
  },
  hex('00000000070000000100000001000000'),
  [{ type: 3, value: hex('77673000') }, netlink.u32(4, 1420), { type: 9, value: hex('abcdef') }],
);

test('netlink: each field stands where netlink(7) puts it, attributes padded to four bytes', () => {
  const expected = [
    '38000000', // 16 of header, 16 fixed, 8 + 8 + 8 of attributes
    '1000', // RTM_NEWLINK
    '0500', // NLM_F_REQUEST | NLM_F_ACK
    '00000000', // the sequence number is whoever sends it
    '00000000', // from the kernel's port
    '00000000070000000100000001000000',
    '0800030077673000',
    '080004008c050000',
    '07000900abcdef00', // a length without its padding
  ];
  equalBytes(MESSAGE, hex(expected.join('')));
});

test('netlink: numbers are those of linux/rtnetlink.h and linux/netlink.h', () => {
  const { TYPE, FLAG } = netlink;
  assert.equal([TYPE.error, TYPE.done], [2, 3]);
  assert.equal([TYPE.newLink, TYPE.deleteLink, TYPE.getLink], [16, 17, 18]);
  assert.equal([TYPE.newAddress, TYPE.deleteAddress, TYPE.getAddress], [20, 21, 22]);
  assert.equal([TYPE.newRoute, TYPE.deleteRoute, TYPE.getRoute], [24, 25, 26]);
  assert.equal([TYPE.newRule, TYPE.deleteRule, TYPE.getRule], [32, 33, 34]);
  assert.equal([FLAG.request, FLAG.acknowledge, FLAG.dump], [1, 4, 0x300]);
  assert.equal([FLAG.replace, FLAG.exclusive, FLAG.create], [0x100, 0x200, 0x400]);
});

test('netlink: what was emitted is parsed, several messages in one read', () => {
  const messages = netlink.parseMessages(concat(MESSAGE, MESSAGE));
  assert.is(messages.length, 2);
  for (const message of messages) {
    assert.equal([message.type, message.flags, message.body.length], [16, 5, 40]);
    const attributes = netlink.parseAttributes(message.body, 16);
    assert.equal([...attributes.keys()], [3, 4, 9]);
    assert.is(netlink.readText(attributes.get(3)), 'wg0');
    equalBytes(attributes.get(9), hex('abcdef'));
  }
});

test('netlink: a message whose length is no multiple of four does not shift the next', () => {
  const odd = hex('110000001000000000000000000000005aa5a5a5');
  const messages = netlink.parseMessages(concat(odd, MESSAGE));
  assert.equal(
    messages.map(({ body }) => body.length),
    [1, 40],
  );
});

test('netlink: a cut list ends with the last whole message', () => {
  const both = concat(MESSAGE, MESSAGE);
  for (let length = 0; length <= both.length; length++) {
    const whole = Math.floor(length / MESSAGE.length);
    assert.is(netlink.parseMessages(both.slice(0, length)).length, whole, `length ${length}`);
  }
});

test('netlink: cut attributes end with the last whole one', () => {
  const body = MESSAGE.slice(netlink.HEADER_BYTES);
  const ends = [24, 32, 39];
  for (let length = 0; length <= body.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    assert.is(netlink.parseAttributes(body.slice(0, length), 16).size, whole, `length ${length}`);
  }
});

test('netlink: lengths that cannot be end the list instead of standing still', () => {
  for (const length of ['00000000', '0f000000', 'ffffffff']) {
    const broken = concat(hex(length), MESSAGE.slice(4));
    assert.equal(netlink.parseMessages(concat(broken, MESSAGE)), [], length);
  }
  for (const length of ['0000', '0300', 'ffff']) {
    assert.is(netlink.parseAttributes(hex(`${length}010000000000`), 0).size, 0, length);
  }
});

test('netlink: the two upper bits of an attribute are flags, and a later one replaces', () => {
  const attributes = netlink.parseAttributes(hex('050003c00a00000005000340bb000000'), 0);
  assert.is(attributes.size, 1);
  equalBytes(attributes.get(3), hex('bb'));
});

test('netlink: an error is a positive errno, an acknowledgement zero', () => {
  const error = (body: string): number =>
    netlink.errorOf({ type: netlink.TYPE.error, flags: 0, body: hex(body) });
  assert.is(error('efffffff'), 17);
  assert.is(error('00000000'), 0);
});

test('netlink: text ends at its first zero, or where the value does', () => {
  assert.is(netlink.readText(hex('6162006364')), 'ab');
  assert.is(netlink.readText(hex('6162')), 'ab');
  assert.is(netlink.readText(undefined), '');
});

test('netlink: reading any bytes ends', () => {
  withSeed('netlink', (random) => {
    for (let round = 0; round < 2_000; round++) {
      const bytes = random.bytes(random.below(120)).map((byte) => byte & 31);
      for (const { body } of netlink.parseMessages(bytes)) netlink.parseAttributes(body, 4);
      netlink.parseAttributes(bytes, random.below(20));
    }
  });
});

test.run();
