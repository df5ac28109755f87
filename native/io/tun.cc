#include "io/tun.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace heddle {

namespace {

// Debian 12's headers end before these (Linux 6.2, include/uapi/linux/if_tun.h).
constexpr unsigned kUso4 = 0x20;
constexpr unsigned kUso6 = 0x40;

void offerOffloads(TunOpened& opened) {
  constexpr unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  opened.udpOffload = ioctl(opened.fd.get(), TUNSETOFFLOAD, tcp | kUso4 | kUso6) == 0;
  opened.tcpOffload = opened.udpOffload || ioctl(opened.fd.get(), TUNSETOFFLOAD, tcp) == 0;
}

}  // namespace

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
  request.ifr_flags =
      static_cast<short>(IFF_TUN | IFF_NO_PI | (mode.virtioHeader ? IFF_VNET_HDR : 0));
  if (ioctl(fd.get(), TUNSETIFF, &request) < 0) {
    opened.error = errno;
    return opened;
  }
  opened.name = request.ifr_name;
  opened.fd = std::move(fd);
  if (mode.offload) offerOffloads(opened);
  return opened;
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
