#include "session/replay.h"

#include <algorithm>

#include "session/keypair.h"

namespace heddle {

bool ReplayWindow::accept(uint64_t counter) {
  if (counter >= kRejectAfterMessages) return false;
  // Counted from 1, as the kernel does, so that 0 stands for "none yet".
  uint64_t ordinal = counter + 1;
  if (next_ > kWindow && ordinal < next_ - kWindow) return false;
  constexpr uint64_t words = kBits / 64;
  uint64_t word = ordinal / 64;
  if (ordinal > next_) {
    uint64_t current = next_ / 64;
    uint64_t cleared = std::min(word - current, words);
    for (uint64_t i = 1; i <= cleared; i++) ring_[(current + i) % words] = 0;
    next_ = ordinal;
  }
  uint64_t bit = uint64_t{1} << (ordinal % 64);
  uint64_t& bits = ring_[word % words];
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

}  // namespace heddle
