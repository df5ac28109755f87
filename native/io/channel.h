// The channel backend: a TUN queue and a UDP port that keep packets in memory, so that whole nodes
// run in one process. Any thread may put and take; queues are bounded and drop the newest at their
// limit, as a socket buffer does.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "io/ports.h"

namespace heddle {

inline constexpr size_t kChannelLimit = 65536;  // packets a queue

// One datagram, or several of one sender back to back, `segment` bytes each but for a shorter last
// one, as UDP_GRO hands them over.
struct ChannelDatagram {
  Endpoint endpoint;
  std::vector<uint8_t> bytes;
  size_t segment = 0;
  Via via{};          // of what was sent
  Arrival arrival{};  // of what is received
};

// A bounded queue whose consumer can wait in poll.
template <typename Item>
class Channel {
 public:
  void put(Item item) {
    std::lock_guard lock(mutex_);
    if (items_.size() >= kChannelLimit) return;
    items_.push_back(std::move(item));
    wakeup_.signal();
  }
  bool take(Item& item) {
    std::lock_guard lock(mutex_);
    if (items_.empty()) {
      wakeup_.clear();
      return false;
    }
    item = std::move(items_.front());
    items_.pop_front();
    return true;
  }
  int descriptor() const { return wakeup_.descriptor(); }

 private:
  std::mutex mutex_;
  std::deque<Item> items_;
  Wakeup wakeup_;
};

// Sends or writes of a channel that fail, with a positive errno.
struct ChannelFault {
  int error = 0;
  int count = 0;                 // of those it concerns, the next ones; then none
  bool isOfSeveral = false;      // it concerns only what holds several packets
  std::optional<Endpoint> to{};  // it concerns only what goes to this address
};

class ChannelFaults {
 public:
  void set(const ChannelFault& fault);
  // 0, or the negative errno with which a call fails that holds one packet or several.
  int next(bool isOfSeveral, const Endpoint& to);

 private:
  std::mutex mutex_;
  ChannelFault fault_;
};

class ChannelTun final : public TunPort {
 public:
  // With `framed`, what is put and taken has a virtio-net header in front, as a TUN device with
  // offload hands over; without, it is the bare packet, its checksum whole.
  explicit ChannelTun(bool framed) : framed_(framed) {}
  ssize_t read(std::span<uint8_t> buffer) override;
  int write(std::span<const uint8_t> packet) override;
  int descriptor() const override { return toWalk.descriptor(); }
  void failWrites(const ChannelFault& fault) { faults_.set(fault); }

  Channel<std::vector<uint8_t>> toWalk;    // what a host would write to the interface
  Channel<std::vector<uint8_t>> fromWalk;  // what it would read from it

 private:
  bool framed_;
  ChannelFaults faults_;
};

class ChannelUdp final : public UdpPort {
 public:
  int send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
           const Via& via) override;
  bool receive(std::span<uint8_t> buffer, Received& received, int& error) override;
  std::span<const int> descriptors() const override { return descriptors_; }
  void failSends(const ChannelFault& fault) { faults_.set(fault); }

  Channel<ChannelDatagram> toWalk;
  Channel<ChannelDatagram> fromWalk;

 private:
  std::array<int, 1> descriptors_{toWalk.descriptor()};
  ChannelFaults faults_;
};

}  // namespace heddle
