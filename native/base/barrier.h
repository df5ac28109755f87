// The one memory barrier that acquire and release do not give.
#pragma once

#include <atomic>
#include <cstdint>

namespace heddle {

// What this thread wrote before is seen by others before what it reads after. Of two threads that
// each write, pass a barrier and read what the other wrote, at least one sees the other's write.
// ThreadSanitizer knows no fences, so it gets a read-modify-write of one word instead.
inline void fullBarrier() {
#ifdef __SANITIZE_THREAD__
  static std::atomic<uint64_t> word{0};
  word.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace heddle
