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
  // Whose a datagram is taken for.
  struct Claim {
    PeerEntry& peer;
    const Encapsulation& how;  // of the peer
    const Fdb& fdb;
    size_t datagram;  // its length
    Instant now;
  };

  Drop accept(const Claim& claim, std::span<uint8_t> bytes);
  Drop frame(const Claim& claim, std::span<uint8_t> frame);
  // Questions for an Ethernet address.
  Drop arp(const Claim& claim, std::span<const uint8_t> frame);
  Drop solicitation(const Claim& claim, std::span<const uint8_t> frame);
  bool mayAsk(const PeerEntry& peer, Family family, const uint8_t* asker) const;
  void answer(const Claim& claim, std::span<const uint8_t> frame, std::span<const uint8_t> payload);
  // A whole packet from one of the peer's addresses; `whole` becomes its length.
  Drop check(const Claim& claim, std::span<const uint8_t> packet, size_t& whole) const;
  Drop deliver(const Claim& claim, std::span<const uint8_t> packet);

  const Tables& tables_;
  Coalescer& coalescer_;
  Answerer& answerer_;
  CounterBlock& counters_;
};

}  // namespace heddle
