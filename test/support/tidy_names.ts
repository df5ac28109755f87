/**
 * House rules about what may be named where: nothing of the world in pure folders, no words that
 * say nothing.
 */

import { folderOf, WORLDLY } from './tidy_imports.js';
import { lineAt, type SourceFile } from './source.js';

interface Banned {
  readonly pattern: RegExp;
  readonly instead: string;
}

const UNREPEATABLE = 'two runs with the same inputs must do the same';

/** What a pure folder may not name, each with what to use and why. */
const BANNED_IN_CORES: readonly Banned[] = [
  { pattern: /(?<!\.)\bprocess\b/g, instead: 'pass the value in: a core has no surroundings' },
  { pattern: /(?<!\.)\bconsole\b/g, instead: 'base/log: the shell decides where lines go' },
  { pattern: /(?<!\.)\bBuffer\b/g, instead: 'Uint8Array and base/bytes: Buffer belongs to Node' },
  {
    pattern: /\b(set|clear)(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/g,
    instead: 'deadline() and base/deadlines: the shell has the one timer',
  },
  {
    pattern: /\b(async|await|Promise)\b/g,
    instead: 'an action with a request number, answered by a later input: cores run to completion',
  },
  { pattern: /(?<![.\w])Date\b/g, instead: `\`now\`, or WallTime as an input: ${UNREPEATABLE}` },
  { pattern: /(?<!\.)\bperformance\b/g, instead: `\`now\`: ${UNREPEATABLE}` },
  { pattern: /\bMath\.random\b/g, instead: `base/random: ${UNREPEATABLE}` },
  {
    pattern: /\bcrypto\.(randomUUID|getRandomValues|subtle)\b/g,
    instead: `the CryptoSuite or Random passed in: ${UNREPEATABLE}`,
  },
  { pattern: /\b(WeakRef|FinalizationRegistry)\b/g, instead: `release by hand: ${UNREPEATABLE}` },
  {
    pattern: /\bto(Locale\w+)\b|\blocaleCompare\b|\bIntl\b/g,
    instead: `compare code units: ${UNREPEATABLE}`,
  },
  { pattern: /\bglobalThis\b/g, instead: 'a constructor argument: state has an owner' },
  { pattern: /\bfetch\(/g, instead: 'an action: only io touches the world' },
];

/** Names of the world in folders that are none of it. */
export function checkBannedNames(files: readonly SourceFile[]): string[] {
  const pure = files.filter(({ path }) => isSource(path) && !WORLDLY.includes(folderOf(path)));
  return pure.flatMap((file) =>
    BANNED_IN_CORES.flatMap(({ pattern, instead }) =>
      [...file.code.matchAll(pattern)].map(
        (match) => `${place(file, match.index)} names \`${match[0]}\`; use ${instead}`,
      ),
    ),
  );
}

const EMPTY_WORDS = ['manager', 'helper', 'helpers', 'util', 'utils', 'common', 'info', 'do'];
/** As a file's whole name or as a part of it these say nothing either. */
const EMPTY_FILE_WORDS = [...EMPTY_WORDS, 'data', 'process', 'misc'];

/** Files and exported names called by a word that says nothing about them. */
export function checkEmptyWords(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => /^(src|native)\//.test(path)).flatMap(emptyWordsOf);
}

function emptyWordsOf(file: SourceFile): string[] {
  const name = (file.path.split('/').at(-1) ?? '').replace(/\.\w+$/, '');
  const isEmpty = name.split('_').some((word) => EMPTY_FILE_WORDS.includes(word));
  const found = isEmpty ? [`${file.path} is not named after the concept inside`] : [];
  const exported = /^export (?:async )?(?:function|class|const|interface|type) (\w+)/gm;
  for (const match of file.code.matchAll(exported)) {
    const [, identifier = ''] = match;
    const words = identifier.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
    const empty = words.find((word) => EMPTY_WORDS.includes(word));
    if (empty === undefined) continue;
    found.push(`${place(file, match.index)} exports "${identifier}": "${empty}" says nothing`);
  }
  return found;
}

/** State and structure that the style does not allow in sources. */
const BANNED_FORMS: readonly Banned[] = [
  { pattern: /^(export )?(let|var)\b/gm, instead: 'a field of an object with an owner' },
  {
    pattern: /\bclass \w+(<[^>{]*>)? extends (?!\w*Error\b)\w+/g,
    instead: 'composition: only Error is extended',
  },
  { pattern: /^export \{/gm, instead: '`export` where the thing is declared' },
  { pattern: /^export default\b/gm, instead: 'a name: it is the same wherever it is used' },
  { pattern: /^(export )?(const )?enum\b/gm, instead: 'a union of literals' },
  { pattern: /\beval\(|\bnew Function\(/g, instead: 'code' },
];

/** Module state, inheritance, and exports apart from their declaration. */
export function checkForms(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isSource(path))
    .flatMap((file) =>
      BANNED_FORMS.flatMap(({ pattern, instead }) =>
        [...file.code.matchAll(pattern)].map(
          (match) => `${place(file, match.index)} has \`${match[0]}\`; use ${instead}`,
        ),
      ),
    );
}

/** Put together from pieces, so that this file does not break its own rule. */
const UNFINISHED = new RegExp(`\\b(${['FIX' + 'ME', 'TO' + 'DO', 'XX' + 'X'].join('|')})\\b`, 'g');
const ELSEWHERE = [
  { pattern: new RegExp(`(?<![\\w.])/${'wo'}rk/\\w+`, 'g'), why: 'a path of one machine' },
  { pattern: new RegExp(`(?<![\\w.])/(${'ho'}me|${'ro'}ot)/\\w+`, 'g'), why: 'a path of one user' },
  {
    pattern: /\bissues? #?\d+\b/gi,
    why: 'a number only its authors can look up',
  },
  { pattern: new RegExp(`\\b${'hel'}per [A-H]\\b`, 'g'), why: 'a person instead of a part' },
];

/**
 * Words that must not land in any file: unfinished work, and what only some machine or person
 * knows.
 */
export function checkForeignWords(files: readonly SourceFile[]): string[] {
  // STYLE.md names the words that it bans.
  const others = files.filter(({ path }) => path !== 'STYLE.md');
  return others.flatMap((file) => [
    ...[...file.text.matchAll(UNFINISHED)].map(
      (match) =>
        `${place(file, match.index)} says ${match[0]}: finish it or write it down elsewhere`,
    ),
    ...ELSEWHERE.flatMap(({ pattern, why }) =>
      [...file.text.matchAll(pattern)].map(
        (match) => `${place(file, match.index)} says "${match[0]}": ${why}`,
      ),
    ),
  ]);
}

/** Test files whose tests do not run, or of which only some do. */
export function checkTestsRun(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap((file) => {
      const found: string[] = [];
      if (!/^\w+\.run\(\);$/m.test(file.code)) found.push(`${file.path} never calls \`.run()\``);
      const only = /\.only\(/.exec(file.code);
      if (only !== null) found.push(`${place(file, only.index)} runs only some of its tests`);
      return found;
    });
}

function place(file: SourceFile, offset: number): string {
  return `${file.path}:${lineAt(file.text, offset)}`;
}

function isSource(path: string): boolean {
  return /^src\/.*\.ts$/.test(path);
}
