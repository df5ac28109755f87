/** What the parts of a mesh share, once it is known which network it is. */

import type { NodeId } from '../base/identifiers.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Instant, WallTime } from '../base/time.js';
import type { SignatureSuite } from '../crypto/signature.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { Authority } from '../identity/authority.js';
import type { HybridClock } from '../state/hybrid_clock.js';
import type { Store } from '../state/store.js';
import type { SignedRecord } from '../wire/record.js';
import type { MeshAction } from './action.js';
import type { MeshAnswer } from './command.js';
import type { Directory } from './directory.js';
import type { MeshDropCounters } from './drop.js';
import type { KeyRing } from './key_ring.js';
import type { Keeper } from './keeper.js';
import type { Ledger } from './ledger.js';
import type { Scribe } from './scribe.js';

/** What a mesh core is given. */
export interface MeshDependencies {
  readonly suite: SignatureSuite;
  readonly crypto: CryptoSuite;
  readonly random: Random;
  readonly log: Log;
  /** Absent: parseRecord. The simulator shares what it returns between thousands of nodes. */
  readonly parse?: (bytes: Uint8Array) => SignedRecord | undefined;
}

/** What becomes possible when a file is safe. */
export type Safe =
  | { readonly kind: 'ceiling'; readonly ceiling: number }
  | { readonly kind: 'publish'; readonly record: SignedRecord }
  | { readonly kind: 'claimed'; readonly key: string; readonly record: SignedRecord }
  | { readonly kind: 'redeemed'; readonly request: number }
  | { readonly kind: 'answer'; readonly request: number; readonly answer: MeshAnswer };

export interface MeshParts {
  readonly dependencies: MeshDependencies;
  readonly network: NodeId;
  readonly self: NodeId;
  readonly authority: Authority;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly directory: Directory;
  readonly keeper: Keeper<Safe>;
  readonly scribe: Scribe;
  readonly clock: HybridClock;
  readonly drops: MeshDropCounters;
  /** Of the whole mesh, in order. */
  readonly actions: MeshAction[];
  readonly keys: KeyRing;
  /** What the wall clock of this host shows, believed or not. */
  readonly hostWallAt: (now: Instant) => WallTime;
  /** The same, as far as it can be believed. */
  readonly wallAt: (now: Instant) => WallTime;
}
