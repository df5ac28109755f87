/**
 * Every knob of the gossip core: what it is for, how it stands to the others, and from where its
 * value comes. All nodes of a mesh should have the same; a node with others still gets on with
 * them. Sources: SWIM (Das, Gupta, Motivala 2002), Lifeguard (Dadgar, Phillips, Currey 2017), and
 * the values that HashiCorp's memberlist uses in production.
 */

import { type Duration, millis, seconds } from '../base/time.js';

export interface GossipConfig {
  /**
   * One member is probed in this time, times health + 1: how fast crashes are found, against what
   * it costs. At least probeTimeout + relayTimeout and two ways more.
   */
  readonly probeInterval: Duration;
  /**
   * How long a member may take to answer a ping, times health + 1, before others are asked. This
   * long where no round trip is known or a handshake comes first; otherwise probeTripFactor round
   * trips, and never below probeTimeoutFloor.
   */
  readonly probeTimeout: Duration;
  /** Longer than a healthy event loop is ever busy at a stretch. Equal to probeTimeout: fixed. */
  readonly probeTimeoutFloor: Duration;
  /** Round trips after which an answer is late; 4 leaves room for jitter. */
  readonly probeTripFactor: number;
  /** Members that are asked to ping one that did not answer (SWIM's k); 0: none. */
  readonly relays: number;
  /** As probeTimeout, for a ping on behalf of another: it must have an ack or a nack in time. */
  readonly relayTimeout: Duration;
  /** From one ping that was not answered to the next of the same member, for oneself and others. */
  readonly pingRepeat: Duration;
  /** The worst local health score: probe times are stretched up to healthLimit + 1; 0: never. */
  readonly healthLimit: number;
  /**
   * An event loop this late makes a node distrust itself a little more, and gives others as much
   * more time. Below probeTimeout.
   */
  readonly lagLimit: Duration;
  /** Woken later than this, a node judges nobody by what it did not hear meanwhile. */
  readonly stallLimit: Duration;
  /** Suspicion lasts at least this many probe intervals times log10 of the members (Lifeguard). */
  readonly suspicionFactor: number;
  /** It begins at this multiple of the least; 1: it never shrinks. */
  readonly suspicionMaxFactor: number;
  /** Further accusers that bring it down to the least (Lifeguard's k); at most 7. */
  readonly confirmations: number;
  /** This long before a suspicion ends we begin to ask its subject ourselves. */
  readonly lastQuestionLead: Duration;
  /** Failed members are probed after this time, doubled each time up to retryLimit. */
  readonly retryFirst: Duration;
  readonly retryLimit: Duration;
  /** Pings to failed and to suspected members, outside of the round, in a second. */
  readonly retriesPerSecond: number;
  /** Where one failed member comes back, the others are tried within this time. */
  readonly healWindow: Duration;
  /** Time between two turns of spreading, while there is anything to spread. */
  readonly spreadInterval: Duration;
  /** Time between two spreadings of what just came in. */
  readonly newsPause: Duration;
  /** To how many members each turn spreads. */
  readonly fanout: number;
  /** A record is sent this many times the decimal digits of the number of members. */
  readonly retransmitFactor: number;
  /**
   * So many members in a row hold what we hold: whatever of it still waits to be spread has reached
   * almost all, and comparisons find the rest. At least 2; 0: it is spread to the end.
   */
  readonly agreements: number;
  /** Spread records and what carries them; piggybacked ones too. */
  readonly spreadBytesPerSecond: number;
  readonly spreadBurstBytes: number;
  /** Messages that only spread. */
  readonly spreadMessagesPerSecond: number;
  /** Records that wait to be spread; at the limit the most often sent goes. */
  readonly queueLimit: number;
  /** Pings and ping requests of others that are answered. */
  readonly answersPerSecond: number;
  /** Pings on behalf of others that are under way. */
  readonly relayLimit: number;
  /** Members that are known, those that failed too. */
  readonly memberLimit: number;
  /** Time between two comparisons of stores, with whomever. */
  readonly compareInterval: Duration;
  /** The same with one member while it stays different, doubled each time up to its limit. */
  readonly compareWait: Duration;
  readonly compareWaitLimit: Duration;
  /** Stores differ while news spreads; for this long after the last that is no reason. */
  readonly compareSettle: Duration;
  /** But one that has lasted this long is, however much is spreading. */
  readonly comparePatience: Duration;
}

export const GOSSIP_DEFAULTS: GossipConfig = {
  probeInterval: seconds(1),
  probeTimeout: millis(500),
  probeTimeoutFloor: millis(200),
  probeTripFactor: 4,
  relays: 3,
  relayTimeout: millis(250),
  pingRepeat: millis(125),
  healthLimit: 7,
  lagLimit: millis(250),
  stallLimit: seconds(1),
  suspicionFactor: 4,
  suspicionMaxFactor: 6,
  confirmations: 2,
  lastQuestionLead: seconds(1),
  retryFirst: seconds(1),
  retryLimit: seconds(60),
  retriesPerSecond: 16,
  healWindow: seconds(4),
  spreadInterval: millis(200),
  newsPause: millis(50),
  fanout: 3,
  retransmitFactor: 4,
  agreements: 4,
  spreadBytesPerSecond: 16_384,
  spreadBurstBytes: 65_536,
  spreadMessagesPerSecond: 100,
  queueLimit: 2_048,
  answersPerSecond: 200,
  relayLimit: 64,
  memberLimit: 16_384,
  compareInterval: seconds(1),
  compareWait: seconds(5),
  compareWaitLimit: seconds(60),
  compareSettle: seconds(2),
  comparePatience: seconds(5),
};
