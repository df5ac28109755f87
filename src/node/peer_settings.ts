/** What a configuration, or the mesh, says of one peer, told to its session where it changed. */

import { type Endpoint, endpointOf, parseAddress, withVni } from '../base/address.js';
import { equal } from '../base/bytes.js';
import type { Instant } from '../base/time.js';
import type { Features } from '../session/features.js';
import type { PeerConfig } from './config.js';
import type { EndpointNames } from './endpoint_names.js';
import type { Peer } from './peer_table.js';

/** `before`: what was said of it last; `features`: ours, for a peer of heddle's own protocol. */
export function applySettings(
  peer: Peer,
  before: PeerConfig | undefined,
  features: Features,
  names: EndpointNames,
  now: Instant,
): void {
  const { presharedKey, persistentKeepalive, protocol, publicKey, sealedVni } = peer.config;
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
  if (!isSamePlace(before, peer.config)) setEndpoint(peer, names, now);
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
export function literalEndpoint({ at, endpoint, sealedVni }: PeerConfig): Endpoint | undefined {
  if (at) return sealedVni === undefined ? at : withVni(at, sealedVni);
  const address = endpoint && parseAddress(endpoint.host);
  return address && withVni(endpointOf(address, endpoint.port), sealedVni);
}

/** Where there is none any more, the peer is still where it was heard last. */
function setEndpoint(peer: Peer, names: EndpointNames, now: Instant): void {
  const { config, slot } = peer;
  names.remove(slot);
  const literal = literalEndpoint(config);
  if (literal) moveTo(peer, literal, now);
  else if (config.endpoint) names.set(slot, config.endpoint, now);
}

function isSamePlace(before: PeerConfig | undefined, { at, endpoint }: PeerConfig): boolean {
  if (before?.at?.text !== at?.text) return false;
  return before?.endpoint?.host === endpoint?.host && before?.endpoint?.port === endpoint?.port;
}

function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b));
}
