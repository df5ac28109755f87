/**
 * Nanoseconds a packet of the native path alone: two nodes in this process, whose TUN and UDP are
 * memory (native/bench/node_pair). Cases take turns in short slices, and the least slice of a round
 * is its sample: what the code costs while nobody else has the processor.
 */

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { InProcessRow, PartOptions } from './result.js';

declare const pairBrand: unique symbol;
type NodePair = { readonly [pairBrand]: true };

/** native/bench/addon.cc. */
interface BenchAddon {
  pairOpen(peers: number, prefixes: number, isClear: boolean, isHeddle: boolean): NodePair;
  /** Frees it; it may not be used any more. */
  pairClose(pair: NodePair): void;
  /** Nanoseconds a packet of the sending and of the receiving end. */
  pairCarry(
    pair: NodePair,
    packetBytes: number,
    packetsAtOnce: number,
    isSpread: boolean,
    packets: number,
  ): { readonly out: number; readonly in: number };
}

/** What the columns of a row but its direction and samples say. */
type Tables = Pick<InProcessRow, 'cipher' | 'peers' | 'prefixes'>;
type Packets = Pick<InProcessRow, 'packetBytes' | 'packetsAtOnce' | 'traffic'>;

interface Case {
  readonly pair: NodePair;
  readonly tables: Tables;
  readonly packets: Packets;
  readonly out: number[];
  readonly in: number[];
}

const CIPHERS = ['aes-256-gcm', 'chacha20-poly1305', 'none'] as const;
const SMALL = { peers: 1, prefixes: 1 };
const LARGE = { peers: 10_000, prefixes: 100_000 };
const SHAPES = [
  { packetBytes: 64, packetsAtOnce: 1 },
  { packetBytes: 1420, packetsAtOnce: 1 },
  { packetBytes: 1420, packetsAtOnce: 45 },
] as const;

const SLICE_PACKETS = 2_000;
const SLICES = { quick: 10, full: 30 };
const FEWEST_ROUNDS = 3;

/** Rows in pairs, out and in. Compiles the benchmark's addon where that is out of date. */
export function measureInProcess(root: string, options: PartOptions): InProcessRow[] {
  options.say('in process: nanoseconds a packet');
  const addon = loadBenchAddon(root);
  const slices = options.isQuick ? SLICES.quick : SLICES.full;
  const rounds = Math.max(options.rounds, FEWEST_ROUNDS);
  return CIPHERS.flatMap((cipher) => measureCipher(addon, cipher, { slices, rounds }));
}

function loadBenchAddon(root: string): BenchAddon {
  const native = join(root, 'native');
  execFileSync('make', ['-s', '-j2', '-C', native, 'bench'], { stdio: 'pipe' });
  return createRequire(import.meta.url)(join(native, 'build/release/heddle_bench.node'));
}

function measureCipher(
  addon: BenchAddon,
  cipher: (typeof CIPHERS)[number],
  { slices, rounds }: { slices: number; rounds: number },
): InProcessRow[] {
  // Clear peers share no tables with others but the prefixes; one is enough to see their path.
  const sizes = cipher === 'none' ? [SMALL] : [SMALL, LARGE];
  const tables = sizes.map((size) => ({ cipher, ...size }));
  const pairs = tables.map(({ peers, prefixes }) =>
    addon.pairOpen(peers, prefixes, cipher === 'none', cipher === 'aes-256-gcm'),
  );
  const rows = SHAPES.flatMap((shape) => {
    const cases = pairs.flatMap((pair, i) =>
      casesOf(pair, tables[i] ?? { cipher, ...SMALL }, shape),
    );
    for (const each of cases) carry(addon, each);
    for (let round = 0; round < rounds; round++) measureRound(addon, cases, slices);
    return cases.flatMap(rowsOf);
  });
  for (const pair of pairs) addon.pairClose(pair);
  return rows;
}

function casesOf(pair: NodePair, tables: Tables, shape: (typeof SHAPES)[number]): Case[] {
  const traffics = tables.peers === 1 ? (['one'] as const) : (['one', 'all'] as const);
  return traffics.map((traffic) => ({
    pair,
    tables,
    packets: { ...shape, traffic },
    out: [],
    in: [],
  }));
}

function carry(addon: BenchAddon, { pair, packets }: Case): { out: number; in: number } {
  const { packetBytes, packetsAtOnce, traffic } = packets;
  return addon.pairCarry(pair, packetBytes, packetsAtOnce, traffic === 'all', SLICE_PACKETS);
}

/** Adds a sample to each case. */
function measureRound(addon: BenchAddon, cases: readonly Case[], slices: number): void {
  const least = cases.map(() => ({ out: Number.POSITIVE_INFINITY, in: Number.POSITIVE_INFINITY }));
  for (let slice = 0; slice < slices; slice++) {
    for (const [i, best] of least.entries()) {
      const each = cases[i];
      if (each === undefined) continue;
      const cost = carry(addon, each);
      best.out = Math.min(best.out, cost.out);
      best.in = Math.min(best.in, cost.in);
    }
  }
  for (const [i, best] of least.entries()) {
    cases[i]?.out.push(best.out);
    cases[i]?.in.push(best.in);
  }
}

function rowsOf({ tables, packets, ...samples }: Case): InProcessRow[] {
  return (['out', 'in'] as const).map((direction) => ({
    direction,
    ...tables,
    ...packets,
    samples: samples[direction],
  }));
}
