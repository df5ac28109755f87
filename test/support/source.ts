/**
 * The project's sources as text, for the house rules: read once, with comments and literals told
 * from code.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
  /**
   * `text` with comments and the contents of literals replaced by spaces: the same lines, the same
   * columns.
   */
  readonly code: string;
}

export interface Import {
  /** As written: `./x.js`, `node:fs`. */
  readonly specifier: string;
  /** Erased by the compiler: types alone. */
  readonly isTypeOnly: boolean;
  /** `export ... from`. */
  readonly isReexport: boolean;
}

/** What the rules look at; built or downloaded things are none of it. */
const FOLDERS = ['src', 'test', 'bench', 'native', 'configs', '.ci'];
const LOOSE_FILES = /\.(md|mjs|json)$/;
const TEXT = /\.(ts|h|cc|mjs|md|json|yaml|py|conflist|service)$|^(Makefile|heddle|run|LICENSE)$/;
const SKIPPED = /^(native\/build\/|package-lock\.json$)/;

export function makeSource(path: string, text: string): SourceFile {
  return { path, text, code: /\.(ts|mjs|h|cc)$/.test(path) ? blankOut(text) : text };
}

/** Every text file of the project, by path. */
export function readSources(root: string): SourceFile[] {
  const loose = fs.readdirSync(root).filter((name) => LOOSE_FILES.test(name));
  const deep = FOLDERS.filter((folder) => fs.existsSync(join(root, folder))).flatMap((folder) =>
    fs
      .readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => join(folder, path)),
  );
  return [...loose, ...deep]
    .filter((path) => TEXT.test(path.slice(path.lastIndexOf('/') + 1)) && !SKIPPED.test(path))
    .filter((path) => fs.statSync(join(root, path)).isFile())
    .sort()
    .map((path) => makeSource(path, fs.readFileSync(join(root, path), 'utf8')));
}

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const statement = /^(import|export)\b(?! (?:const|function|class|interface|type \w+ =))/gm;
  for (const match of file.code.matchAll(statement)) {
    const at = match.index;
    const end = file.code.indexOf(';', at);
    const text = file.text.slice(at, end);
    const specifier = /^(?:import|export)\b[^']*'([^']+)'$/.exec(text)?.[1];
    if (specifier === undefined) continue;
    const isTypeOnly = /^(import|export) type\b/.test(text);
    found.push({ specifier, isTypeOnly, isReexport: match[1] === 'export' });
  }
  for (const match of file.code.matchAll(/\bimport\(/g)) {
    const specifier = /^import\(\s*'([^']+)'/.exec(file.text.slice(match.index))?.[1];
    if (specifier !== undefined) found.push({ specifier, isTypeOnly: false, isReexport: false });
  }
  return found;
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Comments, and what stands between quotes, become spaces; the code inside `${}` stays. */
export function blankOut(text: string): string {
  let out = '';
  let at = 0;
  /** Depth of braces at which each open `${` closes. */
  const templates: number[] = [];
  let depth = 0;
  const take = (end: number, isBlank: boolean): void => {
    const piece = text.slice(at, end);
    out += isBlank ? piece.replace(/[^\n]/g, ' ') : piece;
    at = end;
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    const pair = text.slice(at, at + 2);
    if (pair === '//') take(endOf(text, '\n', at, 0), true);
    else if (pair === '/*') take(endOf(text, '*/', at + 2, 2), true);
    else if (char === "'" || char === '"') take(endOfQuoted(text, at), true);
    else if (char === '`') {
      templates.push(depth);
      take(endOfTemplatePart(text, at + 1), true);
      if (text[at - 1] === '`') templates.pop();
    } else if (char === '}' && templates.at(-1) === depth) {
      take(endOfTemplatePart(text, at + 1), true);
      if (text[at - 1] === '`') templates.pop();
    } else if (char === '/' && startsRegex(out)) take(endOfRegex(text, at), true);
    else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      take(at + 1, false);
    }
  }
  return out;
}

function endOf(text: string, mark: string, from: number, length: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + length;
}

function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== '\n') {
    end += text[end] === '\\' ? 2 : 1;
  }
  // A C++ digit separator or an apostrophe in a preprocessor line opens nothing.
  return text[end] === quote ? end + 1 : at + 1;
}

/** Past the closing backtick, or past the `${` that opens code. */
function endOfTemplatePart(text: string, from: number): number {
  let end = from;
  while (end < text.length) {
    if (text[end] === '\\') end += 2;
    else if (text[end] === '`') return end + 1;
    else if (text.startsWith('${', end)) return end + 2;
    else end++;
  }
  return end;
}

/** A slash divides after a value; after anything else it opens a regular expression. */
function startsRegex(before: string): boolean {
  const last = before.trimEnd();
  return /[(,=:[!&|?{};+\-*%<>~^]$|\b(return|typeof|case|in|of)$|^$/.test(last.slice(-8));
}

function endOfRegex(text: string, at: number): number {
  let isInClass = false;
  let end = at + 1;
  for (; end < text.length && text[end] !== '\n'; end++) {
    const char = text[end];
    if (char === '\\') end++;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) break;
  }
  return end + 1;
}
