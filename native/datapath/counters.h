// The walk's counters: the same names, in the same order, as src/datapath/counters.ts. Each block
// has one writing thread; JavaScript sums the blocks in place, so words are relaxed atomics and a
// block starts on a cache line of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "datapath/drop.h"

namespace heddle {

enum class Counter : uint8_t {
  innerIn,
  innerInBytes,
  innerOut,
  innerOutBytes,
  datagramIn,
  datagramInBytes,
  datagramOut,
  datagramOutBytes,
  staged,
  sealed,
  opened,
  keepaliveOut,
  keepaliveIn,
  handshakeUp,
  controlOut,
  controlIn,
  plaintextOutBytes,
  plaintextInBytes,
  neighbourAnswers,
  refusals,
  packetToJavascript,
  // From here on NATIVE_COUNTERS.
  tunReads,
  tunWrites,
  tunSuperIn,
  tunSuperOut,
  tunGsoFallback,
  udpSends,
  udpReceives,
  udpGsoSegments,
  udpGroSegments,
  udpGsoFallback,
  socketOverflow,
};

inline constexpr size_t kWalkCounterCount = static_cast<size_t>(Counter::tunReads);
inline constexpr size_t kCounterCount = static_cast<size_t>(Counter::socketOverflow) + 1;

inline constexpr std::array<std::string_view, kCounterCount> kCounterNames = {
    "inner_in",
    "inner_in_bytes",
    "inner_out",
    "inner_out_bytes",
    "datagram_in",
    "datagram_in_bytes",
    "datagram_out",
    "datagram_out_bytes",
    "staged",
    "sealed",
    "opened",
    "keepalive_out",
    "keepalive_in",
    "handshake_up",
    "control_out",
    "control_in",
    "plaintext_out_bytes",
    "plaintext_in_bytes",
    "neighbour_answers",
    "refusals",
    "packet_to_javascript",
    "tun_reads",
    "tun_writes",
    "tun_super_in",
    "tun_super_out",
    "tun_gso_fallback",
    "udp_sends",
    "udp_receives",
    "udp_gso_segments",
    "udp_gro_segments",
    "udp_gso_fallback",
    "socket_overflow",
};

// A 64-bit word with one writer, unless it says shared, and any number of readers.
class Word {
 public:
  void add(uint64_t amount) { set(get() + amount); }
  // Where several threads write.
  void addShared(uint64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};
static_assert(sizeof(Word) == 8);

// Laid out as JavaScript reads it: kCounterCount words, then kDropCount words.
struct alignas(64) CounterBlock {
  std::array<Word, kCounterCount> counters;
  std::array<Word, kDropCount> drops;

  void add(Counter name, uint64_t amount) { counters[static_cast<size_t>(name)].add(amount); }
  void drop(Drop reason) { drops[static_cast<size_t>(reason)].add(1); }
};

}  // namespace heddle
