/**
 * The deadlines of one core: a fixed, named set, at most one instant each. The smallest is the
 * core's deadline; its name says why it wants to be woken. Setting replaces; there is no timer
 * object to lose.
 */

import { type Instant, NEVER } from './time.js';

export class Deadlines<Name extends string> {
  readonly #names: readonly Name[];
  readonly #at: Instant[];

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#at = names.map(() => NEVER);
  }

  set(name: Name, at: Instant): void {
    this.#at[this.#names.indexOf(name)] = at;
  }

  clear(name: Name): void {
    this.set(name, NEVER);
  }

  clearAll(): void {
    this.#at.fill(NEVER);
  }

  get(name: Name): Instant {
    return this.#at[this.#names.indexOf(name)] ?? NEVER;
  }

  isSet(name: Name): boolean {
    return this.get(name) !== NEVER;
  }

  /** The earliest instant that is set, or NEVER. */
  earliest(): Instant {
    let found: Instant = NEVER;
    for (const at of this.#at) if (at < found) found = at;
    return found;
  }

  /** The name whose instant is the earliest, for debugging; undefined when none is set. */
  reason(): Name | undefined {
    const found = this.earliest();
    return found === NEVER ? undefined : this.#names[this.#at.indexOf(found)];
  }

  /**
   * Takes out the earliest deadline that is due at `now` and returns its name; undefined when none
   * is.
   */
  takeDue(now: Instant): Name | undefined {
    const found = this.earliest();
    if (found > now) return undefined;
    const name = this.reason();
    if (name !== undefined) this.clear(name);
    return name;
  }
}
