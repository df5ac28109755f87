// The nonce of a data message: 4 bytes prefix and 8 bytes counter, both little-endian. WireGuard's
// own messages have the prefix 0 (§5.4.6).
#pragma once

#include <array>
#include <cstdint>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kNonceLength = 12;

struct AeadNonce {
  uint64_t counter = 0;
  uint32_t prefix = 0;

  std::array<uint8_t, kNonceLength> bytes() const {
    std::array<uint8_t, kNonceLength> all;
    storeLe32(all.data(), prefix);
    storeLe64(all.data() + 4, counter);
    return all;
  }
};

}  // namespace heddle
