// Both directions of one session (WireGuard §5.4.5), with the limits that the walk enforces by
// itself. Immutable but for what one thread owns: the sending thread the counter, the receiving
// thread the replay window.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "crypto/aead.h"
#include "session/replay.h"

namespace heddle {

struct PeerEntry;

// The names and values of src/datapath/tables.ts.
inline constexpr Duration kRejectAfterTime = seconds(180);
inline constexpr Duration kRekeyAfterTime = seconds(120);
inline constexpr Duration kRekeyAfterTimeReceiving = seconds(165);
inline constexpr uint64_t kRekeyAfterMessages = uint64_t{1} << 60;
inline constexpr uint64_t kRejectAfterMessages = ~uint64_t{0} - (uint64_t{1} << 13);

struct KeypairMaterial {
  uint32_t localIndex = 0;
  uint32_t remoteIndex = 0;
  std::array<uint8_t, 32> sendKey{};
  std::array<uint8_t, 32> receiveKey{};
  Instant createdAt = 0;
  bool isInitiator = false;
};

struct Keypair {
  // Copies the keys; the AEAD keys wipe themselves when they go.
  Keypair(PeerEntry& owner, const KeypairMaterial& material);
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

  // Sending thread.
  alignas(64) AeadKey sending;
  std::atomic<uint64_t> sendCounter{0};  // the next message's; read by others for show only
  bool sendRekeyRaised = false;

  // Receiving thread.
  alignas(64) AeadKey receiving;
  bool confirmedRaised = false;
  bool receiveRekeyRaised = false;
  ReplayWindow replay;
};

// 2^64 - 2^13 - 1 as the paper has it.
static_assert(kRejectAfterMessages == UINT64_MAX - 8192);

inline bool isExpired(const Keypair& keypair, Instant now) {
  return elapsed(keypair.createdAt, now) >= kRejectAfterTime;
}

}  // namespace heddle
