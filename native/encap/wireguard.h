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

// The MTU that bounds the padding of a packet: that of a route into the tunnel where there is one
// and the packet fits it. A smaller way behind the tunnel is what such a route is for.
inline size_t paddingBound(size_t length, size_t mtu, size_t routeMtu) {
  bool isLess = routeMtu != 0 && (mtu == 0 || routeMtu < mtu);
  return isLess && length <= routeMtu ? routeMtu : mtu;
}

}  // namespace heddle
