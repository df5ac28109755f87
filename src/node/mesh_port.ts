/**
 * The mesh as a node sees it: a core of its own that the node feeds with what becomes of its peers
 * and whose wishes it carries out. A node without one knows the peers of its configuration alone.
 */

import type { Instant } from '../base/time.js';
import type { MeshAction } from '../mesh/action.js';
import type { MeshInput } from '../mesh/input.js';
import type { MeshSnapshot } from '../mesh/snapshot.js';

export interface MeshPort {
  /** What is borrowed in the input is copied or used up in the call. */
  handle(input: MeshInput, now: Instant): void;
  advance(now: Instant): void;
  deadline(): Instant;
  /** Moves what is wanted, in order, into `out`. */
  drain(out: MeshAction[]): void;
  snapshot(): MeshSnapshot;
}

/** What of a mesh's wishes is the shell's to carry out; the node does the rest itself. */
export type HostMeshAction = Extract<
  MeshAction,
  { kind: 'persist' | 'addresses' | 'answer' | 'tell' | 'forgetNetwork' }
>;
