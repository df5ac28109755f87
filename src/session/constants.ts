/**
 * The constants of the WireGuard protocol by the paper's names (§6.1, §5.4, §5.3), with the
 * kernel's values where the paper leaves one open. The limits on time and messages are enforced by
 * the walk in both hands, because JavaScript may stall.
 */

import { type Duration, millis, seconds } from '../base/time.js';

/** The initiator of a session asks for its successor when it sends with a keypair this old. */
export const REKEY_AFTER_TIME: Duration = seconds(120);
/**
 * REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT: when an initiator that only receives asks
 * for a successor.
 */
export const REKEY_AFTER_TIME_RECEIVING: Duration = seconds(165);
/** A keypair this old neither seals nor opens. */
export const REJECT_AFTER_TIME: Duration = seconds(180);
/** The initiator of a session asks for its successor from this counter on. */
export const REKEY_AFTER_MESSAGES = 1n << 60n;
/** 2^64 - 2^13 - 1: counters from here on are never sent and never accepted. */
export const REJECT_AFTER_MESSAGES = (1n << 64n) - (1n << 13n) - 1n;
/** An attempt to make a session is given up this long after its first initiation. */
export const REKEY_ATTEMPT_TIME: Duration = seconds(90);
/**
 * An initiation without an answer is repeated after this, plus jitter; also the least gap between
 * own initiations.
 */
export const REKEY_TIMEOUT: Duration = seconds(5);
/**
 * Up to this much is added to REKEY_TIMEOUT, so that two peers that begin together do not stay in
 * step (kernel).
 */
export const REKEY_TIMEOUT_JITTER: Duration = millis(333);
/** Data received is answered within this, by a keepalive where nothing else was sent. */
export const KEEPALIVE_TIMEOUT: Duration = seconds(10);
/**
 * Data sent and nothing heard for this long (plus jitter): the session may be gone at the other
 * end.
 */
export const SILENCE_TIMEOUT: Duration = seconds(15);
/** Without a new session for this long, every key of the peer is erased (3 x REJECT_AFTER_TIME). */
export const ZERO_KEYS_AFTER_TIME: Duration = seconds(540);

/** A cookie secret is replaced when it is this old. */
export const COOKIE_SECRET_MAX_AGE: Duration = seconds(120);
/**
 * A cookie received is used for this long: the secret's life less 5 s for the way here and back.
 */
export const COOKIE_USE_TIME: Duration = seconds(115);

/** Initiations accepted from one peer are at least this far apart: 50 a second. */
export const INITIATION_INTERVAL: Duration = millis(20);

/** How long the state "under load" outlasts its cause. */
export const UNDER_LOAD_TIME: Duration = seconds(1);
/** Under load is when this fraction of the handshake queue is waiting: 1/8. */
export const UNDER_LOAD_FRACTION = 8;

/** Handshakes a second that one source may ask for under load, and how many at once. */
export const HANDSHAKES_PER_SECOND = 20;
export const HANDSHAKE_BURST = 5;
/** Sources that the limiter remembers; when all are in use, new sources are refused. */
export const LIMITER_SOURCES = 65_536;
