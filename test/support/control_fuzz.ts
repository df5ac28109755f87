/**
 * Fuzzing of the control plane's decoders: valid bytes are made from a seed, damaged, and decoded.
 * Whatever comes, a decoder does not throw, and what it takes is exactly what emitting gives again:
 * nothing has two spellings, nothing is taken in part, nothing is longer than its bytes.
 *
 * Each decoder has a kept corpus, test/fuzz/corpus/NAME.txt: a line an input in hexadecimal, and
 * what came of it, which must come of it again. FUZZ_KEEP=1 adds what this run found of new ways;
 * FUZZ_ROUNDS says how many inputs a run makes.
 */

import * as fs from 'node:fs';
import { resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { concat, toHex } from '../../src/base/bytes.js';
import type { SeededRandom } from '../../src/base/random.js';
import { equalBytes } from './bytes.js';
import { withSeed } from './seed.js';
import { hex } from './vectors.js';

export interface Decoder {
  /** Of the corpus. */
  readonly name: string;
  /** Bytes that the decoder takes. */
  readonly make: (random: SeededRandom) => Uint8Array;
  /** What emitting gives of what was taken, and a text of it; undefined: refused. */
  readonly decode: (bytes: Uint8Array) => { readonly again: Uint8Array; text: string } | undefined;
}

/** What is taken is no longer than this. */
const LONGEST = 2_048;
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 10_000);
const KEPT_OF_A_SORT = 3;
/** Of an outcome's text, that tell what sort it is. */
const WORDS = 4;
/** Integers at the edges of what their fields hold. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];
const NONE = 'none';

/** Of one input: what came of it. Throws when the decoder breaks a rule. */
export function examine({ decode }: Decoder, bytes: Uint8Array): string {
  const before = bytes.slice();
  const taken = decode(bytes);
  equalBytes(bytes, before, 'decoding changed its input');
  if (!taken) return NONE;
  equalBytes(taken.again, bytes, 'emitting gives other bytes than were taken');
  assert.ok(bytes.length <= LONGEST, 'what is taken is bounded');
  return taken.text;
}

/** Every input that was kept, with what came of it. */
export function replay(decoder: Decoder): void {
  const kept = readCorpus(decoder.name);
  assert.ok(kept.length > 0, 'the corpus is kept');
  for (const { bytes, outcome } of kept) {
    assert.is(examine(decoder, bytes), outcome, toHex(bytes));
  }
}

export function fuzz(decoder: Decoder): void {
  const corpus = readCorpus(decoder.name);
  const fresh = new Map<string, { bytes: Uint8Array; outcome: string }>();
  withSeed(`fuzz ${decoder.name}`, (random) => {
    let [taken, refused] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const { bytes, how } = makeInput(decoder, corpus, random);
      const outcome = examineLoudly(decoder, bytes);
      if (outcome === NONE) refused++;
      else taken++;
      const way = `${how} ${sortOf({ bytes, outcome })}`;
      const held = fresh.get(way);
      if (!held || held.bytes.length > bytes.length) fresh.set(way, { bytes, outcome });
    }
    assert.ok(taken > ROUNDS / 100 && refused > ROUNDS / 100, `${taken} taken, ${refused} refused`);
  });
  if (process.env.FUZZ_KEEP === '1') keep(decoder.name, corpus, [...fresh.values()]);
}

function examineLoudly(decoder: Decoder, bytes: Uint8Array): string {
  try {
    return examine(decoder, bytes);
  } catch (error) {
    if (error instanceof Error) error.message += `\ninput ${toHex(bytes)}`;
    throw error;
  }
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly outcome: string;
}

function makeInput(
  { make }: Decoder,
  corpus: readonly Kept[],
  random: SeededRandom,
): { bytes: Uint8Array; how: string } {
  const fromCorpus = corpus[random.below(2 * corpus.length + 1)];
  let bytes = fromCorpus?.bytes ?? make(random);
  const names: string[] = [];
  for (let count = random.below(4); count > 0; count--) {
    const damage = DAMAGES[random.below(DAMAGES.length)];
    if (!damage) continue;
    names.push(damage.name);
    bytes = damage(bytes, random, make);
  }
  return { bytes, how: names.slice(0, 1).join(' ') };
}

