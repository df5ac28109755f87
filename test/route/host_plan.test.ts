import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInterfaceAddress } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import {
  FALLBACK_MTU,
  GREATEST_MTU,
  type HostStep,
  innerMtu,
  LEAST_MTU,
  type PlanInput,
  planHost,
  gsoLimits,
} from '../../src/route/host_plan.js';
import { prefix } from '../support/parsed.js';

const plan = suite('host plan');

interface Wanted extends Partial<Omit<PlanInput, 'addresses' | 'allowedIps'>> {
  readonly addresses?: readonly string[];
  readonly allowedIps?: readonly string[];
}

function planOf({ addresses = [], allowedIps = [], ...rest }: Wanted) {
  return planHost({
    addresses: addresses.map((text) => present(parseInterfaceAddress(text), 'an address')),
    allowedIps: allowedIps.map((text) => prefix(text)),
    mtu: 1420,
    messageOverhead: 32,
    table: 'auto',
    fwMark: 0,
    freeTable: () => 51_820,
    ...rest,
  });
}

/** A step as one would type it. */
function textOf(step: HostStep): string {
  switch (step.kind) {
    case 'link':
      return `link mtu ${step.mtu}`;
    case 'address':
      return `address ${step.address.text}`;
    case 'route':
      return `route ${step.prefix.text}${step.table === undefined ? '' : ` table ${step.table}`}`;
    case 'answerRules':
      return `rule -${step.family} answers`;
    case 'markRule':
      return `rule -${step.family} not fwmark ${step.mark} table ${step.table}`;
    case 'mainRule':
      return `rule -${step.family} main without default`;
    case 'validMark':
      return 'src_valid_mark';
  }
}

const ROWS: readonly (readonly [why: string, wanted: Wanted, mark: number, steps: string[]])[] = [
  ['nothing but the link', {}, 0, []],
  [
    'addresses in their order, then routes, the longest first',
    { addresses: ['10.0.0.1/24', 'fd00::1/64'], allowedIps: ['10.0.0.0/8', '10.9.0.0/16'] },
    0,
    ['address 10.0.0.1/24', 'address fd00::1/64', 'route 10.9.0.0/16', 'route 10.0.0.0/8'],
  ],
  [
    'no route to what an address puts on the link already, or to a part of it',
    {
      addresses: ['10.0.0.1/24', 'fd00::1/64'],
      allowedIps: ['10.0.0.0/24', '10.0.0.2/32', 'fd00::2/128', '10.0.0.0/23'],
    },
    0,
    ['address 10.0.0.1/24', 'address fd00::1/64', 'route 10.0.0.0/23'],
  ],
  [
    'a host address puts nothing on the link but itself',
    { addresses: ['10.0.0.1/32'], allowedIps: ['10.0.0.1/32', '10.0.0.2/32'] },
    0,
    ['address 10.0.0.1/32', 'route 10.0.0.2/32'],
  ],
  [
    'one route for a prefix that two peers name',
    { allowedIps: ['10.1.0.0/16', '10.1.0.0/16'] },
    0,
    ['route 10.1.0.0/16'],
  ],
  [
    'an address puts nothing on the link of another family',
    { addresses: ['fd00::1/24', '::1/0'], allowedIps: ['253.0.0.0/32'] },
    0,
    ['address fd00::1/24', 'address ::1/0', 'route 253.0.0.0/32'],
  ],
  [
    'a table of its own, and no rules, for a default route too',
    { table: 7, allowedIps: ['10.1.0.0/16', '0.0.0.0/0'] },
    0,
    ['route 10.1.0.0/16 table 7', 'route 0.0.0.0/0 table 7'],
  ],
  [
    'what an address puts on the link is in the main table, and no other',
    { table: 7, addresses: ['10.1.0.1/16'], allowedIps: ['10.1.0.2/32', '10.1.0.2/32'] },
    0,
    ['address 10.1.0.1/16', 'route 10.1.0.2/32 table 7'],
  ],
  [
    'no route at all with "off"',
    { table: 'off', addresses: ['10.0.0.1/24'], allowedIps: ['10.1.0.0/16', '0.0.0.0/0'] },
    0,
    ['address 10.0.0.1/24'],
  ],
  ['the mark is kept with "off"', { table: 'off', fwMark: 9, allowedIps: ['::/0'] }, 9, []],
  ['the mark is kept with a table', { table: 7, fwMark: 9 }, 9, []],
  [
    'the mark is kept without a default route',
    { fwMark: 9, allowedIps: ['10.1.0.0/16'] },
    9,
    ['route 10.1.0.0/16'],
  ],
  [
    'an IPv4 default route, as wg-quick makes it',
    { allowedIps: ['0.0.0.0/0'] },
    51_820,
    [
      'route 0.0.0.0/0 table 51820',
      'rule -4 answers',
      'rule -4 not fwmark 51820 table 51820',
      'rule -4 main without default',
      'src_valid_mark',
    ],
  ],
  [
    'an IPv6 default route needs no src_valid_mark',
    { allowedIps: ['::/0'] },
    51_820,
    [
      'route ::/0 table 51820',
      'rule -6 answers',
      'rule -6 not fwmark 51820 table 51820',
      'rule -6 main without default',
    ],
  ],
  [
    'both default routes under the mark of the configuration, beside another route',
    { fwMark: 77, allowedIps: ['0.0.0.0/0', '10.1.0.0/16', '::/0'] },
    77,
    [
      'route 10.1.0.0/16',
      'route 0.0.0.0/0 table 77',
      'rule -4 answers',
      'rule -4 not fwmark 77 table 77',
      'rule -4 main without default',
      'route ::/0 table 77',
      'rule -6 answers',
      'rule -6 not fwmark 77 table 77',
      'rule -6 main without default',
      'src_valid_mark',
    ],
  ],
  ...[253, 254, 255].map((fwMark): (typeof ROWS)[number] => [
    `mark ${fwMark} does not lead a default route into a table of the system's`,
    { fwMark, allowedIps: ['::/0'] },
    fwMark,
    [
      'route ::/0 table 51820',
      'rule -6 answers',
      `rule -6 not fwmark ${fwMark} table 51820`,
      'rule -6 main without default',
    ],
  ]),
];

