import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeededRandom } from '../../src/base/random.js';
import { emitHello, formatHello, type Hello, parseHello } from '../../src/wire/hello.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/hello');

const STOCK: Hello = {
  version: 1,
  suites: ['chacha20-poly1305'],
  lanes: 1,
  takesPartialChecksums: false,
  isAcknowledged: false,
  isResuming: false,
};
const FULL: Hello = {
  version: 1,
  suites: ['aes-256-gcm', 'chacha20-poly1305'],
  lanes: 4,
  takesPartialChecksums: true,
  isAcknowledged: true,
  isResuming: true,
};
/** version 1; suites 2, 1; lanes 4; flags 7. */
const GOLDEN = hex('01020100' + '02020201' + '030104' + '040107');

test('hello: version, suites, lanes and flags stand where the format puts them', () => {
  equalBytes(emitHello(FULL), GOLDEN);
  assert.equal(parseHello(GOLDEN), FULL);
  equalBytes(emitHello(STOCK), hex('01020100' + '020101' + '030101' + '040100'));
  assert.is(
    formatHello(FULL),
    'hello 1 suites aes-256-gcm,chacha20-poly1305 lanes 4 ' +
      'flags partial-checksums,acknowledged,resuming',
  );
});

test('hello: every value survives emitting and parsing', () => {
  const orders: Hello['suites'][] = [STOCK.suites, FULL.suites, [...FULL.suites].reverse()];
  for (let lanes = 1; lanes <= 8; lanes++) {
    for (let flags = 0; flags < 8; flags++) {
      for (const suites of orders) {
        const hello: Hello = {
          version: 1 + flags,
          suites,
          lanes,
          takesPartialChecksums: (flags & 1) !== 0,
          isAcknowledged: (flags & 2) !== 0,
          isResuming: (flags & 4) !== 0,
        };
        assert.equal(parseHello(emitHello(hello)), hello);
      }
    }
  }
  assert.throws(() => emitHello({ ...STOCK, lanes: 9 }), /lanes/);
  assert.throws(() => emitHello({ ...STOCK, version: 0 }), /version/);
});

test('hello: a field that is missing is as with a stock peer', () => {
  assert.equal(parseHello(new Uint8Array(0)), STOCK);
  assert.equal(parseHello(hex('030102')), { ...STOCK, lanes: 2 });
});

test('hello: what is unknown is ignored, and of two fields of one tag the first counts', () => {
  const unknown = 'ff00' + '0803aabbcc';
  for (const [text, expected] of [
    [unknown, STOCK],
    [`${unknown}030103`, { ...STOCK, lanes: 3 }],
    ['0203630201', { ...STOCK, suites: FULL.suites }],
    ['020163', STOCK],
    ['0200', STOCK],
    ['02040202' + '0202', { ...STOCK, suites: ['aes-256-gcm', 'chacha20-poly1305'] }],
    ['0401f8', STOCK],
    ['0402ff01', { ...STOCK, takesPartialChecksums: true, isAcknowledged: true, isResuming: true }],
    ['030102' + '030108', { ...STOCK, lanes: 2 }],
    ['0103020001', { ...STOCK, version: 2 }],
  ] as const) {
    assert.equal(parseHello(hex(text)), expected, text);
  }
});

test('hello: what is malformed is refused', () => {
  for (const [text, why] of [
    ['01', 'half a field'],
    ['0302', 'a value cut short'],
    ['030204', 'a value cut short by one byte'],
    ['010101', 'a version of one byte'],
    ['01020000', 'version 0'],
    ['0300', 'lanes of no byte'],
    ['030100', 'no lane'],
    ['030109', 'nine lanes'],
    ['0400', 'flags of no byte'],
  ] as const) {
    assert.is(parseHello(hex(text)), undefined, why);
  }
  for (let length = 1; length < GOLDEN.length; length++) {
    const isWhole = [4, 8, 11].includes(length);
    assert.is(parseHello(GOLDEN.slice(0, length)) !== undefined, isWhole, `${length} bytes`);
  }
});

test('hello: random bytes never throw, and what is taken is within bounds', () => {
  withSeed('hello', (random: SeededRandom) => {
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(24));
      for (let at = 1; at < bytes.length; at += 3) if (random.below(2) === 0) bytes[at] = 1;
      const hello = parseHello(bytes);
      if (!hello) continue;
      taken++;
      assert.ok(hello.lanes >= 1 && hello.lanes <= 8 && hello.version >= 1);
      assert.ok(hello.suites.includes('chacha20-poly1305') && hello.suites.length <= 2);
    }
    assert.ok(taken > 100, 'some are taken');
  });
});

test.run();
