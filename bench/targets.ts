/**
 * The bars that heddle is to clear, and whether this run clears them. Only the bars are written
 * down here; every value is computed from the result.
 */

import { figure, samplesOf, times } from './figures.js';
import type { BenchResult, InProcessRow, MeasureId } from './result.js';
import { hasOffloads } from './rivals.js';
import { median, ratio } from './statistics.js';

interface Bar {
  readonly title: string;
  readonly must?: number;
  readonly aim?: number;
  /** Whether the value may not be below the bar, or not above it. */
  readonly wants: 'least' | 'most';
  readonly unit: 'times' | 'MiB' | 'KiB' | '';
  readonly value: (result: BenchResult) => number | undefined;
}

export interface Verdict {
  readonly title: string;
  readonly must: string;
  readonly aim: string;
  readonly found: string;
  readonly verdict: 'aim met' | 'met' | 'aim not met' | 'NOT MET' | 'not measured';
}

const KIBIBYTE = 1024;

const BARS: readonly Bar[] = [
  against('tcp_one', 'heddle_aes', 'wireguard_go', {
    title: 'one TCP stream, AES-256-GCM, against wireguard-go',
    must: 3,
    aim: 4,
  }),
  against('tcp_one', 'heddle_chacha', 'wireguard_go', {
    title: 'one TCP stream, ChaCha20-Poly1305, against wireguard-go',
    must: 2.2,
    aim: 3,
  }),
  against('tcp_one', 'heddle_aes', 'nebula_aes', {
    title: 'one TCP stream, AES, against nebula',
    must: 1.5,
    aim: 2,
  }),
  against('tcp_one', 'heddle_chacha', 'nebula_chacha', {
    title: 'one TCP stream, ChaCha, against nebula',
    must: 1.5,
    aim: 2,
  }),
  against('tcp_one', 'heddle_aes', 'kernel_vxlan', {
    title: "one TCP stream, AES, against the kernel's VXLAN",
    must: 0.2,
    aim: 0.3,
  }),
  against('tcp_one', 'heddle_vxlan', 'proxy', {
    title: 'one TCP stream, no cipher, against one packet a syscall',
    must: 4,
  }),
  against('latency_p50', 'heddle_aes', 'wireguard_go', {
    title: 'half round trip p50, AES, against wireguard-go',
    must: 0.5,
    wants: 'most',
  }),
  against('latency_p50', 'heddle_aes', 'kernel_vxlan', {
    title: "half round trip p50, AES, against the kernel's VXLAN",
    aim: 2,
    wants: 'most',
  }),
  against('udp_counted', 'heddle_aes', 'wireguard_go', {
    title: '64-byte UDP, AES, own counters, against wireguard-go',
    must: 3,
    aim: 6,
  }),
  against('udp_counted', 'heddle_aes', 'kernel_vxlan', {
    title: "64-byte UDP, AES, own counters, against the kernel's VXLAN",
    aim: 2,
  }),
  {
    title: 'retransmits in 10 s, one stream, AES',
    must: 0,
    wants: 'most',
    unit: '',
    value: (result) => median(samplesOf(result, 'heddle_aes', 'retransmits')),
  },
  {
    title: 'ns a packet in process, 10,000 peers and 100,000 prefixes against 1 and 1',
    must: 1.1,
    aim: 1.02,
    wants: 'most',
    unit: 'times',
    value: ({ inProcess }) => tableCost(inProcess),
  },
  {
    title: 'memory a configured idle peer',
    must: 4,
    aim: 1,
    wants: 'most',
    unit: 'KiB',
    value: ({ scale }) => kibibytes(scale?.idlePeerBytes),
  },
  {
    title: 'memory a peer with a live session',
    must: 16,
    aim: 8,
    wants: 'most',
    unit: 'KiB',
    value: ({ scale }) => kibibytes(scale?.livePeerBytes),
  },
  {
    title: 'resident memory at start',
    must: 80,
    aim: 60,
    wants: 'most',
    unit: 'MiB',
    value: (result) => greatest(startMemory(result)),
  },
];

function against(
  measure: MeasureId,
  own: string,
  rival: string,
  bar: { title: string; must?: number; aim?: number; wants?: 'most' },
): Bar {
  return {
    wants: 'least',
    unit: 'times',
    ...bar,
    value: (result) => {
      if (rival === 'wireguard_go' && isOutdated(result)) return undefined;
      return ratio(samplesOf(result, own, measure), samplesOf(result, rival, measure));
    },
  };
}

/** A wireguard-go without offloads is no yardstick. */
function isOutdated({ subjects }: BenchResult): boolean {
  const version = subjects.find(({ id }) => id === 'wireguard_go')?.version;
  return version !== undefined && !hasOffloads(version);
}

/**
 * The worst ratio of any direction, cipher and size that was measured with both sizes of tables, of
 * traffic with one peer: with all in turn it is the keys of all that do not fit into the caches.
 */
function tableCost(rows: readonly InProcessRow[]): number | undefined {
  const large = rows.filter(
    ({ peers, prefixes, traffic }) => peers === 10_000 && prefixes === 100_000 && traffic === 'one',
  );
  const ratios = large.map((row) => {
    const small = rows.find(
      ({ direction, cipher, packetBytes, packetsAtOnce, peers, prefixes }) =>
        peers === 1 &&
        prefixes === 1 &&
        direction === row.direction &&
        cipher === row.cipher &&
        packetBytes === row.packetBytes &&
        packetsAtOnce === row.packetsAtOnce,
    );
    return ratio(row.samples, small?.samples);
  });
  return greatest(ratios.filter((each) => each !== undefined));
}

function greatest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

/** With either cipher: the stock form is there even when the other is not. */
function startMemory(result: BenchResult): number[] {
  return ['heddle_aes', 'heddle_chacha'].flatMap((id) => samplesOf(result, id, 'rss_start'));
}

function kibibytes(samples: readonly number[] | undefined): number | undefined {
  const bytes = median(samples ?? []);
  return bytes === undefined ? undefined : bytes / KIBIBYTE;
}

/** Every bar with what this run says of it. */
export function judgeTargets(result: BenchResult): Verdict[] {
  return BARS.map((bar) => {
    const value = bar.value(result);
    return {
      title: bar.title,
      must: say(bar, bar.must),
      aim: say(bar, bar.aim),
      found: say(bar, value),
      verdict: value === undefined ? 'not measured' : judge(bar, value),
    };
  });
}

function judge(bar: Bar, value: number): Verdict['verdict'] {
  if (bar.must !== undefined && !clears(bar, value, bar.must)) return 'NOT MET';
  if (bar.aim === undefined) return 'met';
  if (clears(bar, value, bar.aim)) return 'aim met';
  return bar.must === undefined ? 'aim not met' : 'met';
}

function clears({ wants }: Bar, value: number, bar: number): boolean {
  return wants === 'least' ? value >= bar : value <= bar;
}

function say({ unit }: Bar, value: number | undefined): string {
  if (value === undefined) return '-';
  if (unit === 'times') return times(value);
  return unit === '' ? figure(value) : `${figure(value)} ${unit}`;
}
