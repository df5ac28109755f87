import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BenchResult, MeasureId } from '../../bench/result.js';
import { judgeTargets, type Verdict } from '../../bench/targets.js';
import { makeResult } from './result.js';

const test = suite('targets');

function verdictOf(result: BenchResult, title: RegExp): Verdict {
  const found = judgeTargets(result).filter((each) => title.test(each.title));
  assert.is(found.length, 1, `${title} names one target`);
  const [first] = found;
  if (first === undefined) throw new Error('unreachable');
  return first;
}

function pairOf(measure: MeasureId, own: number, rival: number): BenchResult {
  return makeResult({
    series: [
      { subject: 'heddle_aes', measure, samples: [own] },
      { subject: 'wireguard_go', measure, samples: [rival] },
    ],
  });
}

const STREAM = /AES-256-GCM, against wireguard-go/;
const MORE_IS_BETTER: readonly [number, string, string][] = [
  [2.99, '2.99x', 'NOT MET'],
  [3, '3.00x', 'met'],
  [3.99, '3.99x', 'met'],
  [4, '4.00x', 'aim met'],
];
for (const [own, found, verdict] of MORE_IS_BETTER) {
  test(`target: ${own} Gbit/s to 1 is ${verdict}`, () => {
    const judged = verdictOf(pairOf('tcp_one', own, 1), STREAM);
    assert.equal([judged.must, judged.aim, judged.found], ['3.00x', '4.00x', found]);
    assert.is(judged.verdict, verdict);
  });
}

const ROUND_TRIP = /half round trip p50, AES, against wireguard-go/;
for (const [own, verdict] of [
  [50, 'met'],
  [51, 'NOT MET'],
] as const) {
  test(`target: a round trip of ${own} to 100 is ${verdict}`, () => {
    assert.is(verdictOf(pairOf('latency_p50', own, 100), ROUND_TRIP).verdict, verdict);
  });
}

test('target: a wireguard-go without offloads is no yardstick', () => {
  const { series } = pairOf('tcp_one', 5, 1);
  const subjects = [{ id: 'wireguard_go', title: 'wireguard-go', version: '0.0.20220316-1' }];
  const judged = verdictOf(makeResult({ series, subjects }), STREAM);
  assert.equal([judged.found, judged.verdict], ['-', 'not measured']);
});

test('target: what was not measured is not met, nor missed', () => {
  for (const { verdict } of judgeTargets(makeResult({}))) assert.is(verdict, 'not measured');
});

test('target: an aim without a must can be missed without a must being missed', () => {
  const result = makeResult({
    series: [
      { subject: 'heddle_aes', measure: 'latency_p50', samples: [30] },
      { subject: 'kernel_vxlan', measure: 'latency_p50', samples: [10] },
    ],
  });
  assert.is(verdictOf(result, /p50, AES, against the kernel/).verdict, 'aim not met');
});

test('target: tables cost what the worst of all directions costs', () => {
  const packets = { packetBytes: 1420, packetsAtOnce: 1, traffic: 'one' } as const;
  const row = { cipher: 'none', ...packets, samples: [100] } as const;
  const small = { peers: 1, prefixes: 1 };
  const large = { peers: 10_000, prefixes: 100_000 };
  const inProcess = [
    { ...row, ...small, direction: 'out' },
    { ...row, ...small, direction: 'in' },
    { ...row, ...large, direction: 'out', samples: [101] },
    { ...row, ...large, direction: 'in', samples: [112] },
    { ...row, ...large, direction: 'in', samples: [900], traffic: 'all' },
    { ...row, ...large, direction: 'out', samples: [900], packetsAtOnce: 45 },
  ] as const;
  const judged = verdictOf(makeResult({ inProcess }), /ns a packet/);
  assert.equal([judged.found, judged.verdict], ['1.12x', 'NOT MET']);
});

test('target: memory is told a peer, in KiB', () => {
  const scale = { curves: [], idlePeerBytes: [1024, 2048, 4096], livePeerBytes: [16_385] };
  const result = makeResult({ scale });
  assert.is(verdictOf(result, /idle peer/).found, '2.00 KiB');
  assert.is(verdictOf(result, /live session/).verdict, 'NOT MET');
});

test('target: retransmits may be none, and one is too many', () => {
  const judge = (samples: number[]): string =>
    verdictOf(
      makeResult({ series: [{ subject: 'heddle_aes', measure: 'retransmits', samples }] }),
      /retransmits/,
    ).verdict;
  assert.is(judge([0]), 'met');
  assert.is(judge([1]), 'NOT MET');
});

test.run();
