/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit
 * words in network byte order. A sum here is a number that is not folded yet; sums may be added in
 * any order, some thousand of whole packets.
 */

import { loadBe16 } from '../base/bytes.js';

/** The sum of `length` bytes; an odd last byte counts as if a zero byte followed. */
export function sumBytes(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length;
  let sum = 0;
  let next = at;
  for (; next + 1 < end; next += 2) sum += loadBe16(bytes, next);
  if (next < end) sum += (bytes[next] ?? 0) << 8;
  return sum;
}

/** To 16 bits, 0 to 0xffff. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** The checksum that goes with a sum made with the checksum field as zero. */
export function checksumOf(sum: number): number {
  return foldSum(sum) ^ 0xffff;
}

/** Whether a sum over bytes with their checksum in place is what a right checksum makes. */
export function isSumRight(sum: number): boolean {
  return foldSum(sum) === 0xffff;
}

/**
 * The pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1) for the IP packet at
 * `at`, whose addresses are taken as they stand: with an unfinished routing header the destination
 * is not the final one, and the sum not the sender's.
 */
export function sumPseudoHeader(
  bytes: Uint8Array,
  at: number,
  upper: { readonly protocol: number; readonly length: number },
): number {
  const isIpv4 = (bytes[at] ?? 0) >> 4 === 4;
  const addresses = isIpv4 ? sumBytes(bytes, at + 12, 8) : sumBytes(bytes, at + 8, 32);
  return addresses + upper.protocol + Math.floor(upper.length / 0x1_0000) + (upper.length & 0xffff);
}

/** RFC 1624 §3, equation 3: the checksum after one 16-bit word under it changed. */
export function updateChecksum(
  checksum: number,
  word: { readonly before: number; readonly after: number },
): number {
  return checksumOf((checksum ^ 0xffff) + (word.before ^ 0xffff) + word.after);
}
