/**
 * Invariants: a broken one is a defect of heddle, so it stops the daemon rather than letting it go
 * on wrong.
 */

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Throws InvariantError when `condition` does not hold. `message` states the invariant positively.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(`Invariant broken: ${message}`);
}

/** Returns `value` after asserting that it is there; for look-ups that cannot miss. */
export function present<T>(value: T | undefined, message: string): T {
  assert(value !== undefined, message);
  return value;
}

/** The end of an exhaustive switch on `kind`: the compiler proves that nothing gets here. */
export function unreachable(value: never): never {
  throw new InvariantError(`Invariant broken: no such kind ${JSON.stringify(value)}`);
}
