// How long an inner packet may be.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/wireguard.h"

namespace heddle {

// What the outer headers take: IPv6, UDP, and WireGuard's own.
inline constexpr size_t kOuterOverhead = 40 + 8 + kDataOverhead;

// The tunnel's MTU over an underlay: what fits whichever outer family is used.
constexpr uint32_t innerMtu(uint32_t underlayMtu) {
  return underlayMtu > kOuterOverhead ? underlayMtu - static_cast<uint32_t>(kOuterOverhead) : 0;
}
static_assert(innerMtu(1500) == 1420);

}  // namespace heddle
