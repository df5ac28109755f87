/**
 * How news gets around: at once to a few members when it comes (but news upon news waits newsPause,
 * so that much of it goes into few messages), then in turns while anything waits, and with every
 * ping, ack and ping request that goes out anyway. What goes out is bounded a second
 * in bytes and in messages; what is over that waits for a later turn.
 *
 * Where one member after the other turns out to hold what we hold, what waits is no news any more
 * and is not sent to the end: after thousands of nodes restarted at once that would go on for
 * minutes. Suspicions are in no store, and stay.
 *
 * Deadlines: the next turn, and the end of the pause. Limit: the queue's.
 */

import { after, earliest, type Instant, instant, NEVER } from '../base/time.js';
import { gossipRoom } from '../wire/gossip.js';
import { Allowance } from './allowance.js';
import { BroadcastQueue } from './broadcast_queue.js';
import type { GossipParts } from './parts.js';
import { digits } from './suspicion.js';

/** What a message costs besides its records: headers from the outer IP header on, and tags. */
const MESSAGE_BYTES = 100;

/** How the places of suspicions begin. */
const SUSPICION = 'suspicion ';

export interface Push {
  readonly slot: number;
  readonly records: readonly Uint8Array[];
}

export class Spreader {
  readonly #parts: GossipParts;
  readonly #queue: BroadcastQueue;
  readonly #bytes: Allowance;
  readonly #messages: Allowance;
  #hasNews = false;
  /** Members in a row that hold what we hold, and the slot of the last of them. */
  #agreements = 0;
  #agreedLast: number | undefined;
  #turnAt: Instant = NEVER;
  /** Before which no news goes out by itself. */
  #newsAt: Instant = instant(0);

  constructor(parts: GossipParts) {
    const { queueLimit, spreadBytesPerSecond, spreadBurstBytes } = parts.config;
    const perSecond = parts.config.spreadMessagesPerSecond;
    this.#parts = parts;
    this.#queue = new BroadcastQueue(queueLimit);
    this.#bytes = new Allowance({ perSecond: spreadBytesPerSecond, burst: spreadBurstBytes });
    this.#messages = new Allowance({ perSecond, burst: perSecond });
  }

  /** Records that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Keeps `record`, which must not change. */
  push(place: string, record: Uint8Array): void {
    const { counters } = this.#parts;
    if (record.length > gossipRoom('ping')) return counters.add('drop_oversized_record');
    if (!this.#queue.push(place, record)) counters.add('drop_queue_full');
    this.#hasNews = true;
  }

  withdraw(place: string): void {
    this.#queue.remove(place);
  }

  /** The member holds all that we hold. */
  agreed(slot: number): void {
    const { agreements } = this.#parts.config;
    if (this.#queue.size === 0 || agreements === 0 || slot === this.#agreedLast) return;
    this.#agreedLast = slot;
    this.#agreements++;
    if (this.#agreements < agreements) return;
    this.disagreed();
    this.#queue.removeAll((place) => !place.startsWith(SUSPICION));
  }

  /** Somebody holds something else, or we do from now on. */
  disagreed(): void {
    this.#agreements = 0;
    this.#agreedLast = undefined;
  }

  /** What a message that goes out anyway may carry. `first`: stands first, however often sent. */
  fill(room: number, first: Uint8Array | undefined, now: Instant): Uint8Array[] {
    const own = first && first.length <= room ? [first] : [];
    const used = own[0]?.length ?? 0;
    const records = this.#queue.take(
      Math.min(room - used, this.#bytes.left(now) - used),
      this.#times(),
    );
    // What waits may be `first` itself.
    const all = [...own, ...records.filter((record) => record !== first)];
    for (const { length } of all) this.#bytes.spend(length, now);
    this.#parts.counters.add('records_sent', all.length);
    return all;
  }

  /** What is to be sent because news came in since the last call. */
  takeNews(now: Instant): Push[] {
    if (!this.#hasNews || now < this.#newsAt) return [];
    this.#hasNews = false;
    this.#newsAt = after(now, this.#parts.config.newsPause);
    // Nothing but news: what waits for its turn would use up what may be sent in bad times.
    const pushes = this.#pushes(this.#parts.config.fanout, now);
    this.#arm(now);
    return pushes;
  }

  /** What is to be sent because it is time. */
  takeTurn(now: Instant): Push[] {
    if (now < this.#turnAt) return [];
    this.#turnAt = NEVER;
    const pushes = this.#pushes(this.#times(), now);
    this.#arm(now);
    return pushes;
  }

  /** There is somebody to spread to, perhaps for the first time in a while. */
  wake(now: Instant): void {
    this.#arm(now);
  }

  deadline(): Instant {
    return this.#hasNews ? earliest(this.#turnAt, this.#newsAt) : this.#turnAt;
  }

  #arm(now: Instant): void {
    if (this.#turnAt !== NEVER || this.#queue.size === 0 || this.#parts.table.living === 0) return;
    this.#turnAt = after(now, this.#parts.config.spreadInterval);
  }

  #pushes(below: number, now: Instant): Push[] {
    const { table, random, config, counters } = this.#parts;
    if (this.#queue.size === 0) return [];
    const pushes: Push[] = [];
    for (const slot of table.choose(config.fanout, random, () => true)) {
      const room = Math.min(gossipRoom('spread'), this.#bytes.left(now) - MESSAGE_BYTES);
      if (this.#messages.left(now) < 1 || room <= 0) {
        counters.add('drop_spread_limited');
        break;
      }
      const records = this.#queue.take(room, this.#times(), below);
      if (records.length === 0) break;
      for (const { length } of records) this.#bytes.spend(length, now);
      this.#bytes.spend(MESSAGE_BYTES, now);
      this.#messages.spend(1, now);
      counters.add('records_sent', records.length);
      counters.add('spread_messages');
      pushes.push({ slot, records });
    }
    return pushes;
  }

  /** How often a record is sent in all. */
  #times(): number {
    const { table, config } = this.#parts;
    return config.retransmitFactor * digits(table.size - table.count('failed') + 1);
  }
}
