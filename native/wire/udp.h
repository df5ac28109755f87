// The UDP header (RFC 768), network byte order:
//
//   0             2                  4        6          8
//   +-------------+------------------+--------+----------+
//   | source port | destination port | length | checksum |
//   +-------------+------------------+--------+----------+
//
// The length counts the header; a checksum of zero means that there is none (IPv4 only).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kUdpHeader = 8;
inline constexpr uint16_t kUdpChecksumAt = 6;

inline uint16_t udpLength(const uint8_t* udp) { return loadBe16(udp + 4); }
inline uint16_t udpChecksum(const uint8_t* udp) { return loadBe16(udp + 6); }

inline void setUdpLength(uint8_t* udp, uint16_t length) { storeBe16(udp + 4, length); }

}  // namespace heddle
