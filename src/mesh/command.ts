/** What an operator may ask of a mesh, and what comes of it. */

import type { Duration } from '../base/time.js';

export type MeshCommand =
  /** Prints a join line. Only an admin can. */
  | {
      readonly kind: 'invite';
      readonly ttl: Duration;
      /** 1 to 16 hosts may join by it. */
      readonly uses: number;
      /** Of the host that joins; undefined: as it calls itself. */
      readonly name: string | undefined;
      readonly groups: readonly string[];
      readonly isAdmin: boolean;
      /** Prefixes, as text, that it may announce besides its own. */
      readonly prefixes: readonly string[];
    }
  /** `invitation`: its id, or the beginning of it. */
  | { readonly kind: 'revokeInvitation'; readonly invitation: string }
  /** `member`: its name, its id or its public key in base64. */
  | { readonly kind: 'revoke'; readonly member: string }
  /** We leave, on purpose, and forget the network. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'rotate'; readonly what: 'key' | 'admin' | 'root' }
  /** The root key's seed, to be kept elsewhere. Only where it lies. */
  | { readonly kind: 'exportRoot' };

export type MeshAnswer =
  | { readonly ok: true; readonly result: MeshResult }
  /** What, why and what to do. */
  | { readonly ok: false; readonly error: string };

export type MeshResult =
  | {
      readonly kind: 'invited';
      /** A secret: `heddle1...`. */
      readonly line: string;
      readonly id: string;
      /** Seconds since 1970. */
      readonly expires: number;
    }
  | { readonly kind: 'done'; readonly text: string }
  /** A secret: base64. */
  | { readonly kind: 'root'; readonly seed: string };
