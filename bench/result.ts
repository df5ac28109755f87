/**
 * What a run of the benchmark found, as it is written to its JSON file: the machine, the versions,
 * and the samples of every measure. Everything printed or drawn is computed from this alone.
 */

export interface BenchResult {
  readonly schema: 1;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationSeconds: number;
  /** As typed: `npm run bench -- --quick`. */
  readonly command: string;
  /** Of the tree that was measured; `-dirty` where it is not what was committed. */
  readonly commit: string;
  readonly rounds: number;
  readonly machine: Machine;
  /** Of the programs that measure, by name. */
  readonly tools: Readonly<Record<string, string>>;
  /** Those that ran, in the order of the tables. */
  readonly subjects: readonly SubjectEntry[];
  readonly series: readonly Series[];
  /** Empty where it was not measured. */
  readonly inProcess: readonly InProcessRow[];
  readonly scale?: ScaleResult;
  /** What was left out and why, what is too old; each a sentence for people. */
  readonly remarks: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
}

/** What is compared: heddle in one of its forms, or a rival in one of its own. */
export interface SubjectEntry {
  /** `heddle_aes`, `wireguard_go`: see SUBJECT_IDS in subject.ts. */
  readonly id: string;
  readonly title: string;
  /** Empty for what is a part of the kernel. */
  readonly version: string;
}

/** One value a round, of one measure of one subject. */
export interface Series {
  readonly subject: string;
  readonly measure: MeasureId;
  readonly samples: readonly number[];
}

export const MEASURES = {
  tcp_one: { title: 'TCP, one stream', unit: 'Gbit/s', better: 'more' },
  tcp_four: { title: 'TCP, four streams', unit: 'Gbit/s', better: 'more' },
  tcp_reverse: { title: 'TCP, reverse', unit: 'Gbit/s', better: 'more' },
  tcp_both: { title: 'TCP, both ways at once, the sum', unit: 'Gbit/s', better: 'more' },
  retransmits: { title: 'retransmits, 10 s of one stream', unit: '', better: 'less' },
  udp_counted: { title: '64-byte UDP, own counters', unit: 'kpps', better: 'more' },
  udp_received: { title: '64-byte UDP, received', unit: 'kpps', better: 'more' },
  udp_batch_counted: {
    title: '64-byte UDP in batches, own counters',
    unit: 'kpps',
    better: 'more',
  },
  udp_batch_received: { title: '64-byte UDP in batches, received', unit: 'kpps', better: 'more' },
  latency_p50: { title: 'half round trip, p50', unit: 'µs', better: 'less' },
  latency_p99: { title: 'half round trip, p99', unit: 'µs', better: 'less' },
  cpu_daemons: { title: 'CPU of both daemons', unit: 's/Gbit', better: 'less' },
  cpu_machine: { title: 'CPU of the whole machine', unit: 's/Gbit', better: 'less' },
  rss_start: { title: 'resident memory at start', unit: 'MiB', better: 'less' },
  rss_end: { title: 'resident memory after the load', unit: 'MiB', better: 'less' },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureId = keyof typeof MEASURES;

export interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** Nanoseconds a packet of the native path alone, over the channel backend: no sockets, no TUN. */
export interface InProcessRow {
  readonly direction: 'out' | 'in';
  /** `aes-256-gcm`, `chacha20-poly1305`, `none`. */
  readonly cipher: string;
  /** The inner packet's length. */
  readonly packetBytes: number;
  /** How many the TUN hands over and takes as one super-packet; 1: each by itself. */
  readonly packetsAtOnce: number;
  readonly peers: number;
  readonly prefixes: number;
  /** With one peer among them, or with all in turn: each packet to another prefix. */
  readonly traffic: 'one' | 'all';
  /** Nanoseconds a packet, one value a round. */
  readonly samples: readonly number[];
}

/** How cost grows with what is configured and what flows. */
export interface ScaleResult {
  readonly curves: readonly ScaleCurve[];
  /** Bytes a peer, one value a round; empty where it was not measured. */
  readonly idlePeerBytes: readonly number[];
  readonly livePeerBytes: readonly number[];
}

export interface ScaleCurve {
  readonly axis: ScaleAxis;
  readonly points: readonly ScalePoint[];
}

export const SCALE_AXES = {
  peers: 'configured peers',
  prefixes: 'allowed prefixes',
  flows: 'parallel flows',
  packet_bytes: 'inner packet, bytes',
} as const;

export type ScaleAxis = keyof typeof SCALE_AXES;

export interface ScalePoint {
  /** Where on the axis. */
  readonly at: number;
  readonly measures: Readonly<Partial<Record<ScaleMeasureId, readonly number[]>>>;
}

export const SCALE_MEASURES = {
  throughput: { title: 'throughput', unit: 'Gbit/s', better: 'more' },
  packets: { title: 'packets', unit: 'kpps', better: 'more' },
  latency_p50: { title: 'half round trip, p50', unit: 'µs', better: 'less' },
  rss: { title: 'resident memory', unit: 'MiB', better: 'less' },
  cpu: { title: 'CPU of both daemons', unit: 's/Gbit', better: 'less' },
  ns_out: { title: 'in process, out', unit: 'ns/packet', better: 'less' },
  ns_in: { title: 'in process, in', unit: 'ns/packet', better: 'less' },
} as const satisfies Readonly<Record<string, Measure>>;

export type ScaleMeasureId = keyof typeof SCALE_MEASURES;

/** What the two parts besides the comparison are told: `measureInProcess` and `measureScale`. */
export interface PartOptions {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** A line on what is being done, to the person who waits. */
  readonly say: (line: string) => void;
  /** A sentence on what was left out, for BenchResult.remarks. */
  readonly remark: (sentence: string) => void;
}
