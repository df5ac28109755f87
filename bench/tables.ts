/** The tables of a report, as titles and cells; who prints them knows how. */

import { count, figure, inProcessTitle, samplesOf, times } from './figures.js';
import {
  type BenchResult,
  type MeasureId,
  SCALE_AXES,
  SCALE_MEASURES,
  type ScaleCurve,
  type ScaleMeasureId,
} from './result.js';
import { ratio, summarize, type Summary } from './statistics.js';
import { judgeTargets } from './targets.js';

export interface Table {
  readonly title: string;
  /** The first column is text, the others are figures. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const NONE = '-';

/** Those that others are measured by, and what the head of a column calls them. */
const YARDSTICKS = {
  wireguard_go: '/ wg-go',
  nebula_aes: '/ nebula',
  kernel_vxlan: '/ VXLAN',
  proxy: '/ proxy',
} as const;

interface ColumnSpec {
  readonly measure: MeasureId;
  readonly head: string;
  readonly against?: readonly (keyof typeof YARDSTICKS)[];
}

interface Group {
  readonly title: string;
  readonly columns: readonly ColumnSpec[];
}

const GROUPS: readonly Group[] = [
  {
    title: 'One TCP stream, Gbit/s',
    columns: [
      {
        measure: 'tcp_one',
        head: 'median',
        against: ['wireguard_go', 'nebula_aes', 'kernel_vxlan', 'proxy'],
      },
    ],
  },
  {
    title: 'More TCP, Gbit/s',
    columns: [
      { measure: 'tcp_four', head: 'four streams', against: ['wireguard_go'] },
      { measure: 'tcp_reverse', head: 'reverse', against: ['wireguard_go'] },
      { measure: 'tcp_both', head: 'both ways, sum', against: ['wireguard_go'] },
    ],
  },
  {
    title: '64-byte UDP, thousands a second, each packet sent by itself',
    columns: [
      { measure: 'udp_counted', head: 'own counters', against: ['wireguard_go', 'kernel_vxlan'] },
      { measure: 'udp_received', head: 'received', against: ['wireguard_go'] },
    ],
  },
  {
    title: '64-byte UDP, thousands a second, sent by UDP_SEGMENT',
    columns: [
      { measure: 'udp_batch_counted', head: 'own counters', against: ['wireguard_go'] },
      { measure: 'udp_batch_received', head: 'received', against: ['wireguard_go'] },
    ],
  },
  {
    title: 'Half round trip, µs',
    columns: [
      { measure: 'latency_p50', head: 'p50', against: ['wireguard_go', 'kernel_vxlan'] },
      { measure: 'latency_p99', head: 'p99', against: ['wireguard_go'] },
    ],
  },
  {
    title: 'Processor, seconds a gigabit of one TCP stream',
    columns: [
      { measure: 'cpu_daemons', head: 'both daemons', against: ['wireguard_go'] },
      { measure: 'cpu_machine', head: 'whole machine', against: ['wireguard_go'] },
    ],
  },
  {
    title: 'Resident memory of a daemon, MiB',
    columns: [
      { measure: 'rss_start', head: 'at start' },
      { measure: 'rss_end', head: 'after the load' },
    ],
  },
  {
    title: 'Retransmits in 10 s of one TCP stream',
    columns: [{ measure: 'retransmits', head: 'segments' }],
  },
];

export function comparisonTables(result: BenchResult): Table[] {
  return GROUPS.map((group) => comparisonTable(result, group)).filter(
    ({ rows }) => rows.length > 0,
  );
}

/** A row a subject: the median with the extremes, and the ratio of medians to the yardsticks. */
function comparisonTable(result: BenchResult, { title, columns }: Group): Table {
  const measured = columns.filter((column) =>
    result.series.some(({ measure }) => measure === column.measure),
  );
  const rows = result.subjects.map(({ id: subject, title: name }) => [
    name,
    ...measured.flatMap(({ measure, against = [] }) => {
      const samples = samplesOf(result, subject, measure);
      const ratios = against.map((yardstick) =>
        ratio(samples, samplesOf(result, yardstick, measure)),
      );
      return [
        cellOf(summarize(samples)),
        ...ratios.map((value) => (value === undefined ? NONE : times(value))),
      ];
    }),
  ]);
  const heads = measured.flatMap(({ head, against = [] }) => [
    head,
    ...against.map((yardstick) => YARDSTICKS[yardstick]),
  ]);
  return { title, columns: ['', ...heads], rows: rows.filter(hasFigures) };
}

function hasFigures(row: readonly string[]): boolean {
  return row.slice(1).some((cell) => cell !== NONE);
}

/** `5.19 (3.80-7.10)`. */
export function cellOf(summary: Summary | undefined): string {
  if (summary === undefined) return NONE;
  const { median: middle, least, greatest } = summary;
  if (least === greatest) return figure(middle);
  return `${figure(middle)} (${figure(least)}-${figure(greatest)})`;
}

export function targetsTable(result: BenchResult): Table {
  return {
    title: 'Targets',
    columns: ['', 'must', 'aim', 'found', ''],
    rows: judgeTargets(result).map(({ title, must, aim, found, verdict }) => [
      title,
      must,
      aim,
      found,
      verdict,
    ]),
  };
}

export function inProcessTable({ inProcess }: BenchResult): Table | undefined {
  if (inProcess.length === 0) return undefined;
  return {
    title: 'In process, over the channel backend',
    columns: ['', 'ns/packet'],
    rows: inProcess.map((row) => [inProcessTitle(row), cellOf(summarize(row.samples))]),
  };
}

export function scaleTables({ scale }: BenchResult): Table[] {
  return (scale?.curves ?? []).map(scaleTable);
}

function scaleTable({ axis, points }: ScaleCurve): Table {
  const measures = scaleMeasureIds().filter((id) => points.some(({ measures: all }) => all[id]));
  const columns = measures.map((id) => `${SCALE_MEASURES[id].title}, ${SCALE_MEASURES[id].unit}`);
  return {
    title: `Cost by ${SCALE_AXES[axis]}`,
    columns: [SCALE_AXES[axis], ...columns],
    rows: points.map(({ at, measures: all }) => [
      count(at),
      ...measures.map((id) => cellOf(summarize(all[id] ?? []))),
    ]),
  };
}

function scaleMeasureIds(): ScaleMeasureId[] {
  return ['throughput', 'packets', 'latency_p50', 'rss', 'cpu', 'ns_out', 'ns_in'];
}

export function subjectsTable({ subjects }: BenchResult): Table {
  return {
    title: 'Versions',
    columns: ['', 'version'],
    rows: subjects.map(({ title, version }) => [title, version === '' ? 'the kernel’s' : version]),
  };
}
