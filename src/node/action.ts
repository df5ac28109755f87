/**
 * Everything a node can want of its shell. Actions are carried out in order, and before the node is
 * called again: keys in an `installKeypair` are wiped then.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { TableWrite } from '../datapath/tables.js';
import type { HostMeshAction } from './mesh_port.js';

export type NodeAction =
  | { readonly kind: 'write'; readonly write: TableWrite }
  /**
   * Send a handshake message. `peer` is whose traffic it counts as; a cookie reply belongs to
   * nobody.
   */
  | {
      readonly kind: 'send';
      readonly peer: PeerSlot | undefined;
      readonly endpoint: Endpoint;
      readonly datagram: Uint8Array;
    }
  /**
   * Look up a configured endpoint's host name; the answer is a `resolved` input with the same
   * number.
   */
  | {
      readonly kind: 'resolve';
      readonly request: number;
      readonly host: string;
      readonly port: number;
    }
  /** What the mesh wants of the host. */
  | { readonly kind: 'mesh'; readonly action: HostMeshAction };
