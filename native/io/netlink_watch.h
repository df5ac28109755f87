// A subscription to what rtnetlink tells of links, addresses, routes and rules (rtnetlink(7)). A
// small thread folds the notices to one bit a kind, so that a burst costs JavaScript one call; what
// really changed is then read anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "base/fd.h"

namespace heddle {

class NetlinkWatch {
 public:
  // NETLINK_CHANGES in src/io/native.ts.
  static constexpr uint32_t kLink = 1;
  static constexpr uint32_t kAddress = 2;
  static constexpr uint32_t kRoute = 4;
  static constexpr uint32_t kRule = 8;
  static constexpr uint32_t kOverrun = 16;  // notices were lost: anything may have changed

  static constexpr int kReceiveBuffer = 1 << 20;

  // Subscribes in this network namespace. `wake` is called, on the watch's thread, at the first
  // change and then not before take(). Null when it fails; `error` is then a positive errno.
  static std::unique_ptr<NetlinkWatch> open(std::function<void()> wake, int& error,
                                            int receiveBuffer = kReceiveBuffer);
  // Ends the thread and waits for it.
  ~NetlinkWatch();

  // What changed since the last call; re-arms `wake`.
  uint32_t take();

 private:
  NetlinkWatch(Fd fd, std::function<void()> wake);
  void loop();
  uint32_t receive(bool& isFailing) const;

  const Fd fd_;
  const std::function<void()> wake_;
  Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint32_t> changes_{0};
  std::atomic<bool> isArmed_{true};
  std::thread thread_;
};

}  // namespace heddle
