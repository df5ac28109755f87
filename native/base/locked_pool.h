// Memory for objects of one size that hold keys: kept out of swap and of core dumps as far as the
// kernel allows, and wiped when it is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace heddle {

class LockedPool {
 public:
  // `alignment` is a power of two and at most a page.
  LockedPool(size_t size, size_t alignment);
  LockedPool(const LockedPool&) = delete;
  LockedPool& operator=(const LockedPool&) = delete;
  // What was taken is gone with it.
  ~LockedPool();

  // Room for one object. Any thread; ends the process where there is no memory.
  void* take();
  // Wipes it. Any thread.
  void give(void* object);

  // Whether all of it is out of swap; false where RLIMIT_MEMLOCK does not let it be (mlock(2)).
  bool isLocked();

 private:
  static constexpr size_t kChunkBytes = 64 << 10;

  void grow();

  const size_t stride_;
  std::mutex mutex_;
  std::vector<void*> chunks_;  // kept for good: what was needed once will be again
  std::vector<void*> free_;
  bool isLocked_ = true;
};

}  // namespace heddle
