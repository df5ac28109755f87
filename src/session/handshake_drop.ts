/**
 * Why a handshake message came to nothing: a closed list, one count each, nothing else done about
 * it. What the walk already dropped (length, type, mac1, a full queue) is counted there and never
 * gets here.
 */

export const HANDSHAKE_DROPS = [
  'no_identity', // we have no private key: not configured yet, or stopping
  'answered_with_cookie', // under load and without a valid mac2: a cookie reply went out instead
  'too_many', // under load, and the source asks more often than it may
  'limiter_full', // under load, and no more sources can be watched
  'low_order', // a Diffie-Hellman came out as zero: a public key of low order
  'static_tag', // the initiator's public key does not open
  'unknown_peer', // it opens, but is none of ours
  'timestamp_tag', // the timestamp does not open: not sent by the owner of that public key
  'timestamp_old', // not later than the last one accepted: a replay, or the peer's clock went back
  'too_soon', // the peer's last initiation was accepted less than 20 ms ago
  'unknown_index', // no handshake of ours has this receiver index
  'response_tag', // the response does not open: not the peer's, or another preshared key
  'cookie_unasked', // a cookie reply, but nothing of ours awaits one
  'cookie_tag', // the cookie does not open
  'encapsulation', // in another encapsulation than its peer's
  'unsendable', // an initiation we did not send: the peer's public key is of low order
] as const;

export type HandshakeDrop = (typeof HANDSHAKE_DROPS)[number];

/** One count a reason. */
export class HandshakeDropCounters {
  readonly #counts = new Map<HandshakeDrop, number>(HANDSHAKE_DROPS.map((reason) => [reason, 0]));

  add(reason: HandshakeDrop): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Every reason, those that never happened too. */
  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
