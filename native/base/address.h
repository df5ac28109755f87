// An inner address or prefix as two words, so that comparing and masking take no loop. An IPv4
// address stands in the upper 32 bits of `high`; the family is kept apart, in two tries.
#pragma once

#include <cstdint>
#include <span>

#include "base/endian.h"

namespace heddle {

enum class Family : uint8_t { ipv4 = 4, ipv6 = 6 };

struct Address {
  uint64_t high = 0;
  uint64_t low = 0;

  friend bool operator==(const Address&, const Address&) = default;
};

// `length` leading bits of `address`; the bits behind them are zero.
struct Prefix {
  Family family = Family::ipv4;
  Address address;
  uint8_t length = 0;

  friend bool operator==(const Prefix&, const Prefix&) = default;
};

inline Address loadAddress4(const uint8_t* at) { return {uint64_t{loadBe32(at)} << 32, 0}; }
inline Address loadAddress6(const uint8_t* at) { return {loadBe64(at), loadBe64(at + 8)}; }
inline Address loadAddress(Family family, const uint8_t* at) {
  return family == Family::ipv4 ? loadAddress4(at) : loadAddress6(at);
}

inline uint8_t addressBits(Family family) { return family == Family::ipv4 ? 32 : 128; }

// The leading `length` bits of `address`, the others zero.
inline Address maskAddress(const Address& address, unsigned length) {
  if (length == 0) return {0, 0};
  if (length <= 64) return {address.high & (~uint64_t{0} << (64 - length)), 0};
  return {address.high,
          length >= 128 ? address.low : address.low & (~uint64_t{0} << (128 - length))};
}

// The bit behind the leading `index` bits; index < 128.
inline unsigned addressBit(const Address& address, unsigned index) {
  uint64_t word = index < 64 ? address.high : address.low;
  return static_cast<unsigned>(word >> (63 - (index & 63))) & 1;
}

// How many leading bits two addresses share, 0 to 128.
inline unsigned sharedBits(const Address& a, const Address& b) {
  if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
  return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

}  // namespace heddle
