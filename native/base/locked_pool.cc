#include "base/locked_pool.h"

#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "base/bytes.h"
#include "base/check.h"

namespace heddle {

namespace {

// AddressSanitizer finds uses of objects that were given back.
void forbid([[maybe_unused]] void* object, [[maybe_unused]] size_t size) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_POISON_MEMORY_REGION(object, size);
#endif
}

void allow([[maybe_unused]] void* object, [[maybe_unused]] size_t size) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(object, size);
#endif
}

}  // namespace

LockedPool::LockedPool(size_t size, size_t alignment)
    : stride_((size + alignment - 1) / alignment * alignment) {
  CHECK(stride_ > 0 && stride_ <= kChunkBytes);
}

LockedPool::~LockedPool() {
  for (void* chunk : chunks_) {
    allow(chunk, kChunkBytes);
    wipe(chunk, kChunkBytes);
    munmap(chunk, kChunkBytes);
  }
}

void* LockedPool::take() {
  std::lock_guard lock(mutex_);
  if (free_.empty()) grow();
  void* object = free_.back();
  free_.pop_back();
  allow(object, stride_);
  return object;
}

void LockedPool::give(void* object) {
  wipe(object, stride_);
  forbid(object, stride_);
  std::lock_guard lock(mutex_);
  free_.push_back(object);
}

bool LockedPool::isLocked() {
  std::lock_guard lock(mutex_);
  if (chunks_.empty()) grow();
  return isLocked_;
}

void LockedPool::grow() {
  void* chunk =
      mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(chunk != MAP_FAILED);
  if (mlock(chunk, kChunkBytes) < 0) isLocked_ = false;
  madvise(chunk, kChunkBytes, MADV_DONTDUMP);
  chunks_.push_back(chunk);
  auto* bytes = static_cast<uint8_t*>(chunk);
  for (size_t at = kChunkBytes / stride_ * stride_; at > 0; at -= stride_) {
    free_.push_back(bytes + at - stride_);
  }
  forbid(chunk, kChunkBytes);
}

}  // namespace heddle
