// Writes the frames of a lane's inbound thread. A super-packet that the kernel refuses is written
// again packet by packet; where that happens again and again, none of its kind is put together for
// a while.
#pragma once

#include <array>

#include "datapath/coalesce.h"
#include "datapath/counters.h"
#include "io/gso_fallback.h"
#include "io/ports.h"

namespace heddle {

enum class SuperKind : uint8_t { tcp, udp };

class TunWriter {
 public:
  // `wanted`: what the TUN takes.
  TunWriter(CounterBlock& counters, CoalesceOptions wanted)
      : counters_(counters), wanted_(wanted) {}

  // The time of what is written from here on, and what may be put together now.
  CoalesceOptions at(Instant now);
  // `packets` is how many inner packets the frame amounts to.
  void write(TunPort& tun, std::span<uint8_t> frame, size_t packets);

  // Only while the lane stands still.
  void use(CoalesceOptions wanted) { wanted_ = wanted; }
  // Since when none of the kind is put together, 0 where they are. Any thread.
  Instant offSince(SuperKind kind, Instant now) const;

 private:
  struct Kind {
    Word until;  // none before this instant
    int refusals = 0;
  };

  void noteOutcome(std::span<const uint8_t> frame, bool isRefused);
  void writeSingly(TunPort& tun, std::span<uint8_t> frame, size_t packets);
  void complete(TunPort& tun, std::span<uint8_t> frame);
  void drop(size_t packets);

  CounterBlock& counters_;
  CoalesceOptions wanted_;
  Instant now_ = 0;
  std::array<Kind, 2> kinds_;
};

}  // namespace heddle
