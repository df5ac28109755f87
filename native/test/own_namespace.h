// A network namespace of the test program's own, with loopback up: entered once, by its first use,
// before any other thread is started.
#pragma once

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/fd.h"
#include "test/test.h"

namespace heddle::test {

// Sets or clears flags of a link; false when it is refused.
inline bool setLinkUp(const char* name, bool isUp) {
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (ioctl(fd.get(), SIOCGIFFLAGS, &request) < 0) return false;
  int flags = request.ifr_flags;
  flags = isUp ? flags | IFF_UP : flags & ~IFF_UP;
  request.ifr_flags = static_cast<short>(flags);
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// False, and the test is skipped, where this process may not have one.
inline bool inOwnNamespace() {
  static const bool isIn = unshare(CLONE_NEWNET) == 0 && setLinkUp("lo", true);
  if (!isIn) skipped = "needs root, for a network namespace of its own";
  return isIn;
}

}  // namespace heddle::test
