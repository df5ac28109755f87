// The replay window of one receiving key: a ring of bits (RFC 6479), sized as the kernel's
// WireGuard has it. Only the receiving thread touches it, and only after a message has
// authenticated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace heddle {

class ReplayWindow {
 public:
  static constexpr uint64_t kBits = 8192;
  // One word of the ring is always being cleared, so this many counters back are remembered.
  static constexpr uint64_t kWindow = kBits - 64;

  // Marks the counter as seen. False when it was seen before, lies behind the window, or is at or
  // past Reject-After-Messages.
  bool accept(uint64_t counter);

 private:
  uint64_t next_ = 0;  // one more than the greatest counter accepted
  std::array<uint64_t, kBits / 64> ring_{};
};

}  // namespace heddle
