import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { count, figure, times } from '../../bench/figures.js';
import { drawPlot } from '../../bench/plot.js';
import { formatReport } from '../../bench/report.js';
import { formatMarkdown } from '../../bench/report_markdown.js';
import { makeResult } from './result.js';

const test = suite('report');

const RESULT = makeResult({
  subjects: [
    { id: 'veth', title: 'bare veth', version: '' },
    { id: 'heddle_aes', title: 'heddle AES', version: '0.1.0' },
    { id: 'wireguard_go', title: 'wireguard-go', version: '0.0.20260522-1' },
  ],
  series: [
    { subject: 'veth', measure: 'tcp_one', samples: [26.5, 4.5, 34.4] },
    { subject: 'heddle_aes', measure: 'tcp_one', samples: [5.19, 3.8, 7.1] },
    { subject: 'wireguard_go', measure: 'tcp_one', samples: [1.56, 1.4, 2.2] },
    { subject: 'heddle_aes', measure: 'rss_start', samples: [55, 55] },
  ],
  inProcess: [
    {
      direction: 'out',
      cipher: 'aes-256-gcm',
      packetBytes: 1420,
      packetsAtOnce: 45,
      peers: 10_000,
      prefixes: 100_000,
      traffic: 'all',
      samples: [700],
    },
  ],
  scale: {
    curves: [
      {
        axis: 'peers',
        points: [
          { at: 1, measures: { throughput: [5], rss: [60] } },
          { at: 10_000, measures: { throughput: [4.9] } },
        ],
      },
    ],
    idlePeerBytes: [900],
    livePeerBytes: [],
  },
  remarks: ['nebula was left out: <it> | is not here'],
});

const FIGURES: readonly [number, string][] = [
  [0, '0'],
  [0.0224, '0.0224'],
  [0.224, '0.224'],
  [1.5, '1.50'],
  [26.5, '26.5'],
  [148, '148'],
  [1480.4, '1,480'],
  [1234567, '1,234,567'],
];
for (const [value, text] of FIGURES) {
  test(`figure: ${value} reads "${text}"`, () => assert.is(figure(value), text));
}

test('figure: what is counted has no decimals', () => {
  assert.is(count(1), '1');
  assert.is(count(100_000), '100,000');
});

test('figure: a ratio says so', () => assert.is(times(3.327), '3.33x'));

test('report: has medians with their extremes, and ratios of medians', () => {
  const text = formatReport(RESULT);
  assert.match(text, /^ {2}heddle AES +5\.19 \(3\.80-7\.10\) +3\.33x/m);
  assert.match(text, /^ {2}wireguard-go +1\.56 \(1\.40-2\.20\) +1\.00x/m);
  assert.match(text, /^ {2}heddle AES +55\.0$/m);
});

test('report: names the machine, the versions, the targets and what was left out', () => {
  const text = formatReport(RESULT);
  assert.match(text, /Some Processor, 2 cores, 8 GiB; Linux 6\.1\.0/);
  assert.match(text, /heddle 0\.1\.0, wireguard-go 0\.0\.20260522-1/);
  assert.match(text, /AES-256-GCM, against wireguard-go +3\.00x +4\.00x +3\.33x +met/);
  assert.match(text, /nebula was left out/);
});

test('report: has no table of what was not measured', () => {
  const text = formatReport(RESULT);
  assert.not.match(text, /Retransmits in 10 s of/);
  assert.not.match(text, /UDP_SEGMENT/);
});

test('report: has the cost of growing tables, with gaps where nothing was measured', () => {
  const text = formatReport(RESULT);
  assert.match(text, /^ {2}10,000 +4\.90 +-$/m);
  assert.match(text, /out, aes-256-gcm, 45 x 1420 bytes, 10,000 peers, .* all in turn +700/);
});

test('markdown: is tables that what stands in them cannot break', () => {
  const text = formatMarkdown(RESULT);
  assert.match(text, /by `npm run bench` at commit `0123456789ab`/);
  assert.match(text, /\| heddle AES \| 5\.19 \(3\.80-7\.10\) \| 3\.33x \|/);
  assert.match(text, /&lt;it> \\\| is not here/);
  for (const table of text.split('\n\n').filter((part) => part.startsWith('|'))) {
    const widths = new Set(table.split('\n').map((line) => line.split(' | ').length));
    assert.is(widths.size, 1, table);
  }
});

test('plot: has a row for each subject, the best first, and whole tags', () => {
  const svg = drawPlot(RESULT);
  const titles = [...svg.matchAll(/>(bare veth|heddle AES|wireguard-go)</g)].map(
    ([, name]) => name,
  );
  assert.equal(titles, ['bare veth', 'heddle AES', 'wireguard-go']);
  assert.match(svg, /more is better/);
  assert.not.match(svg, /NaN|Infinity|undefined/);
  assert.is(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length);
});

test('plot: a run that measured nothing is still a picture', () => {
  assert.match(drawPlot(makeResult({})), /^<svg[\s\S]*<\/svg>\n$/);
});

test.run();
