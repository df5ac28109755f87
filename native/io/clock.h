// The one place that reads a clock: CLOCK_BOOTTIME, so that time spent suspended ages keys.
#pragma once

#include <time.h>

#include <cstdint>

namespace heddle {

// Microseconds since boot, suspend included.
inline uint64_t bootTime() {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return static_cast<uint64_t>(at.tv_sec) * 1'000'000 + static_cast<uint64_t>(at.tv_nsec) / 1'000;
}

}  // namespace heddle
