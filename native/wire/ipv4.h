// The IPv4 header (RFC 791 §3.1), network byte order; options, if any, follow:
//
//   0          1      2              4            6               8
//   +----------+------+--------------+------------+---------------+
//   | ver, ihl | TOS  | total length | identifier | flags, offset |
//   +----------+------+--------------+------------+---------------+
//   8     9          10         12       16            20
//   +-----+----------+----------+--------+-------------+
//   | TTL | protocol | checksum | source | destination |
//   +-----+----------+----------+--------+-------------+
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"
#include "wire/checksum.h"

namespace heddle {

inline constexpr size_t kIpv4Header = 20;  // without options

inline constexpr uint16_t kIpv4DontFragment = 0x4000;
inline constexpr uint16_t kIpv4FragmentMask = 0x3fff;  // more fragments, and the offset

inline size_t ipv4HeaderLength(const uint8_t* packet) { return size_t{4} * (packet[0] & 0x0fu); }
inline uint16_t ipv4TotalLength(const uint8_t* packet) { return loadBe16(packet + 2); }
inline uint16_t ipv4Identifier(const uint8_t* packet) { return loadBe16(packet + 4); }
inline uint16_t ipv4Fragment(const uint8_t* packet) { return loadBe16(packet + 6); }
inline uint8_t ipv4Ttl(const uint8_t* packet) { return packet[8]; }
inline uint8_t ipv4Protocol(const uint8_t* packet) { return packet[9]; }

inline void setIpv4TotalLength(uint8_t* packet, uint16_t length) { storeBe16(packet + 2, length); }
inline void setIpv4Identifier(uint8_t* packet, uint16_t identifier) {
  storeBe16(packet + 4, identifier);
}
// Over the whole header, options too.
inline void setIpv4Checksum(uint8_t* packet) {
  storeLe16(packet + 10, 0);
  storeChecksum(packet + 10, sumBytes(packet, ipv4HeaderLength(packet)));
}
inline bool isIpv4ChecksumRight(const uint8_t* packet) {
  return isSumRight(sumBytes(packet, ipv4HeaderLength(packet)));
}

}  // namespace heddle
