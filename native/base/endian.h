// Integers in byte order, at any alignment: Be is network order (IP, TCP, UDP), Le is WireGuard's
// and virtio's.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace heddle {

static_assert(std::endian::native == std::endian::little, "heddle builds for x86-64 and arm64");

template <typename Integer>
inline Integer loadLe(const uint8_t* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Integer>
inline void storeLe(uint8_t* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}

inline uint16_t loadLe16(const uint8_t* at) { return loadLe<uint16_t>(at); }
inline uint32_t loadLe32(const uint8_t* at) { return loadLe<uint32_t>(at); }
inline uint64_t loadLe64(const uint8_t* at) { return loadLe<uint64_t>(at); }
inline void storeLe16(uint8_t* at, uint16_t value) { storeLe(at, value); }
inline void storeLe32(uint8_t* at, uint32_t value) { storeLe(at, value); }
inline void storeLe64(uint8_t* at, uint64_t value) { storeLe(at, value); }

inline uint16_t loadBe16(const uint8_t* at) { return __builtin_bswap16(loadLe<uint16_t>(at)); }
inline uint32_t loadBe32(const uint8_t* at) { return __builtin_bswap32(loadLe<uint32_t>(at)); }
inline uint64_t loadBe64(const uint8_t* at) { return __builtin_bswap64(loadLe<uint64_t>(at)); }
inline void storeBe16(uint8_t* at, uint16_t value) { storeLe(at, __builtin_bswap16(value)); }
inline void storeBe32(uint8_t* at, uint32_t value) { storeLe(at, __builtin_bswap32(value)); }
inline void storeBe64(uint8_t* at, uint64_t value) { storeLe(at, __builtin_bswap64(value)); }

}  // namespace heddle
