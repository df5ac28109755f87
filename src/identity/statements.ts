/**
 * What authors said about subjects: from each author the last that came into force. All that is in
 * force about a subject is judged together, so that the order in which it came does not matter.
 *
 * Limit: that of the store, whose records these are.
 */

import type { NodeId } from '../base/identifiers.js';

export interface Statement<T> {
  readonly value: T;
  readonly author: NodeId;
  /** Of its record. */
  readonly version: number;
}

const NONE: readonly never[] = [];

export class Statements<T> {
  readonly #bySubject = new Map<string, readonly Statement<T>[]>();

  /** How many subjects. */
  get size(): number {
    return this.#bySubject.size;
  }

  /** In place of what the author said about the subject before, unless that is newer. */
  insert(subject: string, statement: Statement<T>): void {
    const held = this.about(subject);
    const before = held.find(({ author }) => author === statement.author);
    if (before && before.version > statement.version) return;
    const others = held.filter((each) => each !== before);
    this.#bySubject.set(subject, others.concat(statement));
  }

  about(subject: string): readonly Statement<T>[] {
    return this.#bySubject.get(subject) ?? NONE;
  }

  /** The one by this author and of this version. */
  find(
    subject: string,
    { author, version }: Omit<Statement<T>, 'value'>,
  ): Statement<T> | undefined {
    return this.about(subject).find((each) => each.author === author && each.version === version);
  }

  subjects(): IterableIterator<string> {
    return this.#bySubject.keys();
  }

  remove(subject: string, author: NodeId): void {
    const left = this.about(subject).filter((each) => each.author !== author);
    if (left.length > 0) this.#bySubject.set(subject, left);
    else this.#bySubject.delete(subject);
  }
}
