/**
 * A configuration text as YAML: its plain value, where each part of it stands, and what is wrong
 * with it as YAML. Messages are heddle's own: the parser's quote the text, which may hold a secret.
 */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SyntaxFault extends Position {
  readonly message: string;
}

/** Keys and indexes from the root down. */
export type Path = readonly (string | number)[];

/** As many values as aliases may multiply to. */
const ALIAS_LIMIT = 100;
const START: Position = { line: 1, column: 1 };

export class ConfigDocument {
  /** The plain value; undefined when there are faults. */
  readonly value: unknown;
  readonly faults: readonly SyntaxFault[];
  readonly #document: Document.Parsed | undefined;
  readonly #lines = new LineCounter();

  constructor(bytes: Uint8Array) {
    const faults: SyntaxFault[] = [];
    this.faults = faults;
    const text = decode(bytes, faults);
    if (text === undefined) return;
    try {
      this.#document = parse(text, this.#lines);
      const trouble = [...this.#document.errors, ...this.#document.warnings];
      const deep = trouble.find((error) => error.code === 'RESOURCE_EXHAUSTION');
      for (const error of deep ? [deep] : trouble) {
        this.#add(faults, error.pos[0], describeSyntax(error));
      }
      this.#judgeAliases(faults);
      if (faults.length === 0) this.value = this.#document.toJS({ maxAliasCount: ALIAS_LIMIT });
    } catch (error) {
      faults.push({ ...START, message: describeRefusal(error) });
    }
  }

  /**
   * Where the value at `path` stands, or the nearest thing around it that does stand in the text.
   */
  positionOf(path: Path): Position {
    return this.#position(path, (_key, value) => value);
  }

  /** Where the last key of `path` stands. */
  positionOfKey(path: Path): Position {
    return this.#position(path, (key, value) => key ?? value);
  }

  #position(path: Path, choose: (key: Node | undefined, value: Node) => Node): Position {
    let node = this.#resolve(this.#document?.contents);
    let found = node;
    for (const step of path) {
      const entry = entryOf(node, step);
      if (!entry) break;
      found = choose(entry.key, entry.value ?? entry.key ?? found ?? entry.value);
      node = this.#resolve(entry.value);
    }
    return this.#at(found?.range?.[0]);
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    if (isAlias(node) && this.#document) return node.resolve(this.#document);
    return node ?? undefined;
  }

  #at(offset: number | undefined): Position {
    if (offset === undefined) return START;
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** One fault a place is enough: the parser may stumble there many times. */
  #add(faults: SyntaxFault[], offset: number | undefined, message: string): void {
    const place = this.#at(offset);
    const last = faults.at(-1);
    if (last?.line === place.line && last.column === place.column) return;
    faults.push({ ...place, message });
  }

  #judgeAliases(faults: SyntaxFault[]): void {
    const document = this.#document;
    if (!document) return;
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document)) return;
        this.#add(faults, alias.range?.[0], 'this alias refers to no anchor before it');
      },
    });
  }
}

function decode(bytes: Uint8Array, faults: SyntaxFault[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    faults.push({ ...START, message: 'the file is not UTF-8 text' });
    return undefined;
  }
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed {
  return parseDocument(text, {
    lineCounter,
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  });
}

interface Entry {
  readonly key: Node | undefined;
  readonly value: Node;
}

function entryOf(node: Node | undefined, step: string | number): Entry | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return isNode(item) ? { key: undefined, value: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((each) => isScalar(each.key) && each.key.value === step);
  if (!pair || !isNode(pair.key)) return undefined;
  return { key: pair.key, value: isNode(pair.value) ? pair.value : pair.key };
}

/** The parser gave up: too many aliases, or too deep. */
function describeRefusal(error: unknown): string {
  if (error instanceof ReferenceError) {
    return `aliases multiply to more than ${ALIAS_LIMIT} values; write the values out`;
  }
  return 'the file is nested too deeply to be a configuration';
}

function describeSyntax(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'this key stands here for the second time; keep one of them';
    case 'MULTIPLE_DOCS':
      return 'a second document starts here; a configuration is one document, so remove this `---`';
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML indents with spaces';
    case 'BAD_INDENT':
      return 'this line is indented unlike its neighbours';
    case 'BAD_ALIAS':
      return 'this alias refers to no anchor before it';
    case 'TAG_RESOLVE_FAILED':
      return 'this tag has no meaning in a configuration; remove it';
    case 'NON_STRING_KEY':
      return 'this key is not plain text';
    case 'MISSING_CHAR':
      return 'a quote, bracket, comma or colon is missing here';
    case 'BAD_SCALAR_START':
      return 'a plain value cannot start with this character; put the value in quotes';
    case 'BAD_DQ_ESCAPE':
      return 'this escape is not one of YAML; use single quotes for text with backslashes';
    case 'RESOURCE_EXHAUSTION':
      return 'the file is nested too deeply to be a configuration';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a key and its value were expected here, as in `listenPort: 51820`';
    default:
      return 'this is not YAML; check the indentation, quotes and colons around here';
  }
}