for (const [why, wanted, mark, steps] of ROWS) {
  plan(`host plan: ${why}`, () => {
    const made = planOf(wanted);
    assert.equal(made.steps.map(textOf), ['link mtu 1420', ...steps]);
    assert.is(made.mark, mark);
  });
}

plan('host plan: asks for a free table only where a default route needs one', () => {
  const freeTable = (): number => {
    throw new Error('asked for a table');
  };
  planOf({ allowedIps: ['10.0.0.0/8'], freeTable });
  planOf({ allowedIps: ['0.0.0.0/0'], table: 5, freeTable });
  planOf({ allowedIps: ['0.0.0.0/0'], fwMark: 5, freeTable });
  assert.throws(() => planOf({ allowedIps: ['0.0.0.0/0'], freeTable }), 'asked for a table');
});

plan('host plan: two halves of the address space are routes like any other', () => {
  const { mark, steps } = planOf({ allowedIps: ['0.0.0.0/1', '128.0.0.0/1'] });
  assert.equal(steps.map(textOf), ['link mtu 1420', 'route 0.0.0.0/1', 'route 128.0.0.0/1']);
  assert.is(mark, 0);
});

plan('host plan: the inner MTU keeps its bounds, whatever the underlay claims (row 13)', () => {
  const rows: readonly (readonly [why: string, underlay: readonly number[], mtu: number])[] = [
    ['nothing known', [], FALLBACK_MTU],
    ['Ethernet', [1500], 1420],
    ['the smallest of several', [9000, 1500, 1492], 1412],
    ['loopback', [65_536], GREATEST_MTU],
    ['jumbo', [9000], 8920],
    ['just enough', [1360], 1280],
    ['too small for IPv6', [1359], LEAST_MTU],
    ['forged', [68], LEAST_MTU],
    ['forged', [0, 1500], 1420],
    ['forged', [0], FALLBACK_MTU],
    ['nonsense', [-1], FALLBACK_MTU],
    ['nonsense', [2 ** 32], GREATEST_MTU],
  ];
  for (const [why, underlay, expected] of rows) {
    const ways = underlay.map((mtu) => ({ mtu, overhead: 80 }));
    assert.is(innerMtu(ways), expected, why);
  }
});

plan('host plan: the inner MTU leaves each way room for the encapsulation that goes there', () => {
  const way = (mtu: number, overhead: number) => ({ mtu, overhead });
  assert.is(innerMtu([way(1500, 50)]), 1450);
  assert.is(innerMtu([way(1500, 50), way(1500, 88)]), 1412);
  assert.is(innerMtu([way(1450, 28), way(1500, 80)]), 1420);
  assert.is(innerMtu([way(0, 88), way(0, 28)]), 1412, 'nothing known: Ethernet everywhere');
});

plan('host plan: a super-packet is what one UDP send holds, by bytes and by segments', () => {
  const rows: readonly (readonly [mtu: number, overhead: number, segments: number])[] = [
    [1420, 32, 45],
    [1412, 40, 45],
    [1420, 40, 44],
    [1450, 22, 44],
    [1280, 32, 49],
    [576, 32, 63],
    [8920, 32, 7],
    [GREATEST_MTU, 32, 1],
  ];
  for (const [mtu, messageOverhead, segments] of rows) {
    const { gsoMaxSegments, gsoMaxBytes } = gsoLimits(mtu, messageOverhead);
    assert.is(gsoMaxSegments, segments, `${mtu}`);
    assert.ok(segments * (mtu + messageOverhead) <= 65_507, `${mtu}`);
    assert.ok(gsoMaxBytes >= segments * (mtu - 60) && gsoMaxBytes <= 65_536, `${mtu}`);
    const [first] = planOf({ mtu, messageOverhead }).steps;
    assert.equal(first, { kind: 'link', mtu, gso: { gsoMaxSegments, gsoMaxBytes } });
  }
});

plan.run();
