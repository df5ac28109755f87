/**
 * The constants of the WireGuard protocol by the paper's names (§6.1, §5.4, §5.3), with the
 * kernel's values where the paper leaves one open, and at the end those of heddle's own hellos. The
 * limits on time and messages are enforced by the walk in both hands, because JavaScript may stall.
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
/**
 * The same of AES-256-GCM, far below what one key may seal (NIST SP 800-38D §8.3), and how many
 * failed tags a key bears (RFC 9147 §4.5.3).
 */
export const AES_REKEY_AFTER_MESSAGES = 1n << 30n;
export const AES_REJECT_AFTER_MESSAGES = 1n << 32n;
export const AES_MOST_FAILED_TAGS = 2 ** 36;
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
/**
 * Between peers of heddle's own protocol, the first initiations of an attempt are repeated sooner:
 * after this, then after twice this, and so on up to REKEY_TIMEOUT. One lost datagram would cost a
 * mesh more than it takes to find a member dead (QUIC too begins with 1 s: RFC 9002 §6.2.2).
 */
export const EARLY_RETRY: Duration = seconds(1);
/**
 * An attempt that only control messages wait for is given up this long after the last of them:
 * five initiations for one alone.
 */
export const CONTROL_ATTEMPT_TIME: Duration = seconds(15);
/** Control messages that wait for a session. */
export const CONTROL_WAITING = 8;
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

/** A hello is repeated after this, after twice this, and so on up to HELLO_RETRY_MAX. */
export const HELLO_RETRY: Duration = millis(250);
export const HELLO_RETRY_MAX: Duration = seconds(2);
/** Hellos that are sent without an answer before the session goes on as a stock one. */
export const HELLO_TRIES = 5;
/**
 * How long a responder keeps what the peer's hello needs: longer than an initiator's last one and
 * the handshake before it can take.
 */
export const HELLO_WAIT: Duration = seconds(15);
/**
 * A peer that uses a new session and has said no hello within this is answered in it, whatever
 * session was in use.
 */
export const HELLO_CONFIRM_WAIT: Duration = seconds(1);
/** Hellos of one session that are answered, at most. */
export const HELLO_ANSWERS = 16;
/**
 * Two sessions, one by each side, made within this of each other crossed on the way; those that
 * follow one another are REKEY_TIMEOUT apart.
 */
export const CROSSING_TIME: Duration = seconds(2);
