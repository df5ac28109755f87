import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import {
  dumpError,
  emitMessage,
  errorOf,
  FLAG,
  findAttribute,
  parseAttributes,
  parseMessages,
  readText,
  TYPE,
  u32,
  visitMessages,
} from '../../src/wire/netlink.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';

const netlink = suite('netlink');

const HEAD = { type: TYPE.newLink, flags: FLAG.request | FLAG.acknowledge };
const FIXED = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const ODD = { type: 3, value: Uint8Array.of(0x68, 0x64, 0x30, 0, 0x7a) };
// length 52, type 16, flags 5, sequence 0, port 0; the fixed part; 9 bytes of type 3, padded to 12;
// 8 bytes of type 4.
const MESSAGE = concat(
  Uint8Array.of(52, 0, 0, 0, 16, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  FIXED,
  Uint8Array.of(9, 0, 3, 0, 0x68, 0x64, 0x30, 0, 0x7a, 0, 0, 0),
  Uint8Array.of(8, 0, 4, 0, 0x8c, 0x05, 0, 0),
);

netlink('netlink: a message is header, fixed part and padded attributes', () => {
  equalBytes(emitMessage(HEAD, FIXED, [ODD, u32(4, 1420)]), MESSAGE);
});

netlink('netlink: what was emitted is parsed', () => {
  const [message, ...others] = parseMessages(MESSAGE);
  assert.equal(others, []);
  assert.is(message?.type, TYPE.newLink);
  assert.is(message?.flags, HEAD.flags);
  const attributes = parseAttributes(message?.body ?? new Uint8Array(0), FIXED.length);
  assert.equal([...attributes.keys()], [3, 4]);
  assert.is(readText(attributes.get(3)), 'hd0');
  equalBytes(attributes.get(4), Uint8Array.of(0x8c, 0x05, 0, 0));
});

netlink('netlink: several messages stand at multiples of four', () => {
  const odd = concat(Uint8Array.of(17, 0, 0, 0, 3), new Uint8Array(12).fill(0), new Uint8Array(3));
  const messages = parseMessages(concat(MESSAGE, odd, MESSAGE));
  assert.equal(
    messages.map(({ type, body }) => [type, body.length]),
    [
      [16, 36],
      [3, 1],
      [16, 36],
    ],
  );
});

netlink('netlink: what is cut off ends the list', () => {
  const two = concat(MESSAGE, MESSAGE);
  for (let length = 0; length <= two.length; length++) {
    const whole = Math.floor(length / MESSAGE.length);
    assert.is(parseMessages(two.subarray(0, length)).length, whole, `${length} bytes`);
  }
});

netlink('netlink: a length that contradicts itself ends the list, and never repeats it', () => {
  for (const length of [0, 1, 15, 53, 0xffff_ffff]) {
    const broken = MESSAGE.slice();
    new DataView(broken.buffer).setUint32(0, length, true);
    assert.equal(parseMessages(broken), [], `length ${length}`);
  }
});

netlink('netlink: attributes end where they contradict themselves', () => {
  const body = (...bytes: number[]) => Uint8Array.from(bytes);
  const rows: readonly (readonly [why: string, body: Uint8Array, found: number[]])[] = [
    ['nothing', body(), []],
    ['less than a header', body(4, 0, 1), []],
    ['empty', body(4, 0, 1, 0), [1]],
    ['too short to hold its header', body(3, 0, 1, 0, 4, 0, 2, 0), []],
    ['of no length', body(0, 0, 1, 0, 4, 0, 2, 0), []],
    ['longer than the message', body(4, 0, 1, 0, 9, 0, 2, 0, 0, 0, 0, 0), [1]],
    ['flags "nested" and "network order" are not of the type', body(4, 0, 1, 0xc0), [1]],
  ];
  for (const [why, bytes, found] of rows) {
    assert.equal([...parseAttributes(bytes, 0).keys()], found, why);
  }
});

netlink('netlink: a later attribute of a type replaces an earlier one', () => {
  const body = Uint8Array.of(5, 0, 1, 0, 7, 0, 0, 0, 5, 0, 1, 0, 8, 0, 0, 0);
  equalBytes(parseAttributes(body, 0).get(1), Uint8Array.of(8));
});

netlink('netlink: an error message holds a negative errno, an acknowledgement 0', () => {
  const errnoOf = (type: number, ...bytes: number[]): number =>
    errorOf({ type, flags: 0, body: Uint8Array.from(bytes) });
  assert.is(errnoOf(TYPE.error, 0xff, 0xff, 0xff, 0xff), 1);
  assert.is(errnoOf(TYPE.error, 0xef, 0xff, 0xff, 0xff), 17);
  assert.ok(errnoOf(TYPE.error, 0, 0, 0, 0) === 0);
  assert.is(errnoOf(TYPE.done, 0xef, 0xff, 0xff, 0xff), 17, 'a dump that broke off');
  assert.ok(errnoOf(TYPE.done, 0, 0, 0, 0) === 0, 'a dump that is whole');
  assert.ok(errnoOf(TYPE.done) === 0, 'an end that says nothing');
  assert.ok(errnoOf(TYPE.newLink, 0xff, 0xff, 0xff, 0xff) === 0, 'no end at all');
});

netlink('netlink: numbers are those of linux/rtnetlink.h and linux/netlink.h', () => {
  assert.equal([TYPE.error, TYPE.done], [2, 3]);
  assert.equal([TYPE.newLink, TYPE.deleteLink, TYPE.getLink], [16, 17, 18]);
  assert.equal([TYPE.newAddress, TYPE.deleteAddress, TYPE.getAddress], [20, 21, 22]);
  assert.equal([TYPE.newRoute, TYPE.deleteRoute, TYPE.getRoute], [24, 25, 26]);
  assert.equal([TYPE.newRule, TYPE.deleteRule, TYPE.getRule], [32, 33, 34]);
  assert.equal([FLAG.request, FLAG.acknowledge, FLAG.dump], [1, 4, 0x300]);
  assert.equal([FLAG.replace, FLAG.exclusive, FLAG.create], [0x100, 0x200, 0x400]);
});

netlink('netlink: reading any bytes ends', () => {
  withSeed('netlink', (random) => {
    for (let round = 0; round < 2_000; round++) {
      const bytes = random.bytes(random.below(120)).map((byte) => byte & 31);
      for (const { body } of parseMessages(bytes)) parseAttributes(body, 4);
      parseAttributes(bytes, random.below(20));
      visitMessages(bytes, (_, at, end) => findAttribute(bytes, at, end, 1));
    }
  });
});

netlink('netlink: messages can be visited where they lie', () => {
  const seen: number[][] = [];
  visitMessages(concat(MESSAGE, MESSAGE, MESSAGE.subarray(0, 40)), (...each) => seen.push(each));
  assert.equal(seen, [
    [TYPE.newLink, 16, 52],
    [TYPE.newLink, 68, 104],
  ]);
});

netlink('netlink: an attribute is found by its type, the first of several, or not at all', () => {
  const find = (type: number, end = MESSAGE.length): number =>
    findAttribute(MESSAGE, 32, end, type);
  assert.equal([find(3), find(4), find(5)], [36, 48, -1]);
  assert.equal([find(4, 51), find(3, 40), find(3, 33)], [-1, -1, -1], 'cut off');
  const two = concat(MESSAGE, MESSAGE.subarray(32));
  assert.is(findAttribute(two, 32, two.length, 3), 36);
});

netlink('netlink: a dump says in its last message whether it broke off', () => {
  const done = (errno: number): Uint8Array =>
    emitMessage({ type: TYPE.done, flags: 0 }, Uint8Array.of(-errno & 0xff, 0xff, 0xff, 0xff), []);
  const whole = emitMessage({ type: TYPE.done, flags: 0 }, new Uint8Array(4), []);
  assert.is(dumpError(concat(MESSAGE, whole)), 0);
  assert.is(dumpError(concat(MESSAGE, done(16))), 16);
  assert.is(dumpError(new Uint8Array(0)), 0);
});

netlink('netlink: text ends at its zero, or where it ends', () => {
  assert.is(readText(undefined), '');
  assert.is(readText(Uint8Array.of(0x61, 0, 0x62)), 'a');
  assert.is(readText(Uint8Array.of(0x61, 0x62)), 'ab');
});

netlink.run();
