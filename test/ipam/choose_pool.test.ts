import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { choosePool, collisionOf } from '../../src/ipam/choose_pool.js';
import { overlaps } from '../../src/ipam/overlap.js';
import { prefix } from '../support/parsed.js';
import { withSeed } from '../support/seed.js';

const test = suite('ipam/choose pool');

function chosen(used: readonly string[], chance: number, wantsSubnets = false): string {
  const choice = choosePool(used.map(prefix), chance, wantsSubnets);
  return choice.kind === 'chosen' ? choice.pool.text : 'none';
}

for (const [used, chance, wantsSubnets, expected, why] of [
  [[], 77, false, '10.77.0.0/16', 'as chance has it'],
  [[], 77 + 256, false, '10.77.0.0/16', 'as chance has it'],
  [[], 0, false, '10.3.0.0/16', 'not what everybody takes'],
  [['10.77.8.0/24'], 77, false, '10.78.0.0/16', 'a route is in the way'],
  [['10.77.1.1/32'], 77, false, '10.78.0.0/16', 'an address is in the way'],
  [['10.255.0.0/16'], 255, false, '10.3.0.0/16', 'around the end'],
  [['0.0.0.0/0'], 77, false, '10.77.0.0/16', 'a default route is in nobody’s way'],
  [['0.0.0.0/1', '128.0.0.0/1'], 77, false, '10.77.0.0/16', 'a default route in halves'],
  [['10.0.0.0/8'], 3, false, '172.19.0.0/16', 'all of 10/8 is taken'],
  [['10.0.0.0/8', '172.16.0.0/12'], 3, false, '192.168.0.0/16', 'two are taken'],
  [
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/24'],
    3,
    false,
    '100.67.0.0/16',
    'a part of the third is',
  ],
  [
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/24', '100.64.0.0/10'],
    0,
    false,
    '192.168.16.0/20',
    'what is left',
  ],
  [[], 5, true, '10.80.0.0/12', 'subnets need more'],
  [[], 0, true, '10.16.0.0/12', 'not what everybody takes'],
  [['10.0.0.0/8'], 5, true, '172.16.0.0/12', 'all of 10/8 is taken'],
  [['10.0.0.0/8', '172.17.0.0/16'], 0, true, '172.24.0.0/13', 'a container bridge'],
  [['10.0.0.0/8', '172.16.0.0/12'], 2, true, '100.96.0.0/12', 'two are taken'],
] as const) {
  const what = wantsSubnets ? 'with subnets' : 'without subnets';
  test(`choose pool: ${expected} ${what}: ${why}; used ${used.join(' ')} at ${chance}`, () => {
    assert.is(chosen(used, chance, wantsSubnets), expected);
  });
}

test('choose pool: says so when nothing is left', () => {
  const used = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map(prefix);
  for (const wantsSubnets of [false, true]) {
    const choice = choosePool(used, 1, wantsSubnets);
    assert.is(choice.kind, 'none');
    if (choice.kind === 'none') assert.match(choice.reason, /which prefix/);
  }
});

test('choose pool: takes what everybody takes when that is all there is', () => {
  const used = Array.from({ length: 256 }, (_, i) => `10.${i}.0.0/16`).filter(
    (text) => text !== '10.42.0.0/16',
  );
  assert.is(chosen(used, 200), '10.42.0.0/16');
});

test('choose pool: shares no address with any route, whatever the routes and the chance', () => {
  withSeed('pools', (random) => {
    for (let i = 0; i < 300; i++) {
      const used = Array.from({ length: random.below(40) }, () => {
        const first = [10, 172, 192, 100][random.below(4)];
        const length = 8 + random.below(25);
        return prefix(`${first}.${random.below(256)}.${random.below(256)}.0/${length}`);
      });
      const choice = choosePool(used, random.u32(), random.below(2) === 0);
      if (choice.kind === 'none') continue;
      for (const route of used) assert.not.ok(overlaps(choice.pool, route), route.text);
    }
  });
});

test('choose pool: names what another prefix collides with', () => {
  const used = ['::/0', 'fd11::/16', '10.0.0.0/8'].map(prefix);
  assert.is(collisionOf(prefix('fd11:1:2::/48'), used)?.text, 'fd11::/16');
  assert.is(collisionOf(prefix('fd12:1:2::/48'), used), undefined);
});

test.run();
