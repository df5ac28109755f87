// The outer UDP port: one IPv4 and one IPv6 socket on the same port number, with UDP GSO and GRO
// (Linux net/ipv4/udp_offload.c) and the local address of each datagram (ip(7) IP_PKTINFO, ipv6(7)
// IPV6_PKTINFO) so that answers leave from there.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/fd.h"
#include "io/ports.h"

namespace heddle {

class UdpSockets final : public UdpPort {
 public:
  struct Opened {
    int error = 0;  // a positive errno when it failed
    uint16_t port = 0;
    std::vector<std::string>
        remarks;  // what an operator should know: clamped buffers, offloads that are missing
  };

  // Binds both families to `port`, or to one free port when it is 0. A host without IPv6 gets the
  // IPv4 socket alone.
  Opened open(uint16_t port, bool offload);

  int send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
           const Via& via) override;
  // Sends one handshake message at once or not at all, with its own traffic class. Any thread.
  int sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes);
  bool receive(std::span<uint8_t> buffer, Received& received, int& error) override;
  std::array<int, 2> descriptors() const override { return {v4_.get(), v6_.get()}; }
  uint64_t overflows() const override { return overflows_[0] + overflows_[1]; }
  // SO_MARK on both sockets. 0 or a negative errno.
  int setMark(uint32_t mark);

 private:
  int sendMessage(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment, int flags,
                  int trafficClass);

  Fd v4_;
  Fd v6_;
  std::array<uint32_t, 2>
      overflows_{};    // SO_RXQ_OVFL of each socket; written by the receiving thread
  size_t turn_ = 0;    // the socket to read next
  size_t streak_ = 0;  // reads of it in a row
};

}  // namespace heddle
