import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Address, addressFromBytes } from '../../src/base/address.js';
import { storeBe32 } from '../../src/base/bytes.js';
import { SeededRandom } from '../../src/base/random.js';
import { after, type Instant, instant, millis, seconds } from '../../src/base/time.js';
import { LIMITER_SOURCES } from '../../src/session/constants.js';
import { RateLimiter } from '../../src/session/rate_limiter.js';
import { address } from '../support/parsed.js';

const test = suite('rate_limiter');
const START = instant(seconds(1));

function create(): RateLimiter {
  return new RateLimiter(new SeededRandom('rate limiter'));
}

function ipv4(number: number): Address {
  const bytes = new Uint8Array(4);
  storeBe32(bytes, 0, number);
  return addressFromBytes(bytes, 0, 4);
}

/** How many of `count` messages at `now` pass. */
function passed(limiter: RateLimiter, source: Address, count: number, now: Instant): number {
  let allowed = 0;
  for (let i = 0; i < count; i++) if (limiter.ask(source, now) === 'allowed') allowed++;
  return allowed;
}

test('rate limiter: a source may burst 5 and then has 20 a second (WireGuard §5.3)', () => {
  const limiter = create();
  const source = address('192.0.2.1');
  assert.is(passed(limiter, source, 100, START), 5);
  const steps: readonly (readonly [ms: number, allowed: number, why: string])[] = [
    [49, 0, 'one token takes 50 ms'],
    [50, 1, 'exactly 50 ms'],
    [150, 2, '100 ms more'],
    [1150, 5, 'a second refills the burst and no more'],
    [100_000, 5, 'however long it waits'],
  ];
  for (const [ms, allowed, why] of steps) {
    assert.is(passed(limiter, source, 100, after(START, millis(ms))), allowed, why);
  }
});

test('rate limiter: refused messages cost the source nothing', () => {
  const limiter = create();
  const source = address('192.0.2.1');
  passed(limiter, source, 1000, START);
  assert.is(passed(limiter, source, 1, after(START, millis(50))), 1);
});

test('rate limiter: counts each IPv4 address and each IPv6 /64 for itself', () => {
  const limiter = create();
  passed(limiter, address('192.0.2.1'), 5, START);
  passed(limiter, address('2001:db8:0:1::1'), 5, START);
  const rows: readonly (readonly [text: string, allowed: boolean])[] = [
    ['192.0.2.1', false],
    ['192.0.2.2', true],
    ['193.0.2.1', true],
    ['2001:db8:0:1::2', false],
    ['2001:db8:0:1:ffff::1', false],
    ['2001:db8:0:2::1', true],
    ['2001:db9:0:1::1', true],
    ['0:0:c000:201::', true],
  ];
  for (const [text, allowed] of rows) {
    assert.is(limiter.ask(address(text), START) === 'allowed', allowed, text);
  }
});

test('rate limiter: entry 65,537 is refused, and the others are not affected', () => {
  const limiter = create();
  for (let i = 0; i < LIMITER_SOURCES; i++) {
    if (limiter.ask(ipv4(i), START) !== 'allowed') assert.unreachable(`source ${i} is refused`);
  }
  assert.is(limiter.size, LIMITER_SOURCES);
  assert.is(limiter.ask(ipv4(LIMITER_SOURCES), START), 'limiter_full');
  assert.is(limiter.ask(ipv4(0), START), 'allowed');
  assert.is(limiter.ask(ipv4(LIMITER_SOURCES - 1), START), 'allowed');
  assert.is(limiter.size, LIMITER_SOURCES);
});

test('rate limiter: sources whose buckets are full make room, once a second at most', () => {
  const limiter = create();
  for (let i = 0; i < LIMITER_SOURCES; i++) limiter.ask(ipv4(i), START);
  passed(limiter, ipv4(7), 4, START);
  const later = after(START, millis(100));
  assert.is(limiter.ask(ipv4(LIMITER_SOURCES), later), 'allowed', 'a sweep made room');
  assert.is(limiter.size, 2, 'only the source that is still limited was kept');
  assert.is(passed(limiter, ipv4(7), 9, later), 2, 'and it is as limited as before');
  for (let i = 0; i < LIMITER_SOURCES; i++) limiter.ask(ipv4(1_000_000 + i), later);
  const soon = after(START, millis(500));
  assert.is(limiter.ask(ipv4(1), soon), 'limiter_full', 'the next sweep is not due');
  assert.is(limiter.ask(ipv4(1), after(START, millis(1100))), 'allowed');
});

test.run();
