// The outer UDP port as one lane has it. With several lanes each has sockets of its own on the one
// listen port; the kernel gives each lane what names its keypairs (socket_steering.h).
//
// Datagrams of two lanes differ in nothing that a receiver's kernel looks at before it puts some
// together (GRO) but in the hops they have left, so each lane sends with one hop fewer than the
// last. Steps of nesting are eight hops each (datapath/loop.h), so that also holds for tunnels in
// tunnels.
#pragma once

#include <vector>

#include "io/clear_sockets.h"
#include "io/ports.h"
#include "io/udp_socket.h"

namespace heddle {

class LaneSockets final : public UdpPort {
 public:
  LaneSockets(ClearSockets& clear, uint32_t lane, bool isAlone)
      : clear_(clear), lane_(lane), isAlone_(isAlone) {}

  // Any thread: the inbound one sends answers in the clear.
  int send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
           const Via& via) override;
  // Sends one handshake message at once or not at all, with its own traffic class. JavaScript's
  // thread.
  int sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes);
  // Inbound thread.
  bool receive(std::span<uint8_t> buffer, Received& received, int& error) override;
  std::span<const int> descriptors() const override { return descriptors_; }
  uint64_t overflows() const override;

  // ---- JavaScript's thread, while no lane runs ----

  const UdpPair& listen() const { return listen_; }
  // In place of the listen port's sockets from here on; those are closed.
  void use(UdpPair listen);
  // After the clear ports changed: receives from all of them, too. The first lane only.
  void listReceivers();

 private:
  struct Receiver {
    UdpSocket* socket;
    Arrival arrival;
  };

  // TTL or hop limit, from that of one lane alone; 0 is the socket's own.
  uint8_t hopsOf(const Via& via) const;

  ClearSockets& clear_;
  const uint32_t lane_;
  const bool isAlone_;
  UdpPair listen_;
  std::vector<Receiver> receivers_;
  std::vector<int> descriptors_;   // of receivers_
  uint64_t retiredOverflows_ = 0;  // of listen ports that are closed
  size_t turn_ = 0;                // the receiver to read next
  size_t streak_ = 0;              // reads of it in a row
};

}  // namespace heddle
