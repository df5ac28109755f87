// The VXLAN header (RFC 7348 §5), network byte order:
//
//   0       1          4     7          8
//   +-------+----------+-----+----------+
//   | flags | reserved | VNI | reserved |
//   +-------+----------+-----+----------+
//
// Of the flags one is defined, I: the VNI is valid. Reserved fields and flags are sent as zero and
// ignored when received.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kVxlanHeader = 8;
inline constexpr uint8_t kVxlanValidVni = 0x08;

inline bool vxlanHasVni(const uint8_t* header) { return (header[0] & kVxlanValidVni) != 0; }
inline uint32_t vxlanVni(const uint8_t* header) { return loadBe32(header + 4) >> 8; }

inline void emitVxlan(uint8_t* at, uint32_t vni) {
  storeBe32(at, uint32_t{kVxlanValidVni} << 24);
  storeBe32(at + 4, vni << 8);
}

}  // namespace heddle
