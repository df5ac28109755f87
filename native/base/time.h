// Time is a uint64_t of microseconds of CLOCK_BOOTTIME, read in io/clock.h and passed in as `now`:
// nothing else reads a clock.
#pragma once

#include <cstdint>

namespace heddle {

using Instant = uint64_t;   // microseconds since boot; 0 is never
using Duration = uint64_t;  // microseconds

constexpr Duration seconds(uint64_t count) { return count * 1'000'000; }

// How long ago `earlier` was. Threads read the clock on their own, so `earlier` may lie a little
// ahead: then it is 0.
constexpr Duration elapsed(Instant earlier, Instant now) {
  return now > earlier ? now - earlier : 0;
}

}  // namespace heddle
