// Comparing and wiping bytes that are secret.
#pragma once

#include <string.h>

#include <cstddef>
#include <cstdint>

namespace heddle {

// Whether `length` bytes are equal, in a time that depends on `length` alone.
inline bool equalConstantTime(const uint8_t* a, const uint8_t* b, size_t length) {
  uint8_t difference = 0;
  for (size_t i = 0; i < length; i++) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

// Overwrites with zeros, and no compiler may leave it out.
inline void wipe(void* bytes, size_t length) { explicit_bzero(bytes, length); }

}  // namespace heddle
