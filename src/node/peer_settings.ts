/** What a configuration, or the mesh, says of one peer, told to its session where it changed. */

import { type Endpoint, endpointOf, parseAddress, withVni } from '../base/address.js';
import { equal } from '../base/bytes.js';
import type { Instant } from '../base/time.js';
import type { Features } from '../session/features.js';
import type { HostPort, PeerConfig } from './config.js';
import { type EndpointNames, isSamePlace } from './endpoint_names.js';
import type { Peer } from './peer_table.js';

/** `before`: what was said of it last; `features`: ours, for a peer of heddle's own protocol. */
export function applySettings(
  peer: Peer,
  before: PeerConfig | undefined,
  features: Features,
  names: EndpointNames,
  now: Instant,
): void {
  const { presharedKey, endpoint, persistentKeepalive, protocol, publicKey, sealedVni } =
    peer.config;
  const { session } = peer;
  const isRenamed = before !== undefined && !equal(before.publicKey, publicKey);
  // One that has no other key any more goes by this one, whichever it was heard by last.
  if (isRenamed || !peer.otherKey) session.handle({ kind: 'publicKey', publicKey }, now);
  const ours = protocol === 'heddle' ? features : undefined;
  session.handle({ kind: 'protocol', features: ours }, now);
  if (!isSameKey(before?.presharedKey, presharedKey)) {
    session.handle({ kind: 'presharedKey', key: presharedKey }, now);
  }
  const known = session.endpoint;
  if (known && before?.sealedVni !== sealedVni) moveTo(peer, known, now);
  if (!isSamePlace(before?.endpoint, endpoint)) setEndpoint(peer, endpoint, names, now);
  if (before?.persistentKeepalive !== persistentKeepalive) {
    session.handle({ kind: 'persistentKeepalive', interval: persistentKeepalive }, now);
  }
}

/** Whatever the form it was heard in, the peer has the configured one now. */
export function moveTo(peer: Peer, to: Endpoint, now: Instant): void {
  const endpoint = withVni(to, peer.config.sealedVni);
  peer.session.handle({ kind: 'endpoint', endpoint }, now);
}

/** Where the configured endpoint is an address, in the peer's form. */
export function literalEndpoint({ endpoint, sealedVni }: PeerConfig): Endpoint | undefined {
  const address = endpoint && parseAddress(endpoint.host);
  return address && withVni(endpointOf(address, endpoint.port), sealedVni);
}

/** Where there is none any more, the peer is still where it was heard last. */
function setEndpoint(
  peer: Peer,
  at: HostPort | undefined,
  names: EndpointNames,
  now: Instant,
): void {
  names.remove(peer.slot);
  const literal = literalEndpoint(peer.config);
  if (literal) moveTo(peer, literal, now);
  else if (at) names.set(peer.slot, at, now);
}

function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b));
}
