// Wire -> TUN for clear encapsulations: the twin of src/datapath/clear_inbound.ts. A datagram is
// accepted by where it comes from: the outer address, our port and the VNI say which peer's it may
// be; then the Ethernet addresses and the inner source must fit.
#pragma once

#include <cstdint>
#include <span>

#include "datapath/coalesce.h"
#include "datapath/counters.h"
#include "datapath/tables.h"

namespace heddle {

// Sends what the receiving thread has to answer at once; it counts its own drops.
class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual void answer(const Endpoint& to, std::span<const uint8_t> datagram, const Via& via) = 0;
};

class ClearInbound {
 public:
  ClearInbound(const Tables& tables, Coalescer& coalescer, Answerer& answerer,
               CounterBlock& counters)
      : tables_(tables), coalescer_(coalescer), answerer_(answerer), counters_(counters) {}

  // One datagram that came in on a clear port. Its bytes are ours until the call returns.
  Drop datagram(std::span<uint8_t> bytes, const Endpoint& source, const Arrival& arrival,
                Instant now);

 private:
  Drop ethernet(PeerEntry& peer, std::span<uint8_t> frame, size_t datagram, Instant now);
  Drop arp(PeerEntry& peer, std::span<const uint8_t> frame);
  Drop solicitation(PeerEntry& peer, std::span<const uint8_t> frame, size_t whole);
  Drop deliver(PeerEntry& peer, std::span<uint8_t> packet, size_t datagram, Instant now);
  // Builds nothing: `frame` is what stands behind the Ethernet header.
  void answer(PeerEntry& peer, const Mac& to, uint16_t etherType, std::span<const uint8_t> payload);

  const Tables& tables_;
  Coalescer& coalescer_;
  Answerer& answerer_;
  CounterBlock& counters_;
};

}  // namespace heddle