type Damage = (
  bytes: Uint8Array,
  random: SeededRandom,
  make: (random: SeededRandom) => Uint8Array,
) => Uint8Array;

const DAMAGES: readonly Damage[] = [
  function flip(bytes, random) {
    return patched(bytes, random, (old) => old ^ (1 << random.below(8)));
  },
  function edge(bytes, random) {
    return patched(bytes, random, () => EDGES[random.below(EDGES.length)] ?? 0);
  },
  function count(bytes, random) {
    return patched(bytes, random, (old) => (old + 254 + random.below(5)) & 255);
  },
  /** Four bytes that claim billions. */
  function claim(bytes, random) {
    const copy = bytes.slice();
    const at = random.below(Math.max(1, bytes.length - 3));
    if (copy.length >= 4) copy.fill(0xff, at, at + 4);
    return copy;
  },
  function cut(bytes, random) {
    return bytes.slice(0, random.below(bytes.length + 1));
  },
  function trail(bytes, random) {
    return concat(bytes, random.bytes(1 + random.below(30)));
  },
  function double(bytes, random) {
    const from = random.below(bytes.length + 1);
    const to = from + random.below(bytes.length - from + 1);
    return concat(bytes.subarray(0, to), bytes.subarray(from)).slice(0, LONGEST + 100);
  },
  function lose(bytes, random) {
    const from = random.below(bytes.length + 1);
    const to = from + random.below(bytes.length - from + 1);
    return concat(bytes.subarray(0, from), bytes.subarray(to));
  },
  function splice(bytes, random, make) {
    const other = make(random);
    const at = random.below(Math.min(bytes.length, other.length) + 1);
    return concat(bytes.subarray(0, at), other.subarray(at));
  },
];

function patched(
  bytes: Uint8Array,
  random: SeededRandom,
  change: (old: number) => number,
): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(copy.length);
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0);
  return copy;
}

function pathOf(name: string): string {
  return resolve('test/fuzz/corpus', `${name}.txt`);
}

function readCorpus(name: string): Kept[] {
  const path = pathOf(name);
  if (!fs.existsSync(path)) return [];
  const lines = fs.readFileSync(path, 'utf8').split('\n');
  return lines.filter(Boolean).map((line) => {
    const [, text = '', outcome = ''] = /^([0-9a-f]*) (.*)$/.exec(line) ?? [];
    return { bytes: hex(text), outcome };
  });
}

/** Of each sort of outcome the shortest ways to it. */
function keep(name: string, corpus: readonly Kept[], found: readonly Kept[]): void {
  const lines = new Set(corpus.map(lineOf));
  const counts = new Map<string, number>();
  for (const each of corpus) counts.set(sortOf(each), (counts.get(sortOf(each)) ?? 0) + 1);
  for (const each of [...found].sort((a, b) => a.bytes.length - b.bytes.length)) {
    const count = counts.get(sortOf(each)) ?? 0;
    if (count >= KEPT_OF_A_SORT) continue;
    counts.set(sortOf(each), count + 1);
    lines.add(lineOf(each));
  }
  fs.writeFileSync(pathOf(name), [...lines, ''].join('\n'));
}

function sortOf({ bytes, outcome }: Kept): string {
  const size = bytes.length === 0 ? 0 : Math.ceil(Math.log2(bytes.length) / 3);
  const words = outcome.split(' ').slice(0, WORDS).join(' ');
  return `${Math.min(bytes[0] ?? 0, 12)} ${size} ${words.replace(/[0-9a-f]{8,}|\d+/g, '#')}`;
}

function lineOf({ bytes, outcome }: Kept): string {
  return `${toHex(bytes)} ${outcome}`;
}
