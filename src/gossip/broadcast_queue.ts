/**
 * Records that wait to be spread, one a place: a later one of the same place takes the earlier
 * one's. Those that were sent the fewest times go first, and of these the newest; one that was
 * sent often enough is done. At the limit the one that was sent most often, and of these the
 * oldest, makes room. Source: SWIM §4.1; the order is memberlist's.
 */

interface Entry {
  readonly place: string;
  readonly record: Uint8Array;
  /** Rises: which came later. */
  readonly serial: number;
}

/** Records that did not fit and are passed over while a message is filled. */
const MISFITS = 8;

export class BroadcastQueue {
  readonly #limit: number;
  /** By how often its records were sent: each sorted by serial. */
  readonly #buckets: Entry[][] = [];
  readonly #places = new Map<string, { readonly entry: Entry; sent: number }>();
  #serial = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#places.size;
  }

  has(place: string): boolean {
    return this.#places.has(place);
  }

  /** Keeps `record`, which must not change. False when another had to go. */
  push(place: string, record: Uint8Array): boolean {
    this.remove(place);
    const isFull = this.#places.size >= this.#limit;
    if (isFull) this.#dropWorst();
    const entry = { place, record, serial: this.#serial++ };
    this.#places.set(place, { entry, sent: 0 });
    this.#put(entry, 0);
    return !isFull;
  }

  remove(place: string): void {
    const held = this.#places.get(place);
    if (!held) return;
    this.#places.delete(place);
    this.#cut(held.entry, held.sent);
  }

  /** Removes all whose place is such. */
  removeAll(isSuch: (place: string) => boolean): void {
    for (const place of [...this.#places.keys()]) if (isSuch(place)) this.remove(place);
  }

  /**
   * Records for one message of `room` bytes, of those that were sent less than `below` times;
   * counts them as sent, out of `times` in all.
   */
  take(room: number, times: number, below = times): Uint8Array[] {
    const taken = this.#choose(room, below);
    for (const { entry, sent } of taken) {
      this.#cut(entry, sent);
      if (sent + 1 >= times) this.#places.delete(entry.place);
      else {
        this.#places.set(entry.place, { entry, sent: sent + 1 });
        this.#put(entry, sent + 1);
      }
    }
    return taken.map(({ entry }) => entry.record);
  }

  #choose(room: number, below: number): { readonly entry: Entry; readonly sent: number }[] {
    const chosen: { entry: Entry; sent: number }[] = [];
    let left = room;
    let misfits = 0;
    for (let sent = 0; sent < Math.min(below, this.#buckets.length); sent++) {
      const bucket = this.#buckets[sent] ?? [];
      for (let i = bucket.length - 1; i >= 0; i--) {
        const entry = bucket[i];
        if (!entry) continue;
        if (entry.record.length <= left) {
          chosen.push({ entry, sent });
          left -= entry.record.length;
        } else if (++misfits >= MISFITS) return chosen;
      }
    }
    return chosen;
  }

  #put(entry: Entry, sent: number): void {
    while (this.#buckets.length <= sent) this.#buckets.push([]);
    const bucket = this.#buckets[sent] ?? [];
    bucket.splice(placeIn(bucket, entry.serial), 0, entry);
  }

  #cut(entry: Entry, sent: number): void {
    const bucket = this.#buckets[sent] ?? [];
    const at = placeIn(bucket, entry.serial);
    if (bucket[at] === entry) bucket.splice(at, 1);
  }

  #dropWorst(): void {
    for (let sent = this.#buckets.length - 1; sent >= 0; sent--) {
      const worst = this.#buckets[sent]?.[0];
      if (worst) return this.remove(worst.place);
    }
  }
}

/** The first place whose entry is not older. */
function placeIn(bucket: readonly Entry[], serial: number): number {
  let [low, high] = [0, bucket.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bucket[middle]?.serial ?? 0) < serial) low = middle + 1;
    else high = middle;
  }
  return low;
}
