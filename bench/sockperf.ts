/** sockperf: the words that start it, and what it prints. */

export const SOCKPERF_PORT = 11111;
/** What it prints when it begins to measure; before that it sleeps for two seconds. */
export const SOCKPERF_BEGINS = 'Starting test';
const MESSAGE_BYTES = 64;

export function sockperfServer(address: string): string[] {
  return ['sockperf', 'server', '-i', address, '-p', String(SOCKPERF_PORT)];
}

/** Runs until it is interrupted, at most for `seconds`. */
export function sockperfClient(address: string, seconds: number): string[] {
  const to = ['-i', address, '-p', String(SOCKPERF_PORT)];
  return ['sockperf', 'ping-pong', ...to, '-m', String(MESSAGE_BYTES), '-t', String(seconds)];
}

export interface Latency {
  /** Half a round trip, microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Throws where it observed nothing. */
export function parseSockperf(text: string): Latency {
  const percentile = (which: string): number => {
    const found = new RegExp(`percentile ${which.replace('.', '\\.')} =\\s*([0-9.]+)`).exec(text);
    if (found === null) throw new Error(`sockperf measured nothing: ${lastLine(text)}`);
    return Number(found[1]);
  };
  return { p50: percentile('50.000'), p99: percentile('99.000') };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
