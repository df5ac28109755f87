/**
 * What a mesh starts from: what the state folder holds and what the command line says. Holds
 * secrets: never log it whole.
 */

import type { Endpoint, Prefix } from '../base/address.js';
import type { JoinLine } from '../identity/join_line.js';
import type { Keys } from './keys.js';
import type { OwnState } from './own_state.js';

export interface MeshSetup {
  readonly keys: Keys;
  /** Of earlier runs; undefined at the first. */
  readonly own: OwnState | undefined;
  /** The records that were known, as they were kept; verified again. */
  readonly records: readonly Uint8Array[];
  /** How to come to a network where `own` names none; undefined: wait, and say so. */
  readonly entry:
    | { readonly kind: 'found'; readonly name: string; readonly pool: Prefix }
    | { readonly kind: 'join'; readonly line: JoinLine }
    | undefined;
  /** What this host calls itself: 1 to 63 of a-z, 0-9 and hyphens. */
  readonly hostName: string;
  /** Behind this host, to be announced; those that the certificate allows are. */
  readonly announce: readonly Prefix[];
  /** Whether default routes that others announce are accepted. */
  readonly acceptsDefaultRoutes: boolean;
  /** The length of a subnet of our own, to be leased; undefined: none. */
  readonly subnetLength: number | undefined;
  /** Random for each start: 16 hexadecimal digits. */
  readonly instance: string;
  /** Where others reach us, as the underlay has it: addresses with the listen port, at most 6. */
  readonly endpoints: readonly Endpoint[];
}
