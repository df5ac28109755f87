// The TCP header (RFC 9293 §3.1), network byte order; options, if any, follow:
//
//   0             2                  4          8                 12
//   +-------------+------------------+----------+-----------------+
//   | source port | destination port | sequence | acknowledgement |
//   +-------------+------------------+----------+-----------------+
//   12       13      14       16         18       20
//   +--------+-------+--------+----------+--------+
//   | offset | flags | window | checksum | urgent |
//   +--------+-------+--------+----------+--------+
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kTcpHeader = 20;  // without options
inline constexpr uint16_t kTcpChecksumAt = 16;

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpPush = 0x08;
inline constexpr uint8_t kTcpAck = 0x10;
inline constexpr uint8_t kTcpEce = 0x40;
inline constexpr uint8_t kTcpCwr = 0x80;

inline uint32_t tcpSequence(const uint8_t* tcp) { return loadBe32(tcp + 4); }
inline uint32_t tcpAcknowledgement(const uint8_t* tcp) { return loadBe32(tcp + 8); }
inline size_t tcpHeaderLength(const uint8_t* tcp) { return size_t{4} * (tcp[12] >> 4); }
inline uint8_t tcpFlags(const uint8_t* tcp) { return tcp[13]; }

inline void setTcpSequence(uint8_t* tcp, uint32_t sequence) { storeBe32(tcp + 4, sequence); }
inline void setTcpFlags(uint8_t* tcp, uint8_t flags) { tcp[13] = flags; }

}  // namespace heddle
