// Receiver index -> keypair: open addressing over atomic pointers. Receiving threads look up
// without a lock; JavaScript's thread writes. A full table is replaced by a larger copy, and the
// old one is retired.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/reclaim.h"
#include "session/keypair.h"

namespace heddle {

class SessionTable {
 public:
  explicit SessionTable(Reclaimer& reclaimer);
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;
  // Does not free the keypairs.
  ~SessionTable();

  // The keypair with this local index, or null.
  Keypair* find(uint32_t localIndex) const;

  // The index must be free. Writer's thread, like all below.
  void insert(Keypair* keypair);
  // Unlinks and returns it, or null.
  Keypair* remove(uint32_t localIndex);
  size_t size() const { return size_; }

  // Calls `visit(Keypair*)` for each; `visit` may not write.
  template <typename Visit>
  void forEach(Visit visit) const {
    const Slots* slots = slots_.load(std::memory_order_relaxed);
    for (size_t i = 0; i <= slots->mask; i++) {
      Keypair* keypair = slots->at(i).load(std::memory_order_relaxed);
      if (keypair != nullptr && keypair != removedMark()) visit(keypair);
    }
  }

 private:
  struct Slots {
    size_t mask;
    std::atomic<Keypair*>* keypairs;

    explicit Slots(size_t capacity);
    ~Slots();
    std::atomic<Keypair*>& at(size_t index) const { return keypairs[index & mask]; }
  };

  // Stands where a keypair was, so that look-ups go on past it. Never read through.
  static Keypair* removedMark();
  static void place(Slots& slots, Keypair* keypair);
  void grow();

  Reclaimer& reclaimer_;
  std::atomic<Slots*> slots_;
  size_t size_ = 0;
  size_t used_ = 0;  // size_ and the marks of removed ones
};

}  // namespace heddle
