#include "session/session_table.h"

#include "base/check.h"

namespace heddle {

namespace {

constexpr size_t kInitialCapacity = 64;

// Spreads indices whose low bits may be alike (Fibonacci hashing).
size_t home(uint32_t localIndex) { return (localIndex * uint64_t{0x9e3779b97f4a7c15}) >> 32; }

}  // namespace

SessionTable::Slots::Slots(size_t capacity)
    : mask(capacity - 1), keypairs(new std::atomic<Keypair*>[capacity] {}) {}

SessionTable::Slots::~Slots() { delete[] keypairs; }

Keypair* SessionTable::removedMark() {
  alignas(Keypair) static uint8_t mark[sizeof(Keypair)];
  return reinterpret_cast<Keypair*>(mark);
}

SessionTable::SessionTable(Reclaimer& reclaimer)
    : reclaimer_(reclaimer), slots_(new Slots(kInitialCapacity)) {}

SessionTable::~SessionTable() { delete slots_.load(std::memory_order_relaxed); }

Keypair* SessionTable::find(uint32_t localIndex) const {
  const Slots& slots = *slots_.load(std::memory_order_acquire);
  // At most half is used, so an empty slot ends every search.
  for (size_t i = home(localIndex);; i++) {
    Keypair* keypair = slots.at(i).load(std::memory_order_acquire);
    if (keypair == nullptr) return nullptr;
    if (keypair != removedMark() && keypair->localIndex == localIndex) return keypair;
  }
}

void SessionTable::insert(Keypair* keypair) {
  CHECK(find(keypair->localIndex) == nullptr);
  Slots* slots = slots_.load(std::memory_order_relaxed);
  if (2 * (used_ + 1) > slots->mask + 1) {
    grow();
    slots = slots_.load(std::memory_order_relaxed);
  }
  place(*slots, keypair);
  size_++;
  used_++;
}

Keypair* SessionTable::remove(uint32_t localIndex) {
  const Slots& slots = *slots_.load(std::memory_order_relaxed);
  for (size_t i = home(localIndex);; i++) {
    Keypair* keypair = slots.at(i).load(std::memory_order_relaxed);
    if (keypair == nullptr) return nullptr;
    if (keypair == removedMark() || keypair->localIndex != localIndex) continue;
    slots.at(i).store(removedMark(), std::memory_order_release);
    size_--;
    return keypair;
  }
}

void SessionTable::place(Slots& slots, Keypair* keypair) {
  size_t i = home(keypair->localIndex);
  while (slots.at(i).load(std::memory_order_relaxed) != nullptr) i++;
  slots.at(i).store(keypair, std::memory_order_release);
}

// A copy without the marks, twice as large where the keypairs themselves need it.
void SessionTable::grow() {
  Slots* old = slots_.load(std::memory_order_relaxed);
  size_t capacity = old->mask + 1;
  while (4 * (size_ + 1) > capacity) capacity *= 2;
  auto* slots = new Slots(capacity);
  forEach([slots](Keypair* keypair) { place(*slots, keypair); });
  slots_.store(slots, std::memory_order_release);
  used_ = size_;
  reclaimer_.retire(old);
}

}  // namespace heddle
