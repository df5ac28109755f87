// When an object that other threads may still be reading can be freed: quiescent-state based
// reclamation (McKenney and Slingwine, "Read-Copy Update", 1998). JavaScript's thread, the only
// writer, unlinks an object and retires it; each reading thread says at the top of its loop that it
// holds nothing (quiescent), and before it blocks that it reads nothing (offline). A retired object
// is freed once every online thread has been quiescent since. Readers pay one load and one store a
// loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace heddle {

class Reclaimer {
 public:
  // One reading thread's word. Offline until online() is called.
  class Reader {
   public:
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // From here on the thread may load pointers.
    void online();
    // Whatever was loaded before is no longer used.
    void quiescent();
    // The thread loads nothing until online().
    void offline();

   private:
    friend class Reclaimer;
    Reader() = default;
    const Reclaimer* owner_ = nullptr;
    std::atomic<uint64_t> seen_{0};  // the epoch last seen; 0 is offline
    std::atomic<bool> taken_{false};
    [[maybe_unused]] char padding_[64 - 24]{};
  };

  static constexpr size_t kReaders = 64;

  Reclaimer() = default;
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;
  // No reader may be online any more; frees everything.
  ~Reclaimer();

  // A slot for a reading thread, until release(). Any thread; more than kReaders is a defect.
  Reader& claim();
  void release(Reader& reader);

  // Frees `object` by `deleter` once no reader can hold it. It must be unlinked already. Writer's
  // thread.
  void retire(void* object, void (*deleter)(void*));
  template <typename T>
  void retire(T* object) {
    if (object == nullptr) return;
    retire(const_cast<void*>(static_cast<const void*>(object)),
           [](void* retired) { delete static_cast<T*>(retired); });
  }

  // Frees what may be freed, and says how much must still wait: call again later while it is not 0.
  // Writer's thread.
  size_t collect();

 private:
  struct Retired {
    void* object;
    void (*deleter)(void*);
    uint64_t epoch;
  };

  uint64_t oldestSeen() const;

  std::atomic<uint64_t> epoch_{1};
  alignas(64) Reader readers_[kReaders];
  std::vector<Retired> retired_;  // oldest first
};

}  // namespace heddle
