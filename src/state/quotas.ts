/** How many records of each kind one author may have in a store: who goes beyond harms nobody. */

import type { RecordKind } from '../wire/record.js';

/** Suspicions are spread and never stored. Of revocations there are as many as it takes. */
export const QUOTAS: Readonly<Record<RecordKind, number>> = {
  network: 1,
  delegation: 256,
  certificate: 16_384,
  revocation: 65_536,
  node: 1,
  suspicion: 0,
  lease: 4,
  announcement: 64,
  invitation: 4_096,
  rootChange: 1,
};
