/**
 * What one side of a session of heddle's own protocol can do, and what follows from both sides'.
 * Both come to the same suite: AES-256-GCM where both know it, unless both put ChaCha20-Poly1305
 * before it, which every side knows.
 */

import type { Suite } from '../crypto/suite.js';

export interface Features {
  /** The preferred first; ChaCha20-Poly1305 is among them. */
  readonly suites: readonly Suite[];
  /** That we send with: 1 to 8. */
  readonly lanes: number;
  /** Packets whose checksum field holds the pseudo-header's sum are taken, and may be sent. */
  readonly trustsChecksums: boolean;
}

/** What the lanes of a session are used with. */
export interface Agreement {
  readonly suite: Suite;
  /** Sub-keypairs, one a lane of the side that has more. */
  readonly keypairs: number;
  /** Lanes of ours that send. */
  readonly lanes: number;
  readonly trustsChecksums: boolean;
}

export function agree(ours: Features, theirs: Features): Agreement {
  return {
    suite: commonSuite(ours.suites, theirs.suites),
    keypairs: Math.max(ours.lanes, theirs.lanes),
    lanes: ours.lanes,
    trustsChecksums: ours.trustsChecksums && theirs.trustsChecksums,
  };
}

export function isSameFeatures(a: Features | undefined, b: Features | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.lanes === b.lanes &&
    a.trustsChecksums === b.trustsChecksums &&
    a.suites.length === b.suites.length &&
    a.suites.every((suite, at) => suite === b.suites[at])
  );
}

function commonSuite(ours: readonly Suite[], theirs: readonly Suite[]): Suite {
  const isKnown = ours.includes('aes-256-gcm') && theirs.includes('aes-256-gcm');
  const isUnwanted = ours[0] === 'chacha20-poly1305' && theirs[0] === 'chacha20-poly1305';
  return isKnown && !isUnwanted ? 'aes-256-gcm' : 'chacha20-poly1305';
}
