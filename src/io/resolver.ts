/** Host names of endpoints to addresses, by the system's resolver. */

import { lookup } from 'node:dns/promises';
import { type Address, parseAddress } from '../base/address.js';

/** The system may take minutes to give up; a handshake is retried long before. */
const PATIENCE_MS = 10_000;

/**
 * The first address of `host` in the order the system prefers; undefined when it does not resolve
 * within `limitMs`. A literal address is its own answer. Never rejects.
 */
export async function resolveHost(
  host: string,
  limitMs = PATIENCE_MS,
): Promise<Address | undefined> {
  const literal = parseAddress(host);
  if (literal) return literal;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), limitMs);
    timer.unref();
  });
  const answer = lookup(host, { order: 'verbatim' }).then(
    (found) => parseAddress(found.address),
    () => undefined,
  );
  const address = await Promise.race([answer, limit]);
  clearTimeout(timer);
  return address;
}
