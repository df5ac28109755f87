// The IPv6 header (RFC 8200 §3), network byte order:
//
//   0                            4                6             7           8
//   +----------------------------+----------------+-------------+-----------+
//   | version, class, flow label | payload length | next header | hop limit |
//   +----------------------------+----------------+-------------+-----------+
//   8        24            40
//   +--------+-------------+
//   | source | destination |
//   +--------+-------------+
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kIpv6Header = 40;

// Without the header itself.
inline uint16_t ipv6PayloadLength(const uint8_t* packet) { return loadBe16(packet + 4); }
inline uint8_t ipv6NextHeader(const uint8_t* packet) { return packet[6]; }
inline uint8_t ipv6HopLimit(const uint8_t* packet) { return packet[7]; }

inline void setIpv6PayloadLength(uint8_t* packet, uint16_t length) {
  storeBe16(packet + 4, length);
}

}  // namespace heddle
