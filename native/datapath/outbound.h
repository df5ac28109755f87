// TUN -> wire: the walk's outbound half, the twin of src/datapath/outbound.ts. One object a sending
// thread; it runs a packet to completion: classify, route, session, seal, and into the batch that
// leaves as one UDP send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "datapath/counters.h"
#include "datapath/refusals.h"
#include "datapath/segment.h"
#include "datapath/staged.h"
#include "datapath/tables.h"
#include "route/route_cache.h"
#include "wire/virtio_net.h"

namespace heddle {

// Room that must be ours before the first byte and behind the last byte of a packet or frame given
// to Outbound; it is used and left as it was.
inline constexpr size_t kHeadroom = 64;
inline constexpr size_t kTailroom = 64;

// Sealed messages for one endpoint, back to back: `segment` bytes each but for a shorter last one,
// as UDP GSO wants them. At most kBatchSegments and what one UDP datagram may hold.
struct SendBatch {
  std::span<const uint8_t> bytes;
  size_t segment = 0;
  size_t count = 0;
  uint32_t peer = 0;
  Endpoint to;
  Via via{};
};

inline constexpr size_t kBatchSegments = 63;

// Sends a batch; it counts its own drops (one per message that failed) and falls back to single
// sends by itself.
class BatchSender {
 public:
  virtual ~BatchSender() = default;
  virtual void send(const SendBatch& batch) = 0;
  // Writes a frame back to the TUN, for the sender of a packet that goes nowhere.
  virtual void refuse(std::span<const uint8_t> frame) = 0;
};

class Outbound {
 public:
  // `lane`: the number of the lane it walks for.
  Outbound(const Tables& tables, EventSink& events, BatchSender& sender, CounterBlock& counters,
           uint32_t lane = 0);

  // One inner packet with whole checksums. Its bytes are used as scratch.
  void packet(std::span<uint8_t> inner, Instant now);

  // One read of a TUN device: a virtio-net header and a packet, or a TCP or UDP super-packet, which
  // is cut into segments. Its bytes are used as scratch.
  void frame(std::span<uint8_t> frame, Instant now);

  // Sends what is sealed. Call it when there is nothing more to read, and before the thread blocks.
  void flush();

  // ---- commands of the control plane; each ends with a flush ----

  // Seals what was staged for the peer; where nothing was and `orKeepalive` is set, a keepalive.
  // Without endpoint or usable keypair it changes nothing.
  void flushStaged(uint32_t peer, bool orKeepalive, Instant now);
  // Drops what was staged as Drop::stagedExpired.
  void dropStaged(uint32_t peer);
  // An empty data message, where there is a session and an endpoint.
  void sendKeepalive(uint32_t peer, Instant now);
  // Seals a control message with an installed keypair of the peer, in use or not; at most
  // kMaxControl bytes.
  void sendControl(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message,
                   Instant now);
  // After Tables::removePeer: drops what is staged for peers that are gone from the slot.
  void forget(uint32_t peer);

 private:
  // What one look-up gives for a packet or all segments of a super-packet.
  struct Target {
    PeerEntry* peer = nullptr;
    const EndpointRecord* endpoint = nullptr;
    Keypair* keypair = nullptr;            // null: there is none to send with, so stage
    const Encapsulation* clear = nullptr;  // of a clear peer
    Via via{};
    bool isPartial = false;  // the packet's checksum is left to the peer's kernel
    uint64_t counter = 0;    // of the next message
    size_t sealed = 0;       // messages
    size_t sealedBytes = 0;
  };

  Drop route(std::span<const uint8_t> packet, Instant now, Target& target) const;
  Drop routeClear(std::span<const uint8_t> packet, Instant now, Target& target) const;
  Drop guardLoop(std::span<const uint8_t> packet, Target& target) const;
  void single(const VirtioNetHeader& header, std::span<uint8_t> inner, Instant now);
  void superPacket(const VirtioNetHeader& header, std::span<uint8_t> inner, Instant now);
  // For so many messages.
  static void takeCounters(Target& target, size_t count);
  void pass(Target& target, std::span<uint8_t> inner);
  void stage(PeerEntry& peer, std::span<const uint8_t> inner);
  void sendClear(const Target& target, std::span<uint8_t> inner);
  uint8_t* room(const Target& target, size_t size);
  void added(size_t size);
  bool seal(Target& target, uint8_t* inner, size_t length);
  void sealKeepalive(Target& target, Instant now);
  void notePassed(const Target& target, Instant now);
  void noteSent(const Target& target, bool isData, Instant now);
  void raiseRekey(const Target& target, Instant now);
  bool mayUse(const Keypair& keypair) const;
  // The peer and its endpoint; false when one is missing, or nothing is sealed for it.
  bool reach(uint32_t slot, Target& target) const;
  // Likewise with the keypair that it is sent with.
  bool resume(uint32_t slot, Instant now, Target& target) const;
  void open(const Target& target, size_t size);
  void refuse(Drop reason, std::span<const uint8_t> packet, Instant now);
  void drop(Drop reason, size_t packets = 1, PeerEntry* peer = nullptr);

  const Tables& tables_;
  EventSink& events_;
  BatchSender& sender_;
  CounterBlock& counters_;
  const uint32_t lane_;
  mutable RouteCache routeCache_;
  Staged staged_;
  Refusals refusals_;
  std::unique_ptr<uint8_t[]> buffer_;
  // The open batch.
  uint8_t* const messages_;  // where it starts in buffer_
  size_t bytes_ = 0;
  size_t segment_ = 0;
  size_t count_ = 0;
  size_t limit_ = 0;
  uint64_t endpointVersion_ = 0;
  uint32_t peer_ = 0;
  Endpoint to_;
  Via via_{};
};

}  // namespace heddle
