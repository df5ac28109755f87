/** What the gossip core counts: a closed list, one count each. */

export const GOSSIP_COUNTERS = [
  'probes',
  'probes_answered',
  'probes_relayed', // answered by way of another only
  'probes_failed',
  'probes_discarded', // we were not there to hear an answer
  'stalls',
  'lags',
  'retries', // pings to members that failed
  'last_questions',
  'acquittals', // suspicions that ended in something heard of the subject
  'failures',
  'returns', // failed members that came back
  'accusations', // by us
  'refutations', // of us
  'comparisons',
  'records_sent',
  'spread_messages',
  'drop_unknown_member',
  'drop_table_full',
  'drop_queue_full', // a record that was sent often made room
  'drop_wrong_target',
  'drop_unexpected_ack', // late, most often
  'drop_unexpected_nack',
  'drop_answers_limited',
  'drop_relays_full',
  'drop_stale_suspicion', // its subject has said more since
  'drop_superfluous_suspicion', // enough others accuse already
  'drop_oversized_record', // fits into no message
  'drop_spread_limited', // the allowance of this second is used up
] as const;

export type GossipCounter = (typeof GOSSIP_COUNTERS)[number];

export class GossipCounters {
  readonly #counts = new Map<GossipCounter, number>(GOSSIP_COUNTERS.map((name) => [name, 0]));

  add(name: GossipCounter, amount = 1): void {
    this.#counts.set(name, this.get(name) + amount);
  }

  get(name: GossipCounter): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Every name, those that never happened too. */
  read(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
