// The watch over rtnetlink against the kernel's own notices, in a namespace of its own.
#include "io/netlink_watch.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "test/own_namespace.h"
#include "test/test.h"

namespace heddle {

namespace {

constexpr auto kLimit = std::chrono::seconds(5);

// Counts wake-ups; while it is held, a wake-up does not return.
class Waker {
 public:
  void wake() {
    std::unique_lock lock(mutex_);
    count_++;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !isHeld_; });
  }
  // False when fewer came in time.
  bool await(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLimit, [&] { return count_ >= count; });
  }
  void hold(bool isHeld) {
    std::lock_guard lock(mutex_);
    isHeld_ = isHeld;
    changed_.notify_all();
  }
  int count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
  bool isHeld_ = false;
};

struct Rig {
  Waker waker;
  int error = 0;
  std::unique_ptr<NetlinkWatch> watch;

  explicit Rig(int receiveBuffer = NetlinkWatch::kReceiveBuffer)
      : watch(NetlinkWatch::open([this] { waker.wake(); }, error, receiveBuffer)) {}

  // Takes until each of these bits came; what came.
  uint32_t takeUntil(uint32_t bits) {
    uint32_t taken = 0;
    for (int wakes = 1; (taken & bits) != bits; wakes++) {
      if (!waker.await(wakes)) return taken;
      taken |= watch->take();
    }
    return taken;
  }
  // Takes until nothing of what happened before comes any more, so that it is armed and at rest.
  void settle() {
    constexpr useconds_t rest = 50'000;
    for (int before = -1; before != waker.count();) {
      before = waker.count();
      watch->take();
      usleep(rest);
    }
  }
};

void toggle(int times) {
  for (int i = 0; i < times; i++) {
    EXPECT(test::setLinkUp("lo", false));
    EXPECT(test::setLinkUp("lo", true));
  }
}

}  // namespace

TEST("netlink watch: wakes once until it is taken, and then again") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT(rig.watch != nullptr);
  rig.waker.hold(true);
  toggle(20);
  EXPECT(rig.waker.await(1));
  rig.waker.hold(false);
  uint32_t taken = rig.takeUntil(NetlinkWatch::kLink | NetlinkWatch::kAddress);
  EXPECT_EQUAL(taken & NetlinkWatch::kOverrun, 0u);
  rig.settle();
  int before = rig.waker.count();
  toggle(1);
  EXPECT(rig.waker.await(before + 1));
  toggle(5);
  EXPECT_EQUAL(rig.waker.count(), before + 1);
  EXPECT((rig.takeUntil(NetlinkWatch::kLink) & NetlinkWatch::kLink) != 0);
}

TEST("netlink watch: says when notices were lost, and goes on") {
  if (!test::inOwnNamespace()) return;
  Rig rig(1);  // the kernel's least
  rig.waker.hold(true);
  toggle(1);
  EXPECT(rig.waker.await(1));
  toggle(50);
  rig.waker.hold(false);
  uint32_t taken = rig.takeUntil(NetlinkWatch::kOverrun);
  EXPECT((taken & NetlinkWatch::kOverrun) != 0);
  int before = rig.waker.count();
  rig.watch->take();
  EXPECT(test::setLinkUp("lo", false));
  EXPECT(rig.waker.await(before));
  EXPECT(test::setLinkUp("lo", true));
}

TEST("netlink watch: ends while it waits and while changes come") {
  if (!test::inOwnNamespace()) return;
  for (int i = 0; i < 50; i++) {
    Rig rig;
    EXPECT(rig.watch != nullptr);
    if (i % 2 == 0) toggle(1);
  }
}

}  // namespace heddle
