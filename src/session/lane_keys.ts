/**
 * The sub-keypairs of a session of heddle's own protocol: one a lane, beside WireGuard's keypair,
 * which is their base.
 *
 * Keys. With ck the chaining key when the handshake is complete, from which WireGuard takes its
 * transport keys as KDF2(ck, ""), KDF1 as there (§5.4), and labels in ASCII:
 *
 *   exporter = KDF1(ck, "heddle v1 exporter")
 *   key      = KDF1(exporter, "heddle v1 SUITE DIRECTION lane K")
 *
 * SUITE is `chacha20-poly1305` or `aes-256-gcm`, DIRECTION is `initiator to responder` or
 * `responder to initiator` as the handshake's roles are, K is `0` to `7`. So no key is ever used
 * with two suites, both ways, or by two lanes, and none of them leads to another or to the base's.
 *
 * Indices. The base's are multiples of 16 on both sides; those of lane K have 8 | K in the low
 * four bits.
 */

import { type SessionIndex, sessionIndex } from '../base/identifiers.js';
import { kdf1 } from '../crypto/hkdf.js';
import type { Suite } from '../crypto/suite.js';

/** What a session's exporter is derived with. */
export const EXPORTER_LABEL = ascii('heddle v1 exporter');

const LANE_BIT = 8;
const LOW_BITS = 15;

export interface LaneKeyParts {
  readonly suite: Suite;
  readonly lane: number;
  /** Whether we were the initiator of the handshake. */
  readonly isInitiator: boolean;
}

/** Both directions of a lane, 32 bytes each; `exporter` is borrowed. */
export function laneKeys(
  exporter: Uint8Array,
  { suite, lane, isInitiator }: LaneKeyParts,
): { readonly sendKey: Uint8Array; readonly receiveKey: Uint8Array } {
  const fromInitiator = laneKey(exporter, `${suite} initiator to responder lane ${lane}`);
  const fromResponder = laneKey(exporter, `${suite} responder to initiator lane ${lane}`);
  return isInitiator
    ? { sendKey: fromInitiator, receiveKey: fromResponder }
    : { sendKey: fromResponder, receiveKey: fromInitiator };
}

/** The index of lane `lane` beside the session's. */
export function laneIndex(base: SessionIndex, lane: number): SessionIndex {
  return sessionIndex(base | LANE_BIT | lane);
}

/** The session's own index, whichever of its keypairs `index` is. */
export function baseIndex(index: SessionIndex): SessionIndex {
  return sessionIndex(index & ~LOW_BITS);
}

export function isLaneIndex(index: SessionIndex): boolean {
  return (index & LANE_BIT) !== 0;
}

function laneKey(exporter: Uint8Array, purpose: string): Uint8Array {
  return kdf1(exporter, ascii(`heddle v1 ${purpose}`));
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
