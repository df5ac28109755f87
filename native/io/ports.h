// The two faces of a lane, as it sees them: a TUN queue and the outer UDP port. The kernel's are in
// tun.h and udp.h; the channel backend (channel.h) keeps packets in memory so that whole nodes run
// in one process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "datapath/drop.h"
#include "path/endpoint_table.h"

namespace heddle {

class TunPort {
 public:
  virtual ~TunPort() = default;
  // Reads one packet with its 10-byte virtio-net header in front. Its length, or a negative errno
  // (-EAGAIN: none now).
  virtual ssize_t read(std::span<uint8_t> buffer) = 0;
  // Writes one packet with its virtio-net header in front. 0 or a negative errno.
  virtual int write(std::span<const uint8_t> packet) = 0;
  // Readable when read() has something.
  virtual int descriptor() const = 0;
};

// One receive: datagrams of one sender, back to back, `segment` bytes each but for a shorter last
// one.
struct Received {
  Endpoint source;
  std::span<uint8_t> bytes;
  size_t segment = 0;
  Arrival arrival;
};

class UdpPort {
 public:
  virtual ~UdpPort() = default;
  // Sends datagrams lying back to back, `segment` bytes each but for a shorter last one, in one
  // call where it can. 0 or a negative errno, in which case none was sent. Both threads of a lane
  // may call it at once.
  virtual int send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                   const Via& via) = 0;
  // Receives into `buffer`. False when nothing is there now; `error` is then 0 or a negative errno.
  virtual bool receive(std::span<uint8_t> buffer, Received& received, int& error) = 0;
  // Each is readable when receive() has something from it; the same ones while a lane runs.
  virtual std::span<const int> descriptors() const = 0;
  // Datagrams that the kernel dropped because we read too slowly, since the port was opened.
  virtual uint64_t overflows() const { return 0; }
};

// Why a send or receive failed, as one of the closed drop reasons.
Drop sendDrop(int negativeErrno);

}  // namespace heddle
