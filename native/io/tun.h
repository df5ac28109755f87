// The kernel's TUN device (Documentation/networking/tuntap.rst): layer 3, no packet information
// header, a virtio-net header before each packet where offload is on.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "io/ports.h"

namespace heddle {

struct TunOpened {
  Fd fd;
  std::string name;  // as the kernel gave it
  int error = 0;     // a positive errno when fd is not valid
};

// Which queue of a device is opened: its only one, or the first or a later one of several.
enum class TunQueue : uint8_t { only, first, later };

struct TunMode {
  bool virtioHeader = true;  // a virtio-net header before each packet
  bool blocking = false;
  TunQueue queue = TunQueue::only;
};

// What a TUN device may hand over: packets whose checksum is still to be made, and, which need
// those, super-packets of TCP (TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6) and of UDP (TUN_F_USO4,
// TUN_F_USO6 of Linux 6.2, which Debian 12's headers lack).
inline constexpr unsigned kTunChecksums = 0x01;
inline constexpr unsigned kTunTcp = kTunChecksums | 0x02 | 0x04;
inline constexpr unsigned kTunUdp = kTunChecksums | 0x20 | 0x40;

// Creates or attaches to the device `name`, which hands over nothing but whole packets. The first
// of several queues is that of a new device alone: another program's would let us share its queues.
TunOpened openTun(const std::string& name, TunMode mode);

struct TunQueues {
  std::vector<Fd> queues;
  std::string name;       // as the kernel gave it
  int error = 0;          // a positive errno when there are no queues
  int steeringError = 0;  // a positive errno when the kernel chooses the queues (queue_steering.h)
};

// Likewise so many queues of one device, each flow steered to one of them.
TunQueues openTunQueues(const std::string& name, uint32_t count);

// The device may hand over exactly this from here on, a union of the above. 0 or a positive errno.
int setTunOffloads(int descriptor, unsigned offloads);

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
