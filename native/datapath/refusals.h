// Tells the senders of inner packets that go nowhere, as the kernel's WireGuard does, so that they
// need not wait for a time limit. At most kRefusalBurst at once and one every kRefusalInterval from
// then on, whoever asks: who floods is told less often.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "datapath/unreachable.h"
#include "wire/virtio_net.h"

namespace heddle {

inline constexpr uint64_t kRefusalBurst = 50;
inline constexpr Duration kRefusalInterval = 10'000;

class Refusals {
 public:
  // The frame to write to the TUN about a whole packet, until the next call; empty: nothing.
  std::span<const uint8_t> about(std::span<const uint8_t> packet, Instant now) {
    if (!mayBeRefused(packet.data(), packet.size())) return {};
    Instant restedAt = std::max(restedAt_, now) + kRefusalInterval;
    if (restedAt - now > kRefusalBurst * kRefusalInterval) return {};
    restedAt_ = restedAt;
    uint8_t* answer = frame_.data() + kVirtioNetHeader;
    size_t length = emitUnreachable(answer, packet.data(), packet.size());
    return {frame_.data(), kVirtioNetHeader + length};
  }

 private:
  Instant restedAt_ = 0;  // when a whole burst may go out again
  // A virtio-net header of zeros: nothing is left to do for the kernel.
  std::array<uint8_t, kVirtioNetHeader + kMostUnreachable6> frame_{};
};

}  // namespace heddle
