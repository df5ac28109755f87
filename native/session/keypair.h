// Both directions of one session (WireGuard §5.4.5), or of one lane of a session between heddle
// peers, with the limits that the walk enforces by itself. Immutable but for what one thread owns:
// the sending thread the counter, the receiving thread the replay window. Where a node has several
// lanes, all of them send with a keypair that belongs to none.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/suite.h"
#include "session/replay.h"

namespace heddle {

struct PeerEntry;

// The names and values of src/datapath/tables.ts.
inline constexpr Duration kRejectAfterTime = seconds(180);
inline constexpr Duration kRekeyAfterTime = seconds(120);
inline constexpr Duration kRekeyAfterTimeReceiving = seconds(165);
inline constexpr uint64_t kRekeyAfterMessages = uint64_t{1} << 60;
inline constexpr uint64_t kRejectAfterMessages = ~uint64_t{0} - (uint64_t{1} << 13);
// Of AES-256-GCM: far below what a key may seal (NIST SP 800-38D §8.3), and as many failed tags as
// DTLS 1.3 bears (RFC 9147 §4.5.3).
inline constexpr uint64_t kAesRekeyAfterMessages = uint64_t{1} << 30;
inline constexpr uint64_t kAesRejectAfterMessages = uint64_t{1} << 32;
inline constexpr uint64_t kAesMostFailedTags = uint64_t{1} << 36;

// As many lanes as three bits of an index can name.
inline constexpr uint32_t kMaxLanes = 8;
inline constexpr uint32_t kAnyLane = kMaxLanes;

// The low four bits of a session index: none in WireGuard's own keypair; in those of lanes the mark
// and the lane.
inline constexpr uint32_t kLaneMark = 8;
inline constexpr uint32_t kIndexBits = 15;

struct KeypairMaterial {
  uint32_t localIndex = 0;
  uint32_t remoteIndex = 0;
  std::array<uint8_t, 32> sendKey{};
  std::array<uint8_t, 32> receiveKey{};
  Instant createdAt = 0;
  bool isInitiator = false;
  bool takesControl = false;
  Suite suite = Suite::chacha20Poly1305;
  uint32_t lane = kAnyLane;  // kAnyLane: WireGuard's own messages, sent by any lane
  bool trustsChecksums = false;
};

struct Keypair {
  // Copies the keys; the AEAD keys wipe themselves when they go.
  // `isShared`: the node has several lanes.
  Keypair(PeerEntry& owner, const KeypairMaterial& material, bool isShared = false);
  Keypair(const Keypair&) = delete;
  Keypair& operator=(const Keypair&) = delete;
  // In memory that is neither swapped nor dumped.
  static void* operator new(size_t size);
  static void operator delete(void* keypair);
  // Whether the kernel lets it be so.
  static bool isMemoryLocked();

  PeerEntry& peer;
  const uint32_t localIndex;
  const uint32_t remoteIndex;
  const Instant createdAt;
  const bool isInitiator;
  // The peer speaks heddle's protocol: its control messages are taken.
  const bool takesControl;
  // Its messages are of heddle's own type, and its `lane` sends with it.
  const bool isHeddle;
  // The peer takes packets whose checksum field holds the pseudo-header's sum alone.
  const bool trustsChecksums;
  const bool isShared;
  const uint32_t lane;
  const uint64_t rekeyAfterMessages;
  const uint64_t rejectAfterMessages;
  const uint64_t mostFailedTags;

  // Sending thread, or all of them where it is shared and has no lane.
  alignas(64) AeadKey sending;
  std::atomic<uint64_t> sendCounter{0};  // the next message's
  std::atomic<bool> sendRekeyRaised{false};

  // Receiving thread; whoever has the lock, where it is shared.
  alignas(64) AeadKey receiving;
  std::atomic_flag receivingLock;
  bool confirmedRaised = false;
  bool receiveRekeyRaised = false;
  bool isPromotionSettled = false;
  uint64_t failedTags = 0;
  ReplayWindow replay;

  // The counters of the next `count` messages: the first of them. Those that are
  // rejectAfterMessages or more are not to be used.
  uint64_t takeCounters(uint64_t count) {
    if (isShared && !isHeddle) return sendCounter.fetch_add(count, std::memory_order_relaxed);
    uint64_t first = sendCounter.load(std::memory_order_relaxed);
    uint64_t left = first < rejectAfterMessages ? rejectAfterMessages - first : 0;
    sendCounter.store(first + std::min(count, left), std::memory_order_relaxed);
    return first;
  }
};

// Has the receiving half of a keypair to itself. Where lanes are several, a datagram may have been
// received by another than its own; nobody else waits here.
class ReceivingTurn {
 public:
  explicit ReceivingTurn(Keypair& keypair) : keypair_(keypair) {
    if (!keypair_.isShared) return;
    while (keypair_.receivingLock.test_and_set(std::memory_order_acquire)) {
      std::this_thread::yield();
    }
  }
  ~ReceivingTurn() {
    if (keypair_.isShared) keypair_.receivingLock.clear(std::memory_order_release);
  }
  ReceivingTurn(const ReceivingTurn&) = delete;
  ReceivingTurn& operator=(const ReceivingTurn&) = delete;

 private:
  Keypair& keypair_;
};

// 2^64 - 2^13 - 1 as the paper has it.
static_assert(kRejectAfterMessages == UINT64_MAX - 8192);

inline bool isExpired(const Keypair& keypair, Instant now) {
  return elapsed(keypair.createdAt, now) >= kRejectAfterTime;
}

}  // namespace heddle
