// Wire -> TUN: the walk's inbound half, the twin of src/datapath/inbound.ts. One object a receiving
// thread; it runs a datagram to completion: demultiplex, look up the session, open, replay window,
// inner source, and into the packet or super-packet that leaves as one TUN write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datapath/clear_inbound.h"
#include "datapath/coalesce.h"
#include "datapath/counters.h"
#include "datapath/tables.h"

namespace heddle {

class Inbound {
 public:
  Inbound(const Tables& tables, EventSink& events, PacketWriter& writer, Answerer& answerer,
          CounterBlock& counters, CoalesceOptions options);

  // One datagram. Its bytes are ours until the call returns.
  void datagram(std::span<uint8_t> bytes, const Endpoint& source, const Arrival& arrival,
                Instant now);

  // Writes what is still being put together. Call it at the end of each receive, before the next
  // quiescent state.
  void flush() { coalescer_.flush(); }

 private:
  Drop sealed(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop behindVxlan(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop handshake(std::span<const uint8_t> bytes, const Endpoint& source);
  Drop data(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop open(Keypair& keypair, uint64_t counter, std::span<uint8_t> bytes, const Endpoint& source,
            Instant now);
  Drop deliver(const PeerEntry& peer, const uint8_t* inner, size_t length);
  void authenticated(Keypair& keypair, size_t bytes, const Endpoint& source, Instant now);
  void followRoaming(PeerEntry& peer, const Endpoint& source);
  void raiseActivity(PeerEntry& peer);

  const Tables& tables_;
  EventSink& events_;
  CounterBlock& counters_;
  Coalescer coalescer_;
  ClearInbound clear_;
};

}  // namespace heddle
