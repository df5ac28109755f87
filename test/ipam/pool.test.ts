import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeId } from '../../src/base/identifiers.js';
import { blockOf, Pool, poolOf, prefixAt, type Slot } from '../../src/ipam/pool.js';
import { prefix } from '../support/parsed.js';

const test = suite('ipam/pool');

const NODE = nodeId('0123456789abcdef');

for (const [pool, leased, expected, why] of [
  ['10.5.0.0/16', '10.5.0.1/32', 'address', 'the first'],
  ['10.5.0.0/16', '10.5.0.0/32', undefined, 'the network itself'],
  ['10.5.0.0/16', '10.5.1.0/32', undefined, 'ends in 0'],
  ['10.5.0.0/16', '10.5.1.255/32', undefined, 'ends in 255'],
  ['10.5.0.0/16', '10.5.127.254/32', 'address', 'the last of the lower half'],
  ['10.5.0.0/16', '10.5.128.1/32', undefined, 'in the upper half'],
  ['10.5.0.0/16', '10.4.255.254/32', undefined, 'before the pool'],
  ['10.5.0.0/16', '10.5.128.0/24', 'subnet', 'the first subnet'],
  ['10.5.0.0/16', '10.5.255.0/24', 'subnet', 'the last subnet'],
  ['10.5.0.0/16', '10.5.127.0/24', undefined, 'a subnet in the lower half'],
  ['10.5.0.0/16', '10.5.128.0/18', 'subnet', 'a half of the upper half'],
  ['10.5.0.0/16', '10.5.128.0/17', undefined, 'all of the upper half'],
  ['10.5.0.0/16', '10.0.0.0/8', undefined, 'around the pool'],
  ['10.5.0.0/16', '0.0.0.0/0', undefined, 'everything'],
  ['10.5.0.0/16', '10.5.128.0/30', 'subnet', 'the longest subnet'],
  ['10.5.0.0/16', '10.5.128.0/31', undefined, 'longer than a subnet is'],
  ['10.5.0.0/16', 'fd00::1/128', undefined, 'another family'],
  ['0.0.0.0/0', '0.0.0.1/32', 'address', 'at the lowest addresses'],
  ['0.0.0.0/0', '0.0.0.0/32', undefined, 'at the lowest addresses'],
  ['0.0.0.0/0', '255.255.255.252/30', 'subnet', 'at the highest addresses'],
  ['0.0.0.0/0', '0.0.0.0/0', undefined, 'itself'],
  ['255.255.255.0/24', '255.255.255.127/32', 'address', 'at the highest addresses'],
  ['255.255.255.0/24', '255.255.255.255/32', undefined, 'in the upper half'],
  ['255.255.255.0/24', '255.255.255.252/30', 'subnet', 'at the highest addresses'],
  ['10.0.0.128/25', '10.0.0.129/32', 'address', 'a small pool'],
  ['10.0.0.128/25', '10.0.0.128/32', undefined, 'the network itself'],
  ['10.0.0.4/30', '10.0.0.5/32', 'address', 'the only one of four'],
  ['10.0.0.4/30', '10.0.0.6/32', undefined, 'in the upper half'],
  ['10.0.0.4/31', '10.0.0.4/32', 'address', 'a pool of two has no network address'],
  ['10.0.0.4/31', '10.0.0.5/32', 'address', 'a pool of two has no broadcast address'],
  ['10.0.0.4/31', '10.0.0.6/32', undefined, 'behind a pool of two'],
  ['255.255.255.255/32', '255.255.255.255/32', 'address', 'a pool of one'],
  ['0.0.0.0/32', '0.0.0.0/32', 'address', 'a pool of one'],
] as const) {
  test(`pool: ${leased} of ${pool} is leased as ${expected ?? 'nothing'}: ${why}`, () => {
    assert.is(new Pool(prefix(pool)).slotOf(prefix(leased)), expected);
  });
}

test('pool: of IPv4 only', () => {
  assert.is(poolOf(prefix('fd00::/64')), undefined);
  assert.is(poolOf(prefix('10.0.0.0/24'))?.prefix.text, '10.0.0.0/24');
});

test('pool: blocks of the highest addresses do not wrap', () => {
  assert.equal(blockOf(prefix('255.255.255.254/31')), { start: 2 ** 32 - 2, end: 2 ** 32 });
  assert.equal(blockOf(prefix('0.0.0.0/0')), { start: 0, end: 2 ** 32 });
  assert.is(prefixAt(2 ** 32 - 1, 32).text, '255.255.255.255/32');
});

test('pool: a candidate is a block of the half, for pools of all lengths', () => {
  for (let length = 0; length <= 32; length++) {
    const pool = new Pool(prefix(`255.255.255.255/${length}`));
    const kinds: [Slot, number][] = [['address', 32]];
    for (let subnet = 1; subnet <= 30; subnet++) {
      if (pool.hasSubnets(subnet)) kinds.push(['subnet', subnet]);
    }
    for (const [slot, size] of kinds) {
      for (let attempt = 0; attempt < 20; attempt++) {
        const start = pool.candidate(NODE, slot, size, attempt);
        const found = pool.slotOf(prefixAt(start, size));
        assert.is(found, slot === 'address' && !pool.isUsable(start) ? undefined : slot);
        assert.is(start % 2 ** (32 - size), 0);
      }
    }
  }
});

test('pool: candidates are the same each time, and others for another node and attempt', () => {
  const pool = new Pool(prefix('10.0.0.0/8'));
  const first = pool.candidate(NODE, 'address', 32, 0);
  assert.is(pool.candidate(NODE, 'address', 32, 0), first);
  assert.is.not(pool.candidate(NODE, 'address', 32, 1), first);
  assert.is.not(pool.candidate(nodeId('0123456789abcdee'), 'address', 32, 0), first);
});

test('pool: candidates are spread over the half', () => {
  const pool = new Pool(prefix('10.5.0.0/16'));
  const quarters = [0, 0, 0, 0];
  for (let i = 0; i < 400; i++) {
    const at = pool.candidate(NODE, 'subnet', 24, i) - pool.half('subnet').start;
    const quarter = Math.floor(at / 2 ** 13);
    quarters[quarter] = (quarters[quarter] ?? 0) + 1;
  }
  for (const count of quarters) assert.ok(count > 60 && count < 140, `${quarters}`);
});

test.run();
