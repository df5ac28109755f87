#include "datapath/staged.h"

#include <cstring>

#include "base/check.h"

namespace heddle {

StagedPacket::StagedPacket(const uint8_t* inner, size_t length)
    : bytes_(std::make_unique_for_overwrite<uint8_t[]>(kBefore + length + kBehind)),
      length_(length) {
  std::memcpy(bytes_.get() + kBefore, inner, length);
  // The room is saved and restored around sealing, so it must hold something.
  std::memset(bytes_.get(), 0, kBefore);
  std::memset(bytes_.get() + kBefore + length, 0, kBehind);
}

size_t Staged::push(uint32_t slot, uint64_t serial, const uint8_t* inner, size_t length) {
  StagedQueue& queue = queues_[slot];
  if (queue.packets.empty()) queue.serial = serial;
  CHECK(queue.serial == serial);
  size_t dropped = 0;
  if (queue.packets.size() >= kStagedPerPeer) {
    queue.packets.pop_front();
    dropped++;
  }
  queue.packets.emplace_back(inner, length);
  return dropped;
}

std::deque<StagedPacket> Staged::take(uint32_t slot, uint64_t serial) {
  auto found = queues_.find(slot);
  if (found == queues_.end() || found->second.serial != serial) return {};
  std::deque<StagedPacket> packets = std::move(found->second.packets);
  queues_.erase(found);
  return packets;
}

size_t Staged::expire(uint32_t slot, uint64_t keepSerial) {
  auto found = queues_.find(slot);
  if (found == queues_.end() || found->second.serial == keepSerial) return 0;
  size_t dropped = found->second.packets.size();
  queues_.erase(found);
  return dropped;
}

}  // namespace heddle
