// The sealed encapsulation: what WireGuard adds to an inner packet.
#pragma once

#include <algorithm>
#include <cstddef>

#include "wire/wireguard.h"

namespace heddle {

inline constexpr size_t kPaddingMultiple = 16;

// The length of a plaintext with its padding: up to a multiple of 16, but never past the MTU
// (kernel send.c calculate_skb_padding). A packet longer than the MTU, staged before it shrank, is
// padded as its last MTU's worth.
inline size_t paddedLength(size_t length, size_t mtu) {
  size_t unit = length;
  if (mtu != 0 && unit > mtu) unit %= mtu;
  size_t padded = (unit + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
  if (mtu != 0) padded = std::min(padded, mtu);
  return length - unit + padded;
}

}  // namespace heddle
