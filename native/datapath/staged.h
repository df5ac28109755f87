// Packets waiting for a session, a queue a peer: at most kStagedPerPeer, the oldest makes room for
// a newer one. Owned by the sending thread; a peer with nothing staged costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

namespace heddle {

inline constexpr size_t kStagedPerPeer = 128;

// A copy of an inner packet with the room around it that sealing needs.
class StagedPacket {
 public:
  StagedPacket(const uint8_t* inner, size_t length);
  uint8_t* inner() { return bytes_.get() + kBefore; }
  size_t length() const { return length_; }

 private:
  static constexpr size_t kBefore = 64;
  static constexpr size_t kBehind = 64;
  std::unique_ptr<uint8_t[]> bytes_;
  size_t length_;
};

// One peer's queue. `serial` tells the peer from another one that had the slot before.
struct StagedQueue {
  uint64_t serial = 0;
  std::deque<StagedPacket> packets;
};

class Staged {
 public:
  // Copies the packet to the end of the queue. Returns how many packets made room for it: 0 or 1.
  // What an earlier peer of the slot left must have been expired.
  size_t push(uint32_t slot, uint64_t serial, const uint8_t* inner, size_t length);
  // Takes the queue of this peer out; empty when nothing is staged. What an earlier peer of the
  // slot left stays for expire().
  std::deque<StagedPacket> take(uint32_t slot, uint64_t serial);
  // Drops what is staged for the slot by peers other than `keepSerial`. Returns how many packets.
  size_t expire(uint32_t slot, uint64_t keepSerial);

 private:
  std::unordered_map<uint32_t, StagedQueue> queues_;
};

}  // namespace heddle
