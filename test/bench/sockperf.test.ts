import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSockperf, SOCKPERF_BEGINS, sockperfClient } from '../../bench/sockperf.js';

const test = suite('sockperf');

/** As sockperf 3.7 prints it. */
const PRINTED = `sockperf: Warmup stage (sending a few dummy messages)...
sockperf: Starting test...
sockperf: Test end (interrupted by user)
sockperf: ========= Printing statistics for Server No: 0
sockperf: [Valid Duration] RunTime=0.550 sec; SentMessages=7193; ReceivedMessages=7193
sockperf: \x1b[2;35m====> avg-latency=38.193 (std-dev=13.228)\x1b[0m
sockperf: Summary: Latency is 38.193 usec
sockperf: ---> <MAX> observation =  654.807
sockperf: ---> percentile 99.999 =  650.000
sockperf: ---> percentile 99.900 =  129.541
sockperf: ---> percentile 99.000 =   66.643
sockperf: ---> percentile 50.000 =   36.589
sockperf: ---> <MIN> observation =    9.554
`;

test('sockperf: reads the percentiles', () => {
  assert.equal(parseSockperf(PRINTED), { p50: 36.589, p99: 66.643 });
});

test('sockperf: begins with the line that is waited for', () => {
  assert.ok(PRINTED.includes(SOCKPERF_BEGINS));
});

test('sockperf: says why it observed nothing', () => {
  const printed = 'sockperf: Test ended\nsockperf: No messages were sent\n';
  assert.throws(() => parseSockperf(printed), /No messages were sent/);
});

test('sockperf: sends 64 bytes', () => {
  assert.match(sockperfClient('10.0.0.1', 5).join(' '), /ping-pong -i 10\.0\.0\.1 .*-m 64 -t 5/);
});

test.run();
