#include "io/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "io/queue_steering.h"

namespace heddle {

TunOpened openTun(const std::string& name, TunMode mode) {
  TunOpened opened;
  Fd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC | (mode.blocking ? 0 : O_NONBLOCK)));
  if (!fd.valid()) {
    opened.error = errno;
    return opened;
  }
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    opened.error = ENAMETOOLONG;
    return opened;
  }
  std::memcpy(request.ifr_name, name.data(), name.size());
  int flags = IFF_TUN | IFF_NO_PI | (mode.virtioHeader ? IFF_VNET_HDR : 0);
  if (mode.queue != TunQueue::only) flags |= IFF_MULTI_QUEUE;
  if (mode.queue == TunQueue::first) flags |= IFF_TUN_EXCL;
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(fd.get(), TUNSETIFF, &request) < 0) {
    opened.error = errno;
    // One that is there, but of another form or with several queues, is as good as in use.
    if (opened.error == EINVAL && if_nametoindex(name.c_str()) != 0) opened.error = EBUSY;
    return opened;
  }
  opened.name = request.ifr_name;
  opened.fd = std::move(fd);
  return opened;
}

TunQueues openTunQueues(const std::string& name, uint32_t count) {
  TunQueues opened{.queues = {}, .name = name};
  for (uint32_t i = 0; i < count; i++) {
    TunQueue queue = i == 0 ? TunQueue::first : TunQueue::later;
    TunOpened one = openTun(opened.name, {.queue = count == 1 ? TunQueue::only : queue});
    if (!one.fd.valid()) {
      opened.queues.clear();
      opened.error = one.error;
      return opened;
    }
    opened.name = one.name;
    opened.queues.push_back(std::move(one.fd));
  }
  if (count > 1) opened.steeringError = steerQueues(opened.queues[0].get());
  return opened;
}

int setTunOffloads(int descriptor, unsigned offloads) {
  return ioctl(descriptor, TUNSETOFFLOAD, offloads) == 0 ? 0 : errno;
}

bool isTunThere(int descriptor) {
  ifreq request{};
  return ioctl(descriptor, TUNGETIFF, &request) == 0;
}

ssize_t TunDevice::read(std::span<uint8_t> buffer) {
  ssize_t length = ::read(fd_.get(), buffer.data(), buffer.size());
  return length >= 0 ? length : -errno;
}

int TunDevice::write(std::span<const uint8_t> packet) {
  ssize_t written = ::write(fd_.get(), packet.data(), packet.size());
  return written >= 0 ? 0 : -errno;
}

}  // namespace heddle
