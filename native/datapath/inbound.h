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
#include "route/route_cache.h"

namespace heddle {

class Inbound {
 public:
  Inbound(const Tables& tables, EventSink& events, PacketWriter& writer, Answerer& answerer,
          CounterBlock& counters, CoalesceOptions options);

  // One datagram. Its bytes are ours until the call returns.
  void datagram(std::span<uint8_t> bytes, const Endpoint& source, const Arrival& arrival,
                Instant now);

  // What may be put together from here on; only where nothing is open, as behind flush().
  void coalesce(CoalesceOptions options) { coalescer_.use(options); }

  // Writes what is still being put together, and the peer's traffic. Call it at the end of each
  // receive, before the next quiescent state.
  void flush() {
    coalescer_.flush();
    settle();
  }

 private:
  Drop sealed(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop behindVxlan(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop handshake(std::span<const uint8_t> bytes, const Endpoint& source);
  Drop data(std::span<uint8_t> bytes, const Endpoint& source, Instant now);
  Drop open(Keypair& keypair, uint64_t counter, std::span<uint8_t> bytes, const Endpoint& source,
            Instant now);
  // What an opened message is to the session it came in.
  enum class Content : uint8_t { data, keepalive, control };

  Drop authenticate(Keypair& keypair, std::span<uint8_t> bytes, uint8_t* inner, Content& content,
                    const Endpoint& source, Instant now);
  Drop take(const Keypair& keypair, std::span<const uint8_t> inner, Content content,
            bool isPartial);
  Drop control(const Keypair& keypair, std::span<const uint8_t> message);
  Drop deliver(const PeerEntry& peer, std::span<const uint8_t> inner, bool isPartial);
  void authenticated(Keypair& keypair, size_t bytes, Content content, const Endpoint& source,
                     Instant now);
  void count(PeerEntry& peer, size_t bytes);
  void settle();
  void promote(Keypair& keypair);
  void followRoaming(PeerEntry& peer, const Endpoint& source);
  void raiseActivity(PeerEntry& peer);

  const Tables& tables_;
  EventSink& events_;
  CounterBlock& counters_;
  RouteCache routeCache_;
  Coalescer coalescer_;
  ClearInbound clear_;
  // Messages that opened, until they are written to their peer's words.
  PeerEntry* counted_ = nullptr;
  size_t countedBytes_ = 0;
  size_t countedPackets_ = 0;
};

}  // namespace heddle
