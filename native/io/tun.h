// The kernel's TUN device (Documentation/networking/tuntap.rst): layer 3, no packet information
// header, a virtio-net header before each packet where offload is on.
#pragma once

#include <string>

#include "base/fd.h"
#include "io/ports.h"

namespace heddle {

struct TunOpened {
  Fd fd;
  std::string name;         // as the kernel gave it
  bool tcpOffload = false;  // it may hand over TCP super-packets, and takes them
  bool udpOffload = false;  // likewise UDP (Linux 6.2)
  int error = 0;            // a positive errno when fd is not valid
};

struct TunMode {
  bool virtioHeader = true;  // a virtio-net header before each packet
  bool offload = true;       // super-packets, and packets whose checksum is still to be made
  bool blocking = false;
};

// Creates or attaches to the device `name`.
TunOpened openTun(const std::string& name, TunMode mode);

// Whether the descriptor's device exists, be it that others moved it to another network namespace.
bool isTunThere(int descriptor);

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
