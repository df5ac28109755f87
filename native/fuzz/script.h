// What a fuzzer's input says to do: numbers and bytes read from it in order. Past its end
// everything is zero, so that every input is a script and a short one a mild one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace heddle::fuzz {

class Script {
 public:
  Script(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool isOver() const { return rest_.empty(); }

  uint8_t byte() {
    if (rest_.empty()) return 0;
    uint8_t first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  uint16_t word() {
    uint16_t low = byte();
    return static_cast<uint16_t>(low | (byte() << 8));
  }
  // Up to `length` bytes, what is there.
  std::vector<uint8_t> bytes(size_t length) {
    auto taken = rest_.first(std::min(length, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  std::span<const uint8_t> rest_;
};

}  // namespace heddle::fuzz

// What must hold for every input; the fuzzer keeps the input that breaks it.
#define MUST(condition)                                                               \
  do {                                                                                \
    if (!(condition)) {                                                               \
      std::fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                   \
    }                                                                                 \
  } while (false)
