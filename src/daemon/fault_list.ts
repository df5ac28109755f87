/** The faults found so far in a configuration document, each placed in its text. */

import type { $ZodIssue, $ZodIssueInvalidUnion } from 'zod/v4/core';
import type { ConfigDocument, Path } from './config_document.js';
import { describeFound, describeText, type Fault, formatPath } from './config_fault.js';
import { MESH_KEYS, OFFLOAD_KEYS, PEER_KEYS, TOP_KEYS } from './config_schema.js';
import { nearest } from './nearest.js';

export class FaultList {
  readonly list: Fault[] = [];
  readonly #document: ConfigDocument;

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  /** The same fault once: the schema may find it by two rules. */
  add(path: Path, message: string): void {
    const place = this.#document.positionOf(path);
    const last = this.list.at(-1);
    const isSame = last?.line === place.line && last.column === place.column;
    if (!isSame || last.message !== message) this.list.push({ ...place, message });
  }

  addAtKey(path: Path, message: string): void {
    this.list.push({ ...this.#document.positionOfKey(path), message });
  }

  /** `expected`: of what is needed there, and is not there or is something else. */
  addExpected(path: Path, expected: string): void {
    const value = valueAt(this.#document.value, path);
    const name = path.length === 0 ? 'the file' : formatPath(path);
    this.add(path, `${name}: found ${describeFound(value, path)}, expected ${expected}`);
  }

  addIssue(issue: $ZodIssue): void {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#addUnknownKey(path, key);
      return;
    }
    const inner = issue.code === 'invalid_union' ? insideOf(issue) : undefined;
    if (!inner) return this.addExpected(path, issue.message);
    for (const each of inner) this.addIssue({ ...each, path: [...path, ...each.path] });
  }

  #addUnknownKey(path: Path, key: string): void {
    const known = keysAt(path);
    const meant = nearest(key, known);
    const hint = meant ? `did you mean "${meant}"?` : `expected one of ${known.join(', ')}`;
    const place = path.length === 0 ? '' : `${formatPath(path)}: `;
    this.addAtKey([...path, key], `${place}unknown key ${describeText(key)}; ${hint}`);
  }
}

/** Of the forms that a value may have, what is wrong within the one that it has. */
function insideOf({ errors }: $ZodIssueInvalidUnion): readonly $ZodIssue[] | undefined {
  const isInside = ({ path, code }: $ZodIssue): boolean =>
    path.length > 0 || code === 'unrecognized_keys';
  return errors.find((form) => form.every(isInside));
}

function keysAt([place]: Path): readonly string[] {
  if (place === undefined) return TOP_KEYS;
  if (place === 'mesh') return MESH_KEYS;
  return place === 'offloads' ? OFFLOAD_KEYS : PEER_KEYS;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.getOwnPropertyDescriptor(found, step)?.value;
  }
  return found;
}
