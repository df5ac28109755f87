// What the control plane writes and both threads of a lane read: the twin of
// src/datapath/tables.ts. JavaScript's thread is the only writer; each write is one atomic store of
// a pointer to an immutable object, or of a word. Readers look up without locks between two
// quiescent states of the reclaimer, and hold nothing across them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/reclaim.h"
#include "base/time.h"
#include "crypto/blake2s.h"
#include "datapath/counters.h"
#include "encap/encapsulation.h"
#include "path/endpoint_table.h"
#include "route/fdb.h"
#include "route/prefix_trie.h"
#include "session/keypair.h"
#include "session/session_table.h"

namespace heddle {

inline constexpr uint32_t kMaxPeers = 1 << 20;
inline constexpr uint32_t kDefaultMtu = 1420;
inline constexpr size_t kMaxControl = 1024;  // MAX_CONTROL in src/datapath/tables.ts

// When a peer's traffic happened; 0 is never. The meaning of each word is in
// src/datapath/tables.ts.
struct Activity {
  Instant lastSent = 0;
  Instant lastReceived = 0;
  Instant unansweredSend = 0;
  Instant unansweredReceive = 0;

  friend bool operator==(const Activity&, const Activity&) = default;
};

// Bytes and messages of a peer, with their WireGuard headers, as `wg show` counts.
struct PeerTraffic {
  uint64_t rxBytes = 0;
  uint64_t txBytes = 0;
  uint64_t rxPackets = 0;
  uint64_t txPackets = 0;
  std::array<uint64_t, kDropCount> drops{};  // both directions
};

enum class SessionNeed : uint8_t { staged, rekey };

// Where the walk raises events, on the thread that walks; the meaning of each is in
// src/datapath/tables.ts. False says that the event could not be taken: the walk then raises it
// again at the next occasion.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Copies `datagram`. False counts as Drop::handshakeOverflow.
  virtual bool handshake(std::span<const uint8_t> datagram, const Endpoint& source) = 0;
  virtual bool sessionNeeded(uint32_t peer, SessionNeed reason) = 0;
  virtual bool confirmed(uint32_t peer, uint32_t localIndex) = 0;
  virtual bool roamed(uint32_t peer, const Endpoint& endpoint) = 0;
  virtual bool activity(uint32_t peer, const Activity& activity) = 0;
  // Copies `message`. False counts as Drop::controlOverflow.
  virtual bool control(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message) = 0;
};

// What was dropped of one peer's packets in one direction, by reason.
using PeerDrops = std::array<Word, kDropCount>;

// One direction of a peer's data messages: written by one thread of each lane, on a cache line of
// its own.
struct alignas(64) PeerDirection {
  Word bytes;
  Word packets;
  Word last;                               // instant of the last message
  Word unanswered;                         // first data message since the last one the other way
  std::atomic<PeerDrops*> drops{nullptr};  // made at the first drop: most peers never need it

  // `count` more messages of `size` bytes together. `isShared`: there are several lanes.
  void count(size_t size, size_t count, bool isShared) {
    if (isShared) {
      bytes.addShared(size);
      packets.addShared(count);
    } else {
      bytes.add(size);
      packets.add(count);
    }
  }

  PeerDirection() = default;
  PeerDirection(const PeerDirection&) = delete;
  PeerDirection& operator=(const PeerDirection&) = delete;
  ~PeerDirection() { delete drops.load(std::memory_order_relaxed); }
  void drop(Drop reason, size_t count);
};

// A peer as the walk sees it. Stays where it is until it is retired.
struct PeerEntry {
  explicit PeerEntry(uint32_t peer, uint64_t serialNumber) : slot(peer), serial(serialNumber) {}

  const uint32_t slot;
  const uint64_t serial;  // tells this peer from the last one in the slot

  // Written by JavaScript's thread.
  std::array<std::atomic<Keypair*>, kMaxLanes> sending{};  // by lane
  // A responder's keypair that was confirmed: it sends in place of `sending` until JavaScript
  // answers with useKeypair. Set by the receiving thread; the local index with kPromotedMark, or 0.
  // Not a pointer, because the keypair may be removed before the mark is taken away.
  std::atomic<uint64_t> promoted{0};
  std::atomic<const EndpointRecord*> endpoint{nullptr};
  // Where the peer was last heard from, when that is elsewhere: the receiving thread sets it once,
  // so that the very next packet goes there; JavaScript's thread answers with setEndpoint, which
  // takes it away again.
  std::atomic<const EndpointRecord*> roamedTo{nullptr};
  // Null: wireguard.
  std::atomic<const Encapsulation*> encapsulation{nullptr};
  Word handshakeSentAt;
  Word handshakeReceivedAt;
  Word handshakeBytesSent;
  Word handshakeBytesReceived;
  Word handshakesSent;
  Word handshakesReceived;

  PeerDirection sent;
  PeerDirection received;
  std::atomic<uint64_t> unraisedRoaming{0};  // the version of roamedTo while it is not raised

  // Raised by the walk, re-armed by JavaScript.
  alignas(64) std::atomic<bool> sendActivityArmed{true};
  std::atomic<bool> receiveActivityArmed{true};
  std::atomic<bool> stagedRaised{false};

  ~PeerEntry() {
    delete roamedTo.load(std::memory_order_relaxed);
    delete encapsulation.load(std::memory_order_relaxed);
  }
  PeerEntry(const PeerEntry&) = delete;
  PeerEntry& operator=(const PeerEntry&) = delete;

