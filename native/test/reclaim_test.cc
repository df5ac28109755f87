#include "base/reclaim.h"

#include <thread>

#include "test/test.h"

namespace heddle {

namespace {

std::atomic<int> living{0};

struct Counted {
  explicit Counted(uint64_t number) : value(number), check(~number) { living++; }
  ~Counted() {
    check = 0;
    living--;
  }
  uint64_t value;
  uint64_t check;
};

}  // namespace

TEST("reclaim: frees at once without readers, and waits for one that is online") {
  Reclaimer reclaimer;
  reclaimer.retire(new Counted(1));
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
  EXPECT_EQUAL(living.load(), 0);
  Reclaimer::Reader& reader = reclaimer.claim();
  reader.online();
  reclaimer.retire(new Counted(2));
  EXPECT_EQUAL(reclaimer.collect(), size_t{1});
  reader.quiescent();
  reclaimer.retire(new Counted(3));
  EXPECT_EQUAL(reclaimer.collect(), size_t{1});
  EXPECT_EQUAL(living.load(), 1);
  reader.offline();
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
  EXPECT_EQUAL(living.load(), 0);
  reclaimer.release(reader);
}

TEST("reclaim: a reader never sees what was freed, while the writer replaces it") {
  Reclaimer reclaimer;
  std::atomic<Counted*> shared{new Counted(0)};
  std::atomic<bool> isOver{false};
  std::atomic<uint64_t> broken{0};
  auto read = [&](uint64_t idle) {
    Reclaimer::Reader& reader = reclaimer.claim();
    reader.online();
    for (uint64_t turn = 0; !isOver.load(std::memory_order_relaxed); turn++) {
      for (int i = 0; i < 8; i++) {
        const Counted* seen = shared.load(std::memory_order_acquire);
        if (seen->check != ~seen->value) broken++;
      }
      if (turn % idle == 0) {
        reader.offline();
        std::this_thread::yield();
        reader.online();
      } else {
        reader.quiescent();
      }
    }
    reclaimer.release(reader);
  };
  std::vector<std::thread> threads;
  for (uint64_t idle : {1, 3, 100}) threads.emplace_back(read, idle);
  for (uint64_t i = 1; i <= 20'000; i++) {
    reclaimer.retire(shared.exchange(new Counted(i)));
    if (i % 7 == 0) reclaimer.collect();
    if (i % 64 == 0) std::this_thread::yield();
  }
  isOver = true;
  for (std::thread& thread : threads) thread.join();
  delete shared.load();
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
  EXPECT_EQUAL(broken.load(), uint64_t{0});
  EXPECT_EQUAL(living.load(), 0);
}

}  // namespace heddle
