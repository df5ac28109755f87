import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  cpuSeconds,
  cpuSecondsOf,
  machineSecondsOf,
  residentMebibytes,
  residentMebibytesOf,
} from '../../bench/processes.js';

const test = suite('processes');

test('processes: user and system time are found behind any name', () => {
  const stat = '42 (a) S (b c)) S 1 42 42 0 -1 4194560 900 0 0 0 150 25 7 8 20 0 5 0 300 1 2';
  assert.is(cpuSecondsOf(stat), 1.75);
});

test('processes: the machine is busy with all but idling and waiting', () => {
  const stat = 'cpu  100 20 30 9999 8888 4 6 7777 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n';
  assert.is(machineSecondsOf(stat), 1.6);
});

test('processes: resident memory is told in MiB', () => {
  assert.is(residentMebibytesOf('Name:\tx\nVmHWM:\t 9999 kB\nVmRSS:\t    2560 kB\n'), 2.5);
  assert.is(residentMebibytesOf('Name:\tzombie\n'), 0);
});

test('processes: this one has memory and has used the processor', () => {
  assert.ok(residentMebibytes(process.pid) > 1);
  assert.ok(cpuSeconds([process.pid]) > 0);
});

test.run();
