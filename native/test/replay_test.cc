#include "session/replay.h"

#include <set>

#include "session/keypair.h"
#include "test/test.h"

namespace heddle {

namespace {

constexpr uint64_t kWindow = ReplayWindow::kWindow;

struct Step {
  uint64_t counter;
  bool isAccepted;
};

void run(const std::vector<Step>& steps) {
  ReplayWindow window;
  for (const Step& step : steps) EXPECT_EQUAL(window.accept(step.counter), step.isAccepted);
}

}  // namespace

TEST("replay: accepts each counter once") {
  run({{0, true}, {1, true}, {1, false}, {9, true}, {8, true}, {7, true}, {7, false}, {2, true}});
}

TEST("replay: remembers 8128 counters behind the greatest, and none before") {
  run({{kWindow, true},
       {0, true},  // exactly the window behind
       {0, false},
       {kWindow + 1, true},
       {0, false},
       {1, true},
       {2 * kWindow + 1, true},
       {kWindow, false},
       {kWindow + 1, false},
       {kWindow + 2, true}});
}

TEST("replay: forgets everything after a jump of more than the ring") {
  run({{0, true},
       {4 * kWindow, true},
       {4 * kWindow - kWindow - 1, false},
       {4 * kWindow - kWindow, true},
       {4 * kWindow - 1, true},
       {4 * kWindow, false}});
}

TEST("replay: refuses counters at and past Reject-After-Messages") {
  run({{kRejectAfterMessages - 1, true},
       {kRejectAfterMessages, false},
       {kRejectAfterMessages - 1, false},
       {kRejectAfterMessages - 2, true},
       {UINT64_MAX, false},
       {0, false}});
}

TEST("replay: sweeps up and down accept everything in the window once") {
  for (uint64_t start : {uint64_t{0}, kWindow, 4 * kWindow, uint64_t{1} << 40}) {
    ReplayWindow up;
    for (uint64_t i = 0; i <= kWindow; i++) EXPECT(up.accept(start + i));
    for (uint64_t i = 0; i <= kWindow; i++) EXPECT(!up.accept(start + i));
    ReplayWindow down;
    for (uint64_t i = kWindow + 1; i-- > 0;) EXPECT(down.accept(start + i));
    for (uint64_t i = kWindow + 1; i-- > 0;) EXPECT(!down.accept(start + i));
  }
}

TEST("replay: equals a set of counters under random jumps") {
  ReplayWindow window;
  std::set<uint64_t> seen;
  uint64_t greatest = 0;
  bool hasAny = false;
  for (int i = 0; i < 200'000; i++) {
    uint64_t span = uint64_t{1} << test::random(15);
    uint64_t counter = greatest + test::random(span);
    if (test::random(2) == 0) counter = greatest - std::min(greatest, test::random(span));
    bool isBehind = hasAny && greatest > kWindow && counter < greatest - kWindow;
    bool expected = !isBehind && seen.insert(counter).second;
    EXPECT_EQUAL(window.accept(counter), expected);
    greatest = std::max(greatest, counter);
    hasAny = true;
  }
}

}  // namespace heddle
