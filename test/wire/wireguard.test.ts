import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, storeLe32, toHex } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import type { Random } from '../../src/base/random.js';
import {
  checkMessage,
  COOKIE_REPLY_BYTES,
  counterOf,
  DATA_HEADER_BYTES,
  DATA_LEAST_BYTES,
  emitCookieReply,
  emitData,
  emitInitiation,
  emitResponse,
  ephemeralOf,
  INITIATION_BYTES,
  MESSAGE_COOKIE_REPLY,
  MESSAGE_DATA,
  MESSAGE_HEDDLE,
  MESSAGE_HEDDLE_PARTIAL,
  MESSAGE_INITIATION,
  MESSAGE_RESPONSE,
  type Message,
  mac1Of,
  mac2Of,
  messageType,
  noncePrefix,
  parseMessage,
  RESPONSE_BYTES,
  receiverOf,
  senderOf,
  setMac1,
  setMac2,
} from '../../src/wire/wireguard.js';
import { equalBytes, flipBit } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';

const test = suite('wire/wireguard');

const SENDER = sessionIndex(0xf1f2f3f4);
const RECEIVER = sessionIndex(0x01020304);

/** `length` times `value`, so that a field shows where it stands. */
function field(value: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

const INITIATION = emitInitiation({
  sender: SENDER,
  ephemeral: field(0xe1, 32),
  sealedStatic: field(0x51, 48),
  sealedTimestamp: field(0x71, 28),
  mac1: field(0xa1, 16),
  mac2: field(0xa2, 16),
});
const RESPONSE = emitResponse({
  sender: SENDER,
  receiver: RECEIVER,
  ephemeral: field(0xe2, 32),
  sealedNothing: field(0x01, 16),
  mac1: field(0xb1, 16),
  mac2: field(0xb2, 16),
});
const COOKIE_REPLY = emitCookieReply({
  receiver: RECEIVER,
  nonce: field(0x22, 24),
  sealedCookie: field(0xcc, 32),
});
const DATA = emitData({
  type: MESSAGE_DATA,
  receiver: RECEIVER,
  counter: 0x1122_3344_5566_7788n,
  sealed: field(0xdd, 20),
});
const EVERY: readonly [name: string, message: Uint8Array, type: number, length: number][] = [
  ['initiation', INITIATION, MESSAGE_INITIATION, INITIATION_BYTES],
  ['response', RESPONSE, MESSAGE_RESPONSE, RESPONSE_BYTES],
  ['cookieReply', COOKIE_REPLY, MESSAGE_COOKIE_REPLY, COOKIE_REPLY_BYTES],
  ['data', DATA, MESSAGE_DATA, DATA_HEADER_BYTES + 20],
];

/** The message as pairs of hexadecimal and how often: WireGuard §5.4.2, §5.4.3, §5.4.7, §5.4.6. */
const LAYOUTS: readonly [message: Uint8Array, layout: readonly (readonly [string, number])[]][] = [
  [
    INITIATION,
    [
      ['01000000', 1],
      ['f4f3f2f1', 1],
      ['e1', 32],
      ['51', 48],
      ['71', 28],
      ['a1', 16],
      ['a2', 16],
    ],
  ],
  [
    RESPONSE,
    [
      ['02000000', 1],
      ['f4f3f2f1', 1],
      ['04030201', 1],
      ['e2', 32],
      ['01', 16],
      ['b1', 16],
      ['b2', 16],
    ],
  ],
  [
    COOKIE_REPLY,
    [
      ['03000000', 1],
      ['04030201', 1],
      ['22', 24],
      ['cc', 32],
    ],
  ],
  [
    DATA,
    [
      ['04000000', 1],
      ['04030201', 1],
      ['8877665544332211', 1],
      ['dd', 20],
    ],
  ],
];

test('wireguard: each field stands where the specification puts it', () => {
  for (const [message, layout] of LAYOUTS) {
    assert.is(toHex(message), layout.map(([text, count]) => text.repeat(count)).join(''));
  }
});

test('wireguard: sizes and types are those of the specification', () => {
  assert.equal([INITIATION_BYTES, RESPONSE_BYTES, COOKIE_REPLY_BYTES], [148, 92, 64]);
  assert.equal([DATA_HEADER_BYTES, DATA_LEAST_BYTES], [16, 32]);
  for (const [name, message, type, length] of EVERY) {
    assert.is(message.length, length, name);
    assert.is(messageType(message), type, name);
  }
});

test('wireguard: a message parsed and emitted is the same message', () => {
  for (const [name, message] of EVERY) {
    const parsed = parseMessage(message);
    assert.is(parsed?.kind, name);
    equalBytes(parsed && emit(parsed), message, name);
  }
});

test('wireguard: random messages survive emitting and parsing', () => {
  withSeed('wireguard', (random) => {
    for (let round = 0; round < 100; round++) {
      for (const message of randomMessages(random)) {
        assert.equal(parseMessage(emit(message)), message, `round ${round}`);
      }
    }
  });
});

test('wireguard: only the exact length of a handshake message is taken', () => {
  for (const [name, message, type] of EVERY) {
    const wide = concat(message, new Uint8Array(40));
    for (let length = 0; length <= wide.length; length++) {
      const isGood = type === MESSAGE_DATA ? length >= 32 : length === message.length;
      const cut = wide.slice(0, length);
      assert.is(checkMessage(cut), isGood, `${name} of ${length}`);
      assert.is(parseMessage(cut) !== undefined, isGood, `${name} of ${length}`);
    }
  }
});

test('wireguard: the type is the whole word, its reserved bytes zero', () => {
  for (const [name, message] of EVERY) {
    for (let bit = 0; bit < 32; bit++) {
      const flipped = flipBit(message, bit);
      const parsed = parseMessage(flipped);
      assert.is.not(parsed?.kind, name, `bit ${bit}`);
      if (bit >= 8) assert.is(parsed, undefined, `bit ${bit}`);
    }
  }
  for (const type of [0, 5, 0xff, 0x01000000, 0xffffffff]) {
    const unknown = INITIATION.slice();
    storeLe32(unknown, 0, type);
    assert.not.ok(checkMessage(unknown), `type ${type}`);
  }
});

test('wireguard: with any bit behind the type flipped a message comes out flipped', () => {
  for (const [name, message] of EVERY) {
    for (let bit = 32; bit < 8 * message.length; bit++) {
      const flipped = flipBit(message, bit);
      const parsed = parseMessage(flipped);
      equalBytes(parsed && emit(parsed), flipped, `${name}, bit ${bit}`);
    }
  }
});

test('wireguard: accessors read what was emitted', () => {
  assert.is(senderOf(INITIATION), SENDER);
  assert.is(senderOf(RESPONSE), SENDER);
  for (const message of [RESPONSE, COOKIE_REPLY, DATA]) assert.is(receiverOf(message), RECEIVER);
  equalBytes(ephemeralOf(INITIATION), field(0xe1, 32));
  equalBytes(ephemeralOf(RESPONSE), field(0xe2, 32));
  assert.is(counterOf(DATA), 0x1122_3344_5566_7788n);
});

test('wireguard: both MACs are zero until they are set, each in its place', () => {
  const bare = emitResponse({
    sender: SENDER,
    receiver: RECEIVER,
    ephemeral: field(0xe2, 32),
    sealedNothing: field(0x01, 16),
  });
  equalBytes(mac1Of(bare), field(0, 16));
  equalBytes(mac2Of(bare), field(0, 16));
  setMac1(bare, field(0xb1, 16));
  setMac2(bare, field(0xb2, 16));
  equalBytes(bare, RESPONSE);
});

test('wireguard: what an accessor returns is a copy', () => {
  const message = INITIATION.slice();
  const ephemeral = ephemeralOf(message);
  message.fill(0);
  equalBytes(ephemeral, field(0xe1, 32));
});

test('wireguard: a data message of 32 bytes carries an empty packet and its tag', () => {
  const keepalive = emitData({
    ...{ type: MESSAGE_DATA, receiver: RECEIVER },
    ...{ counter: 2n ** 64n - 1n, sealed: field(9, 16) },
  });
  const parsed = parseMessage(keepalive);
  assert.is(keepalive.length, DATA_LEAST_BYTES);
  assert.ok(parsed?.kind === 'data' && parsed.counter === 2n ** 64n - 1n);
});

test("wireguard: heddle's data messages differ from WireGuard's in their type alone", () => {
  for (const [type, text] of [
    [MESSAGE_HEDDLE, '48000000'],
    [MESSAGE_HEDDLE_PARTIAL, '48000001'],
  ] as const) {
    const [counter, sealed] = [counterOf(DATA), field(0xdd, 20)];
    const message = emitData({ type, receiver: RECEIVER, counter, sealed });
    assert.is(toHex(message), text + toHex(DATA).slice(8));
    assert.equal(parseMessage(message), { ...parseMessage(DATA), type });
    assert.not.ok(checkMessage(message.slice(0, 31)));
    assert.ok(checkMessage(message.slice(0, 32)));
    assert.is(receiverOf(message), RECEIVER);
    // Bit 24 makes one of the other.
    for (let bit = 0; bit < 32; bit++) {
      assert.is(checkMessage(flipBit(message, bit)), bit === 24, `${text}, bit ${bit}`);
    }
  }
});

test('wireguard: a nonce begins with the uppermost byte of the type', () => {
  assert.equal([4, 0x48, 0x01000048, 0xff000048].map(noncePrefix), [0, 0, 1, 255]);
});

function emit(message: Message): Uint8Array {
  switch (message.kind) {
    case 'initiation':
      return emitInitiation(message);
    case 'response':
      return emitResponse(message);
    case 'cookieReply':
      return emitCookieReply(message);
    case 'data':
      return emitData(message);
  }
}

function randomMessages(random: Random): Message[] {
  const sender = sessionIndex(random.u32());
  const receiver = sessionIndex(random.u32());
  const ephemeral = random.bytes(32);
  const macs = { mac1: random.bytes(16), mac2: random.bytes(16) };
  const [sealedStatic, sealedTimestamp] = [random.bytes(48), random.bytes(28)];
  const counter = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  return [
    { kind: 'initiation', sender, ephemeral, sealedStatic, sealedTimestamp, ...macs },
    { kind: 'response', sender, receiver, ephemeral, sealedNothing: random.bytes(16), ...macs },
    { kind: 'cookieReply', receiver, nonce: random.bytes(24), sealedCookie: random.bytes(32) },
    ...([MESSAGE_DATA, MESSAGE_HEDDLE, MESSAGE_HEDDLE_PARTIAL] as const).map((type) => ({
      ...({ kind: 'data', type, receiver, counter } as const),
      sealed: random.bytes(16 + random.below(100)),
    })),
  ];
}

test.run();
