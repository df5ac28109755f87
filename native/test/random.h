// Random numbers for tests, from a seed that test.h sets and prints.
#pragma once

#include <cstdint>

namespace heddle::test {

inline uint64_t state = 0;

// splitmix64.
inline uint64_t random() {
  state += 0x9e3779b97f4a7c15;
  uint64_t word = state;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

// Less than `limit`.
inline uint64_t random(uint64_t limit) { return random() % limit; }

}  // namespace heddle::test
