// The outer UDP sockets of a node: the listen port's, where sealed messages are, for each lane, and
// those of clear encapsulations.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/clear_sockets.h"
#include "io/lane_sockets.h"

namespace heddle {

class UdpSockets {
 public:
  struct Opened {
    int error = 0;  // a positive errno when it failed
    uint16_t port = 0;
    std::vector<std::string> remarks;  // what an operator should know
  };

  // Opens the listen port for so many lanes.
  Opened open(uint16_t port, bool gro, uint32_t lanes = 1);
  LaneSockets& ofLane(size_t lane) { return *lanes_[lane]; }

  // Of the listen port's sockets, the lesser ones. Any thread while no port is changed.
  SocketBuffers buffers() const;

  // ---- JavaScript's thread, while no lane runs; 0 or a negative errno, and then nothing changed
  // ----

  uint16_t port() const { return lanes_[0]->listen().port; }
  // Moves the listen port to `port`, 0 for a free one; `drain` is called while the old one still
  // receives, and no other can fail any more.
  int setListenPort(uint16_t port, const std::function<void()>& drain);
  // Opens what is new and closes what is missing.
  int setClearPorts(std::span<const ClearPort> ports);
  bool isGroOn() const { return mode_.gro; }
  // UDP_GRO on all sockets, those opened later too. What was received before must be read before.
  int setGro(bool isOn);
  // SO_MARK on all sockets, those opened later too.
  int setMark(uint32_t mark);

 private:
  UdpMode mode_;  // of the listen port
  ClearSockets clear_;
  std::vector<std::unique_ptr<LaneSockets>> lanes_;
};

}  // namespace heddle
