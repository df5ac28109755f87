// The kernel's TUN device (Documentation/networking/tuntap.rst): layer 3, no packet information header, a virtio-net header
// before each packet where offload is on.
#pragma once

#include <string>

#include "base/fd.h"
#include "io/ports.h"

namespace heddle {

struct TunOpened {
  Fd fd;
  std::string name;  // as the kernel gave it
  int error = 0;     // a positive errno when fd is not valid
};

// Creates or attaches to the device `name`, non-blocking. With `virtioHeader` the kernel may hand over TCP and UDP super-packets
// and packets without checksums; without it, only whole packets.
TunOpened openTun(const std::string& name, bool virtioHeader, bool blocking);

class TunDevice final : public TunPort {
 public:
  explicit TunDevice(Fd fd) : fd_(std::move(fd)) {}
  ssize_t read(std::span<uint8_t> buffer) override;
  int write(std::span<const uint8_t> packet) override;
  int descriptor() const override { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace heddle