  static constexpr uint64_t kPromotedMark = uint64_t{1} << 32;
  // Null: nobody knows where it is.
  const EndpointRecord* sendsTo() const {
    const EndpointRecord* moved = roamedTo.load(std::memory_order_acquire);
    return moved != nullptr ? moved : endpoint.load(std::memory_order_acquire);
  }
  // Whether its sealed messages come from such a source; none of a clear peer's do.
  bool isInForm(const Endpoint& source) const {
    const Encapsulation* how = encapsulation.load(std::memory_order_acquire);
    if (how == nullptr) [[likely]]
      return source.vni == 0;
    return !how->isClear() && source.vni == how->vni;
  }
  Instant lastSent() const { return std::max(sent.last.get(), handshakeSentAt.get()); }
  Instant lastReceived() const { return std::max(received.last.get(), handshakeReceivedAt.get()); }
  Activity activity() const;
};
static_assert(sizeof(PeerEntry) <= 512);

// One of the interface's own addresses.
struct OwnAddress {
  Family family = Family::ipv4;
  Address address;

  friend bool operator==(const OwnAddress&, const OwnAddress&) = default;
};

class Tables {
 public:
  // `lanes`: how many walk them.
  explicit Tables(Reclaimer& reclaimer, uint32_t lanes = 1);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  // No reader may be left.
  ~Tables();

  // ---- the walk, between two quiescent states ----

  PeerEntry* peer(uint32_t slot) const;
  // How many lanes walk them.
  uint32_t lanes() const { return lanes_; }
  bool isShared() const { return lanes_ > 1; }
  const PrefixTrie& routes() const { return routes_; }
  const SessionTable& sessions() const { return sessions_; }
  // The keypair that a lane sends to the peer with; null when there is none, or not any more.
  Keypair* usableKeypair(const PeerEntry& peer, uint32_t lane, Instant now) const;
  uint32_t mtu() const { return mtu_.load(std::memory_order_relaxed); }
  uint32_t routeMtu() const { return routeMtu_.load(std::memory_order_relaxed); }
  // Never the same twice, on any thread.
  uint64_t newEndpointVersion() const {
    return nextEndpointVersion_.fetch_add(1, std::memory_order_relaxed);
  }
  // Null: there are no clear peers.
  const Fdb* fdb() const { return fdb_.load(std::memory_order_acquire); }
  Mac vtepMac() const;
  bool isOwnAddress(Family family, const Address& address) const;
  // Null until setMac1Key.
  const Mac1Keys* mac1Key() const { return mac1Key_.load(std::memory_order_acquire); }

  // ---- JavaScript's thread: the TableWrite of the same name; false when the peer or index is
  // unknown ----

  // `other`: one more that is taken, or none.
  void setMac1Key(std::span<const uint8_t, 32> key, std::span<const uint8_t> other = {});
  void setMtu(uint32_t mtu);
  // The least of a route into the tunnel; 0: none.
  void setRouteMtu(uint32_t mtu);
  void setVtepMac(const Mac& mac);
  void setOwnAddresses(std::vector<OwnAddress> addresses);
  // False when the slot is taken or not below kMaxPeers.
  bool addPeer(uint32_t slot);
  // The lane must then be told to forget(slot), for what was staged.
  bool removePeer(uint32_t slot);
  // Address of 4 or 16 bytes; bits behind `length` are ignored. Visible after publishRoutes().
  bool insertPrefix(std::span<const uint8_t> address, uint32_t length, uint32_t slot);
  bool removePrefix(std::span<const uint8_t> address, uint32_t length);
  void publishRoutes();
  bool setEndpoint(uint32_t slot, const Endpoint& endpoint);
  // A clear peer's endpoint is that of its encapsulation.
  bool setEncapsulation(uint32_t slot, const Encapsulation& encapsulation);
  // False too when the local index is taken.
  bool installKeypair(uint32_t slot, const KeypairMaterial& material);
  bool useKeypair(uint32_t slot, uint32_t localIndex);
  bool removeKeypair(uint32_t localIndex);
  bool noteHandshake(uint32_t slot, bool sent, uint32_t bytes, Instant now);
  // Re-arms the activity event and reads the words.
  bool readActivity(uint32_t slot, Activity& activity);
  // Re-arms sessionNeeded(staged); part of dropStaged, before the lane is told.
  bool rearmStaged(uint32_t slot);

  Activity activity(uint32_t slot) const;
  PeerTraffic traffic(uint32_t slot) const;
  size_t prefixCount() const { return routes_.size(); }
  size_t keypairCount() const { return sessions_.size(); }

 private:
  static constexpr uint32_t kChunk = 1024;
  using Chunk = std::array<std::atomic<PeerEntry*>, kChunk>;

  Keypair* confirmedKeypair(const PeerEntry& peer, uint32_t index, uint32_t lane) const;
  void publishFdb();

  Reclaimer& reclaimer_;
  const uint32_t lanes_;
  std::array<std::atomic<Chunk*>, kMaxPeers / kChunk> peers_{};
  PrefixTrie routes_;
  SessionTable sessions_;
  std::atomic<uint32_t> mtu_{kDefaultMtu};
  std::atomic<uint32_t> routeMtu_{0};
  std::atomic<const Mac1Keys*> mac1Key_{nullptr};
  std::atomic<const Fdb*> fdb_{nullptr};
  std::atomic<uint64_t> vtepMac_{0};  // in the low six bytes, as they lie in memory
  std::atomic<const std::vector<OwnAddress>*> ownAddresses_{nullptr};
  std::vector<uint32_t> clearSlots_;  // JavaScript's thread
  uint64_t nextSerial_ = 1;
  mutable std::atomic<uint64_t> nextEndpointVersion_{1};
};

}  // namespace heddle
