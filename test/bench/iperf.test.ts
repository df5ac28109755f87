import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { iperfClient, parseIperf } from '../../bench/iperf.js';

const test = suite('iperf');

/** As iperf3 3.12 writes them, without what is not read. */
const SENT = { bytes: 125_000_000, bits_per_second: 1.01e9, retransmits: 3, sender: true };
const RECEIVED = { bytes: 124_000_000, bits_per_second: 1e9, sender: true };

test('iperf: counts what was received, and what was sent again', () => {
  const found = parseIperf(
    JSON.stringify({ start: {}, end: { streams: [], sum_sent: SENT, sum_received: RECEIVED } }),
  );
  assert.equal(found, { gigabitsPerSecond: 1, gigabits: 0.992, retransmits: 3 });
});

test('iperf: adds both directions', () => {
  const end = {
    sum_sent: SENT,
    sum_received: RECEIVED,
    sum_sent_bidir_reverse: { ...SENT, retransmits: 4 },
    sum_received_bidir_reverse: { bytes: 1_000_000, bits_per_second: 0.5e9 },
  };
  const found = parseIperf(JSON.stringify({ end }));
  assert.equal(found, { gigabitsPerSecond: 1.5, gigabits: 1, retransmits: 7 });
});

const BROKEN: readonly [string, string, RegExp][] = [
  [
    'says why it measured nothing',
    '{"start":{},"error":"unable to connect to server"}',
    /unable to connect/,
  ],
  ['refuses an answer without an end', '{"start":{}}', /no end/],
  ['refuses an end without sums', '{"end":{}}', /sum_sent/],
  ['refuses no answer', '', /JSON/],
];

for (const [what, text, expected] of BROKEN) {
  test(`iperf: ${what}`, () => assert.throws(() => parseIperf(text), expected));
}

test('iperf: is told the direction and the streams', () => {
  const words = (run: Parameters<typeof iperfClient>[0]): string =>
    iperfClient(run, '10.0.0.1', 2).join(' ');
  assert.match(words('tcp_one'), /^iperf3 -J -c 10\.0\.0\.1 .*-t 2\b/);
  assert.not.match(words('tcp_one'), /-P|-R|--bidir/);
  assert.match(words('tcp_four'), /-P 4/);
  assert.match(words('tcp_reverse'), /-R/);
  assert.match(words('tcp_both'), /--bidir/);
});

test.run();
