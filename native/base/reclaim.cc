#include "base/reclaim.h"

#include "base/barrier.h"
#include "base/check.h"

namespace heddle {

void Reclaimer::Reader::online() {
  seen_.store(owner_->epoch_.load(std::memory_order_acquire), std::memory_order_relaxed);
  // Either collect() sees this reader, or this reader sees what was unlinked before it.
  fullBarrier();
}

void Reclaimer::Reader::quiescent() {
  seen_.store(owner_->epoch_.load(std::memory_order_acquire), std::memory_order_release);
}

void Reclaimer::Reader::offline() { seen_.store(0, std::memory_order_release); }

Reclaimer::~Reclaimer() {
  CHECK(oldestSeen() == UINT64_MAX);
  collect();
  CHECK(retired_.empty());
}

Reclaimer::Reader& Reclaimer::claim() {
  for (Reader& reader : readers_) {
    bool isTaken = false;
    if (!reader.taken_.compare_exchange_strong(isTaken, true)) continue;
    reader.owner_ = this;
    return reader;
  }
  CHECK(!"a free reader");
  return readers_[0];
}

void Reclaimer::release(Reader& reader) {
  reader.offline();
  reader.taken_.store(false);
}

void Reclaimer::retire(void* object, void (*deleter)(void*)) {
  uint64_t epoch = epoch_.load(std::memory_order_relaxed) + 1;
  epoch_.store(epoch, std::memory_order_release);
  retired_.push_back({object, deleter, epoch});
}

size_t Reclaimer::collect() {
  if (retired_.empty()) return 0;
  fullBarrier();
  uint64_t seen = oldestSeen();
  size_t freed = 0;
  while (freed < retired_.size() && retired_[freed].epoch <= seen) {
    retired_[freed].deleter(retired_[freed].object);
    freed++;
  }
  retired_.erase(retired_.begin(), retired_.begin() + static_cast<ptrdiff_t>(freed));
  return retired_.size();
}

uint64_t Reclaimer::oldestSeen() const {
  uint64_t oldest = UINT64_MAX;
  for (const Reader& reader : readers_) {
    uint64_t seen = reader.seen_.load(std::memory_order_acquire);
    if (seen != 0 && seen < oldest) oldest = seen;
  }
  return oldest;
}

}  // namespace heddle
