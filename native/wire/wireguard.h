// WireGuard's messages (whitepaper §5.4), all fields little-endian. The walk reads the type of
// every message, where mac1 stands in a handshake message, and the header of a data message:
//
//   0          4                8               16
//   +----------+----------------+---------------+----------------+-----+
//   | type = 4 | receiver index | counter       | ciphertext ... | tag |
//   +----------+----------------+---------------+----------------+-----+
//
// The type is the full 32-bit word: its three upper bytes are reserved and zero.
//
// heddle's own data messages, between peers that said hello, have the same form under a type of
// their own, whose uppermost byte says how the checksum of the inner packet stands.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr uint32_t kTypeInitiation = 1;
inline constexpr uint32_t kTypeResponse = 2;
inline constexpr uint32_t kTypeCookie = 3;
inline constexpr uint32_t kTypeData = 4;
inline constexpr uint32_t kTypeHeddle = 0x00000048;
// Likewise, and the checksum field of the TCP or UDP packet inside holds the pseudo-header's sum
// alone.
inline constexpr uint32_t kTypeHeddlePartial = 0x01000048;

inline constexpr size_t kInitiationLength = 148;
inline constexpr size_t kResponseLength = 92;
inline constexpr size_t kCookieLength = 64;
inline constexpr size_t kMacLength = 16;  // mac1 and mac2 end a handshake message, in this order

inline constexpr size_t kDataHeader = 16;
inline constexpr size_t kDataTag = 16;
inline constexpr size_t kDataOverhead = kDataHeader + kDataTag;

inline bool isHeddleType(uint32_t type) {
  return type == kTypeHeddle || type == kTypeHeddlePartial;
}
// What the AEAD's nonce begins with: so a type cannot be changed on the way.
inline uint32_t noncePrefix(uint32_t type) { return type >> 24; }

inline uint32_t messageType(const uint8_t* message) { return loadLe32(message); }
inline uint32_t dataReceiver(const uint8_t* message) { return loadLe32(message + 4); }
inline uint64_t dataCounter(const uint8_t* message) { return loadLe64(message + 8); }

inline void emitDataHeader(uint8_t* message, uint32_t type, uint32_t receiver, uint64_t counter) {
  storeLe32(message, type);
  storeLe32(message + 4, receiver);
  storeLe64(message + 8, counter);
}

}  // namespace heddle
