/** What processes and the machine have used, read from /proc. */

import { readFileSync } from 'node:fs';

/** The kernel tells times in hundredths of a second on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat after the command in parentheses: state is the first, number 3. */
const FIRST_FIELD = 3;
const [UTIME, STIME] = [14, 15];
/** Of the first line of /proc/stat after `cpu`: idle and iowait do not count as used. */
const IDLE = 3;
const IOWAIT = 4;
/** user, nice, system, idle, iowait, irq, softirq; steal and guest are others' time. */
const OWN_FIELDS = 7;

/** Processor seconds of all threads of these processes, user and system. */
export function cpuSeconds(pids: readonly number[]): number {
  const each = pids.map((pid) => cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

/** Judges the text of /proc/PID/stat. The command may hold spaces and parentheses. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [UTIME, STIME].map((field) => Number(fields[field - FIRST_FIELD]));
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

/** Processor seconds that the whole machine has been busy. */
export function machineSeconds(): number {
  return machineSecondsOf(readFileSync('/proc/stat', 'utf8'));
}

/** Judges the text of /proc/stat. */
export function machineSecondsOf(stat: string): number {
  const [line = ''] = stat.split('\n');
  const fields = line
    .trim()
    .split(/\s+/)
    .slice(1, 1 + OWN_FIELDS)
    .map(Number);
  const busy = fields.filter((_, i) => i !== IDLE && i !== IOWAIT);
  return busy.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

/** Resident memory in MiB. */
export function residentMebibytes(pid: number): number {
  return residentMebibytesOf(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Judges the text of /proc/PID/status; 0 for a process that has none. */
export function residentMebibytesOf(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}
