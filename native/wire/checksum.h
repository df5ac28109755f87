// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit
// words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.h"
#include "base/endian.h"

namespace heddle {

// A sum that is not folded yet, of words in memory order: sums may be added, in any order, some
// thousand times.
using Sum = uint64_t;

// An odd last byte counts as if a zero byte followed.
Sum sumBytes(const uint8_t* bytes, size_t length);

inline Sum sumBe16(uint16_t value) { return __builtin_bswap16(value); }
inline Sum sumBe32(uint32_t value) { return __builtin_bswap32(value); }

inline uint16_t foldSum(Sum sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>((sum & 0xffff) + (sum >> 16));
}

// Whether the bytes, their checksum field included, sum up to what a right checksum makes.
inline bool isSumRight(Sum sum) { return foldSum(sum) == 0xffff; }

// Stores the checksum for a sum that was made with the field as zero.
inline void storeChecksum(uint8_t* at, Sum sum) {
  storeLe16(at, static_cast<uint16_t>(~foldSum(sum)));
}
// The same where zero would mean "none" (RFC 768).
inline void storeNonzeroChecksum(uint8_t* at, Sum sum) {
  auto checksum = static_cast<uint16_t>(~foldSum(sum));
  storeLe16(at, checksum == 0 ? uint16_t{0xffff} : checksum);
}

// The pseudo-header of TCP and UDP (RFC 9293 §3.1, RFC 8200 §8.1) of an IPv4 or IPv6 packet,
// without its length field.
Sum sumPseudoHeader(Family family, const uint8_t* packet, uint8_t protocol);

}  // namespace heddle
