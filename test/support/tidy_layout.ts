/**
 * House rules about size and shape: what fits on a screen and in a head, and says at its top what
 * it is.
 */

import type { SourceFile } from './source.js';

const LINE_COLUMNS = 100;
const FILE_LINES = 400;
const TEST_FILE_LINES = 600;
const FUNCTION_LINES = 60;

const CODE = /\.(ts|mjs|h|cc|py)$/;

/** Lines longer than the layout allows. */
export function checkLines(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => CODE.test(path)).flatMap(longLinesOf);
}

/** In a test, a line that is one string alone: what a program must print cannot be folded. */
const EXPECTED_TEXT = /^\s*(['"`]).*\1[,;]?$/;

function longLinesOf(file: SourceFile): string[] {
  const isTest = file.path.startsWith('test/');
  return file.text.split('\n').flatMap((line, i) => {
    if (isTest && EXPECTED_TEXT.test(line)) return [];
    const columns = [...line].length;
    return columns <= LINE_COLUMNS ? [] : [`${file.path}:${i + 1} has ${columns} columns`];
  });
}

/** Files that hold more than one concept can need. */
export function checkFileSizes(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => CODE.test(path))
    .flatMap(({ path, text }) => {
      const limit = /^(test|native\/test)\//.test(path) ? TEST_FILE_LINES : FILE_LINES;
      const lines = text.split('\n').length - 1;
      return lines <= limit ? [] : [`${path} has ${lines} lines, more than ${limit}`];
    });
}

/**
 * Functions that are longer than one can take in. The formatters close every block in the column in
 * which its statement began, so the end is found without a parser; a long block of any other kind
 * is part of a function that is longer still.
 */
export function checkFunctions(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => /\.(ts|mjs|h|cc)$/.test(path)).flatMap(longFunctionsOf);
}

function longFunctionsOf(file: SourceFile): string[] {
  const lines = file.code.split('\n').map((line) => line.trimEnd());
  const found: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (!opensFunction(line)) continue;
    const start = startOf(lines, i);
    const end = lines.findIndex(
      (other, at) => at > i && indentOf(other) === indentOf(line) && /^\s*\}/.test(other),
    );
    const length = end - start + 1;
    if (length > FUNCTION_LINES) found.push(`${file.path}:${start + 1} is ${length} lines long`);
  }
  return found;
}

/** True for a line that ends a parameter list and opens a block. */
function opensFunction(line: string): boolean {
  if (!line.endsWith('{') || !line.includes(')')) return false;
  return !/^\s*(\}|if|for|while|switch|class|struct|namespace|extern)\b|^\s*\} else/.test(line);
}

/** A parameter list that takes several lines closes in the column of its function's name. */
function startOf(lines: readonly string[], at: number): number {
  if (!/^\s*\)/.test(lines[at] ?? '')) return at;
  const indent = indentOf(lines[at] ?? '');
  for (let i = at - 1; i >= 0; i--) if (indentOf(lines[i] ?? '') === indent) return i;
  return at;
}

function indentOf(line: string): number {
  return line.trim() === '' ? -1 : line.length - line.trimStart().length;
}

/**
 * Sources that do not say in their first lines what they are; a test is named after what it tests.
 */
export function checkFirstComments(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .filter(({ path }) => CODE.test(path) || path === 'src/cli/heddle' || path === '.ci/run')
    .filter(({ text }) => !opensWithComment(text))
    .map(({ path }) => `${path} does not open with a comment that says what it is`);
}

function opensWithComment(text: string): boolean {
  const first = text
    .replace(/^#!.*\n/, '')
    .replace(/^\/\*\*?|^"""|^\/\/|^#/, '\0')
    .trimStart();
  return first.startsWith('\0') && /[A-Za-z]{3}/.test(first.slice(0, 200));
}

/** What a file that describes a format must hold, in the order of the style. */
const WIRE_PARTS: readonly { readonly part: string; readonly pattern: RegExp }[] = [
  {
    part: 'its source in the first comment',
    pattern: /^\/\*\*[\s\S]*?(RFC \d+|§|Linux|heddle's protocol)[\s\S]*?\*\//,
  },
  { part: 'a diagram of its bits', pattern: /^\s*(\*|\/\/)\s*[|+].*[|+]\s*$/m },
  { part: 'offsets', pattern: /^(export )?const [A-Z_0-9]+ = (0x[0-9a-f]+|\d+)/m },
  { part: 'parse', pattern: /^export function (parse|check)\w*/m },
  { part: 'emit', pattern: /^export function (emit|set)\w*/m },
];

/** Sources under src/wire that are no format of bytes on a wire. */
const NOT_A_FORMAT: Readonly<Record<string, string>> = {
  'src/wire/checksum.ts': 'arithmetic that formats share',
  'src/wire/format.ts': 'text for people',
  'src/wire/ip_protocol.ts': 'numbers that formats share',
  'src/wire/netlink.ts': 'messages between the kernel and this host, never on a wire',
};

/** Wire files that lack a part which the style asks of each. */
export function checkWireFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^src\/wire\/\w+\.ts$/.test(path) && NOT_A_FORMAT[path] === undefined)
    .flatMap(({ path, text }) =>
      WIRE_PARTS.filter(({ pattern }) => !pattern.test(text)).map(
        ({ part }) => `${path} lacks ${part}`,
      ),
    );
}
