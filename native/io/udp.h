// The outer UDP ports of a node: the listen port, where sealed messages are, the ports of clear
// peers, and the source ports of clear VXLAN.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/ports.h"
#include "io/source_ports.h"
#include "io/udp_socket.h"

namespace heddle {

struct ClearPort {
  uint16_t port = 0;
  PortKind kind = PortKind::vxlan;
};

class UdpSockets final : public UdpPort {
 public:
  struct Opened {
    int error = 0;  // a positive errno when it failed
    uint16_t port = 0;
    std::vector<std::string> remarks;  // what an operator should know
  };

  // Opens the listen port.
  Opened open(uint16_t port, bool offload);

  // Any thread: the inbound one sends answers.
  int send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
           const Via& via) override;
  // Sends one handshake message at once or not at all, with its own traffic class. JavaScript's
  // thread.
  int sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes);
  // Inbound thread.
  bool receive(std::span<uint8_t> buffer, Received& received, int& error) override;
  std::span<const int> descriptors() const override { return descriptors_; }
  uint64_t overflows() const override;

  // ---- JavaScript's thread, while no lane runs; 0 or a negative errno, and then nothing changed
  // ----

  uint16_t port() const { return listen_.port; }
  // Moves the listen port to `port`, 0 for a free one; `drain` is called while the old one still
  // receives, and no other can fail any more.
  int setListenPort(uint16_t port, const std::function<void()>& drain);
  // Opens what is new and closes what is missing.
  int setClearPorts(std::span<const ClearPort> ports);
  // SO_MARK on all sockets, those opened later too.
  int setMark(uint32_t mark);

 private:
  struct Receiver {
    UdpSocket* socket;
    Arrival arrival;
  };

  UdpMode modeOf(PortKind kind) const { return {.kind = kind, .offload = offload_, .mark = mark_}; }
  // The descriptor to send to the family from, or a negative errno.
  int senderFor(const Endpoint& to, const Via& via);
  std::unique_ptr<UdpPair>* findClear(uint16_t port);
  void retire(const UdpPair& pair);
  void listReceivers();

  bool offload_ = true;
  uint32_t mark_ = 0;
  UdpPair listen_;
  std::vector<std::unique_ptr<UdpPair>> clear_;
  SourcePorts sources_;
  std::vector<Receiver> receivers_;
  std::vector<int> descriptors_;   // of receivers_
  uint64_t retiredOverflows_ = 0;  // of sockets that are closed
  size_t turn_ = 0;                // the receiver to read next
  size_t streak_ = 0;              // reads of it in a row
};

}  // namespace heddle
