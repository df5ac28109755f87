/**
 * The Ethernet address that our VTEP has where the configuration names none: it follows from the
 * public key, so that it stays the same and whoever knows the key can compute it.
 */

import { type Mac, macFromBytes } from '../base/address.js';
import { blake2s } from '../crypto/blake2s.js';

const LABEL = new TextEncoder().encode('heddle vtep mac');
/** The two low bits of the first byte (IEEE 802 §8.2). */
const GROUP = 0x01;
const LOCAL = 0x02;

/** The first 6 bytes of BLAKE2s(label || public key), made locally administered and unicast. */
export function vtepMacOf(publicKey: Uint8Array): Mac {
  const bytes = blake2s(LABEL, publicKey).slice(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & ~GROUP) | LOCAL;
  return macFromBytes(bytes, 0);
}
