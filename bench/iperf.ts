/** iperf3: the words that start it, and what its JSON says. */

import { z } from 'zod';

export type TcpRun = 'tcp_one' | 'tcp_four' | 'tcp_reverse' | 'tcp_both';

const WORDS: Readonly<Record<TcpRun, readonly string[]>> = {
  tcp_one: [],
  tcp_four: ['-P', '4'],
  tcp_reverse: ['-R'],
  tcp_both: ['--bidir'],
};

export const IPERF_PORT = 5201;

export function iperfServer(address: string, port = IPERF_PORT): string[] {
  return ['iperf3', '-s', '-B', address, '-p', String(port)];
}

export function iperfClient(run: TcpRun, address: string, seconds: number): string[] {
  return clientOf({ address, seconds, port: IPERF_PORT }, WORDS[run]);
}

/** What one client takes. */
export const IPERF_MOST_STREAMS = 128;

/** Several streams to a server of their own. */
export function iperfStreams(
  to: { address: string; seconds: number; port: number },
  streams: number,
): string[] {
  return clientOf(to, ['-P', String(streams)]);
}

function clientOf(
  { address, seconds, port }: { address: string; seconds: number; port: number },
  words: readonly string[],
): string[] {
  const time = ['-t', String(seconds), '--connect-timeout', '3000'];
  return ['iperf3', '-J', '-c', address, '-p', String(port), ...time, ...words];
}

export interface TcpFigures {
  /** Received by either end, summed. */
  readonly gigabitsPerSecond: number;
  /** How much that was. */
  readonly gigabits: number;
  readonly retransmits: number;
}

const sum = z.object({
  bytes: z.number(),
  bits_per_second: z.number(),
  retransmits: z.number().optional(),
});
const document = z.object({
  error: z.string().optional(),
  end: z
    .object({
      sum_sent: sum,
      sum_received: sum,
      sum_sent_bidir_reverse: sum.optional(),
      sum_received_bidir_reverse: sum.optional(),
    })
    .optional(),
});

/** Throws with what iperf3 said where it measured nothing. */
export function parseIperf(text: string): TcpFigures {
  const { error, end } = document.parse(JSON.parse(text));
  if (end === undefined || error !== undefined) {
    throw new Error(`iperf3 measured nothing: ${error ?? 'its answer has no end'}`);
  }
  const received = [end.sum_received, end.sum_received_bidir_reverse];
  const sent = [end.sum_sent, end.sum_sent_bidir_reverse];
  const total = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((all, value) => all + (value ?? 0), 0);
  return {
    gigabitsPerSecond: total(received.map((each) => each?.bits_per_second)) / 1e9,
    gigabits: (total(received.map((each) => each?.bytes)) * 8) / 1e9,
    retransmits: total(sent.map((each) => each?.retransmits)),
  };
}
