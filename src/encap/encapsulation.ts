/**
 * The closed set of ways in which an inner packet crosses the underlay, and what each adds to it.
 * Which one a peer has is configured; nothing falls back from a sealed one to a clear one.
 */

import type { Endpoint, Family, Mac } from '../base/address.js';
import type { Instant } from '../base/time.js';

export type SealedEncapsulation =
  /** WireGuard messages in UDP. */
  | { readonly kind: 'wireguard' }
  /** The same messages, handshakes too, each behind a VXLAN header with this VNI. */
  | { readonly kind: 'vxlan-sealed'; readonly vni: number };

/**
 * In the clear, to and from one outer address; the endpoint's port is the port of both ends. At
 * `until` it ends, both ways; NEVER where no end is configured.
 */
export type ClearEncapsulation =
  /** Ethernet frames behind a VXLAN header (RFC 7348 §5); `mac` is the peer's VTEP. */
  | {
      readonly kind: 'vxlan';
      readonly endpoint: Endpoint;
      readonly vni: number;
      readonly mac: Mac;
      readonly until: Instant;
    }
  /** Bare IP packets in UDP, as Flannel's udp backend sends them. */
  | { readonly kind: 'udp'; readonly endpoint: Endpoint; readonly until: Instant };

export type Encapsulation = SealedEncapsulation | ClearEncapsulation;
export type EncapsulationKind = Encapsulation['kind'];

/** Whether packets cross the underlay in the clear. */
export function isClear(encapsulation: Encapsulation): encapsulation is ClearEncapsulation {
  return encapsulation.kind === 'vxlan' || encapsulation.kind === 'udp';
}

/** A UDP port on which clear datagrams of one kind arrive. */
export interface ClearPort {
  readonly port: number;
  readonly kind: ClearEncapsulation['kind'];
}

/** What vxlan-sealed marks its messages with where the configuration names no VNI. */
export const DEFAULT_SEALED_VNI = 51_820;
/** What clear vxlan has where the configuration names none: Flannel's. */
export const DEFAULT_CLEAR_VNI = 1;

const UDP = 8;
const VXLAN = 8;
const ETHERNET = 14;
/** A data message's header and tag. */
const DATA_MESSAGE = 32;

/**
 * Bytes between the inner packet and the underlay's MTU. Sealed ones count an IPv6 outer header
 * always, since a peer may move between the families.
 */
export function overheadOf(kind: EncapsulationKind, outer: Family): number {
  const ip = outer === 4 ? 20 : 40;
  switch (kind) {
    case 'wireguard':
      return 40 + UDP + DATA_MESSAGE;
    case 'vxlan-sealed':
      return 40 + UDP + VXLAN + DATA_MESSAGE;
    case 'vxlan':
      return ip + UDP + VXLAN + ETHERNET;
    case 'udp':
      return ip + UDP;
  }
}
