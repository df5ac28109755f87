/**
 * What is asked of a run, and what follows from it: which measures, for how long, how often.
 *
 *   npm run bench                      everything, about 10 minutes; writes bench/README.md
 *   npm run bench -- --quick           the main measures, about 2 minutes; prints only
 *   --only ID,ID...                    of the subjects, these
 *   --rounds N                         instead of 5
 *   --json FILE                        where the figures go
 *   --no-scale                         without the part on growing cost
 *   --no-in-process                    without nanoseconds a packet in process
 *   --offline                          no look at Debian's archive for newer rivals
 *   --mirror URL                       where that archive is
 *   --write, --no-write                write bench/README.md and the plot, or do not
 */

import { parseArgs } from 'node:util';

export interface Options {
  readonly isQuick: boolean;
  /** Ids of subjects; empty for all. */
  readonly only: readonly string[];
  readonly rounds: number;
  readonly json?: string;
  readonly withScale: boolean;
  readonly withInProcess: boolean;
  readonly isOffline: boolean;
  readonly mirror: string;
  /** Whether bench/README.md and the plot are written. */
  readonly writes: boolean;
}

/** Said to the person who typed the command. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'OPTION';
}

const ROUNDS = 5;
const MOST_ROUNDS = 1000;
const MIRROR = 'http://deb.debian.org/debian';

/** Throws OptionError for what it does not know. */
export function parseOptions(words: readonly string[]): Options {
  const values = parseWords(words);
  const rounds = values.rounds === undefined ? ROUNDS : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new OptionError(`--rounds is a number from 1 to ${MOST_ROUNDS}, not "${values.rounds}"`);
  }
  const isQuick = values.quick ?? false;
  const only = (values.only ?? '').split(',').filter((id) => id !== '');
  return {
    isQuick,
    only,
    rounds,
    ...(values.json === undefined ? {} : { json: values.json }),
    withScale: !isQuick && values['no-scale'] !== true,
    withInProcess: values['no-in-process'] !== true,
    isOffline: values.offline ?? false,
    mirror: values.mirror ?? MIRROR,
    writes: values.write ?? (!isQuick && only.length === 0 && values['no-write'] !== true),
  };
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'string' },
        'no-scale': { type: 'boolean' },
        'no-in-process': { type: 'boolean' },
        offline: { type: 'boolean' },
        mirror: { type: 'string' },
        write: { type: 'boolean' },
        'no-write': { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

/** How long each part of a round takes, for one subject. */
export interface Plan {
  readonly rounds: number;
  /** iperf3 counts in whole seconds. */
  readonly tcpSeconds: number;
  /** Which runs of iperf3 there are in a round. */
  readonly tcp: readonly ('tcp_one' | 'tcp_four' | 'tcp_reverse' | 'tcp_both')[];
  readonly floods: readonly ('single' | 'batch')[];
  readonly floodMs: number;
  /** Of sockperf's own warm-up of 400 ms and what counts after it. */
  readonly latencyMs: number;
  /** Every how many rounds latency is measured. */
  readonly latencyEvery: number;
  /** One long stream a subject, to count retransmits; 0 for none. */
  readonly longSeconds: number;
}

/** The sums are in test/bench/options.test.ts, for eleven subjects and five rounds. */
export function planOf({ isQuick, rounds }: Options): Plan {
  if (isQuick) {
    return {
      rounds,
      tcpSeconds: 1,
      tcp: ['tcp_one'],
      floods: ['single'],
      floodMs: 200,
      latencyMs: 750,
      latencyEvery: 2,
      longSeconds: 0,
    };
  }
  return {
    rounds,
    tcpSeconds: 1,
    tcp: ['tcp_one', 'tcp_four', 'tcp_reverse', 'tcp_both'],
    floods: ['single', 'batch'],
    floodMs: 300,
    latencyMs: 1000,
    latencyEvery: 1,
    longSeconds: 10,
  };
}
