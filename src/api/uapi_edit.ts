/**
 * What a `set=1` request of WireGuard's configuration protocol asks for: one edit a line, in the
 * order of the lines. An edit of a peer concerns the one that the last `peer` edit named.
 */

import type { Endpoint, Prefix } from '../base/address.js';
import type { Duration } from '../base/time.js';

/** Keys are 32 bytes; all zeros take the key away. */
export type UapiEdit =
  | { readonly kind: 'privateKey'; readonly key: Uint8Array }
  | { readonly kind: 'listenPort'; readonly port: number }
  | { readonly kind: 'fwMark'; readonly mark: number }
  | { readonly kind: 'replacePeers' }
  | { readonly kind: 'peer'; readonly publicKey: Uint8Array }
  | { readonly kind: 'updateOnly' }
  | { readonly kind: 'remove' }
  | { readonly kind: 'presharedKey'; readonly key: Uint8Array }
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'persistentKeepalive'; readonly interval: Duration | undefined }
  | { readonly kind: 'replaceAllowedIps' }
  | { readonly kind: 'allowIp'; readonly prefix: Prefix }
  | { readonly kind: 'denyIp'; readonly prefix: Prefix };

/** A request that is not carried out. */
export interface UapiRefusal {
  readonly kind: 'refused';
  /** As in errno.h, positive. */
  readonly errno: number;
  /** For the log; holds no value of the request. */
  readonly why: string;
}

/** As Linux numbers them. */
export const ERRNO = { E2BIG: 7, EINVAL: 22, EPROTO: 71, EADDRINUSE: 98 } as const;
