// Two nodes in one process, for measuring the walk alone: what one end seals, the other opens. TUN
// and UDP are memory: each read and each write is one copy, as in a system call, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datapath/inbound.h"
#include "datapath/outbound.h"

namespace heddle::bench {

// What both ends are configured with.
struct PairTables {
  uint32_t peers = 1;
  // Of all peers together, at least one each; IPv4, of lengths /22 to /32, in no order.
  uint32_t prefixes = 1;
  // Clear VXLAN instead of sessions.
  bool isClear = false;
  bool isHeddle = false;  // AES-256-GCM in messages of heddle's own, checksums left to the peer
};

struct PairTraffic {
  // Of one inner packet, headers included.
  uint32_t packetBytes = 64;
  // TCP packets that come and go as super-packets of this many; 1: UDP packets one by one.
  uint32_t packetsAtOnce = 1;
  // Each goes to another prefix, else all to one.
  bool isSpread = false;
};

// Nanoseconds a packet.
struct PairCost {
  double out = 0;
  double in = 0;
};

class NodePair {
 public:
  explicit NodePair(const PairTables& tables);
  NodePair(const NodePair&) = delete;
  NodePair& operator=(const NodePair&) = delete;

  // Carries at least so many packets; ends the process where one does not arrive.
  PairCost carry(const PairTraffic& traffic, size_t packets);

 private:
  // What was sent, until it is received.
  struct Wire : BatchSender, Answerer {
    struct Batch {
      size_t at = 0;
      size_t length = 0;
      size_t segment = 0;
      Endpoint to;
      PortKind kind = PortKind::sealed;
    };
    void send(const SendBatch& batch) override;
    void refuse(std::span<const uint8_t>) override {}
    void answer(const Endpoint&, std::span<const uint8_t>, const Via&) override {}

    std::vector<uint8_t> bytes;
    size_t used = 0;
    std::vector<Batch> batches;
  };
  struct Host : PacketWriter {
    void write(std::span<uint8_t> frame, size_t packets) override;

    std::vector<uint8_t> buffer;
    uint64_t packets = 0;
  };
  struct NoEvents : EventSink {
    bool handshake(std::span<const uint8_t>, const Endpoint&) override { return true; }
    bool sessionNeeded(uint32_t, SessionNeed) override { return true; }
    bool confirmed(uint32_t, uint32_t) override { return true; }
    bool roamed(uint32_t, const Endpoint&) override { return true; }
    bool activity(uint32_t, const Activity&) override { return true; }
    bool control(uint32_t, uint32_t, std::span<const uint8_t>) override { return true; }
  };
  struct Node {
    Node(Wire& wire, Host& host);

    Reclaimer reclaimer;
    Tables tables{reclaimer};
    NoEvents events;
    CounterBlock counters;
    Outbound outbound;
    Inbound inbound;
  };
  // Of one packet; both ends have the same prefixes, so either may send from where the other does.
  struct Route {
    uint32_t source;
    uint32_t destination;
  };

  void addPeers();
  void addPeer(uint32_t slot);
  void addPrefixes();
  void makeFrame(const PairTraffic& traffic);
  void sendOne(bool isSpread);
  void receiveAll();

  const PairTables options_;
  Wire wire_;
  Host host_;
  Node near_;
  Node far_;
  std::vector<Route> routes_;
  size_t nextRoute_ = 0;
  std::vector<uint8_t> frame_;   // as the TUN hands it over
  std::vector<uint8_t> buffer_;  // what it is read into
};

}  // namespace heddle::bench
