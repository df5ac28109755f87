/**
 * When certificates and delegations count, are to be renewed, and are about to run out. All by wall
 * time, which is given, and never by a clock of our own.
 */

import { seconds, type WallTime } from '../base/time.js';

/** Clocks differ by this much, and nobody wonders. */
export const CLOCK_SKEW = seconds(300);
/** How long before something runs out people are told. */
export const EXPIRY_WARNING = seconds(30 * 86_400);
/**
 * How long the delegation of an admin key is held beyond its end, for the sake of what it revoked:
 * whoever was certified until then (90 days) and is not to come back meanwhile.
 */
export const DELEGATION_HELD = seconds(120 * 86_400);
/** A version that is a time is at most this much ahead of ours. */
export const VERSION_LEAD = seconds(86_400);

export interface Validity {
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
}

export function isOver(notAfter: WallTime, wall: WallTime): boolean {
  return wall > notAfter + CLOCK_SKEW;
}

export function isPremature(notBefore: WallTime, wall: WallTime): boolean {
  return wall < notBefore - CLOCK_SKEW;
}

export function isValidAt({ notBefore, notAfter }: Validity, wall: WallTime): boolean {
  return !isPremature(notBefore, wall) && !isOver(notAfter, wall);
}

/** A third of its time has passed: whoever signed it signs it anew. */
export function renewalDue({ notBefore, notAfter }: Validity, wall: WallTime): boolean {
  return wall - notBefore >= (notAfter - notBefore) / 3;
}

/** Two fifths have passed: any admin signs it anew, for who signed it seems to be gone. */
export function rescueDue({ notBefore, notAfter }: Validity, wall: WallTime): boolean {
  return 5 * (wall - notBefore) >= 2 * (notAfter - notBefore);
}

/** It runs out soon, or has: time to tell people. */
export function expiresSoon(notAfter: WallTime, wall: WallTime): boolean {
  return notAfter - wall <= EXPIRY_WARNING;
}
