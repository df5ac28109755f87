// The header before each packet of a TUN device with IFF_VNET_HDR (virtio 1.2 §5.1.6, struct
// virtio_net_hdr of linux/virtio_net.h), in little-endian byte order:
//
//   0      1         2        4         6           8            10
//   +------+---------+--------+---------+-----------+------------+
//   |flags |gso type |hdr len |gso size |csum start |csum offset |
//   +------+---------+--------+---------+-----------+------------+
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kVirtioNetHeader = 10;

inline constexpr uint8_t kVirtioNeedsChecksum = 1;
inline constexpr uint8_t kVirtioGsoNone = 0;
inline constexpr uint8_t kVirtioGsoTcp4 = 1;
inline constexpr uint8_t kVirtioGsoTcp6 = 4;
inline constexpr uint8_t kVirtioGsoUdp =
    5;  // UDP_L4; the header of Debian 12's kernel does not name it
inline constexpr uint8_t kVirtioGsoEcn = 0x80;

struct VirtioNetHeader {
  uint8_t flags = 0;
  uint8_t gsoType = kVirtioGsoNone;
  uint16_t headerLength = 0;
  uint16_t gsoSize = 0;
  uint16_t checksumStart = 0;   // from the packet's first byte
  uint16_t checksumOffset = 0;  // from checksumStart

  friend bool operator==(const VirtioNetHeader&, const VirtioNetHeader&) = default;
};

// Reads kVirtioNetHeader bytes.
inline VirtioNetHeader parseVirtioNet(const uint8_t* at) {
  return {.flags = at[0],
          .gsoType = at[1],
          .headerLength = loadLe16(at + 2),
          .gsoSize = loadLe16(at + 4),
          .checksumStart = loadLe16(at + 6),
          .checksumOffset = loadLe16(at + 8)};
}

inline void emitVirtioNet(const VirtioNetHeader& header, uint8_t* at) {
  at[0] = header.flags;
  at[1] = header.gsoType;
  storeLe16(at + 2, header.headerLength);
  storeLe16(at + 4, header.gsoSize);
  storeLe16(at + 6, header.checksumStart);
  storeLe16(at + 8, header.checksumOffset);
}

}  // namespace heddle
