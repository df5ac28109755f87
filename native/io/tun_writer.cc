#include "io/tun_writer.h"

#include <cerrno>
#include <cstring>

#include "datapath/segment.h"
#include "wire/virtio_net.h"

namespace heddle {

namespace {

// Refusals in a row before a kind is given up: one packet may be odd, a kernel refuses all.
constexpr int kRefusals = 3;

VirtioNetHeader headerOf(std::span<const uint8_t> frame) { return parseVirtioNet(frame.data()); }

SuperKind kindOf(const VirtioNetHeader& header) {
  return header.gsoType == kVirtioGsoUdp ? SuperKind::udp : SuperKind::tcp;
}

}  // namespace

CoalesceOptions TunWriter::at(Instant now) {
  now_ = now;
  auto allows = [&](SuperKind kind) { return offSince(kind, now) == 0; };
  return {.tcp = wanted_.tcp && allows(SuperKind::tcp),
          .udp = wanted_.udp && allows(SuperKind::udp)};
}

Instant TunWriter::offSince(SuperKind kind, Instant now) const {
  Instant until = kinds_[static_cast<size_t>(kind)].until.get();
  return until > now ? until - kOffloadRetry : 0;
}

void TunWriter::write(TunPort& tun, std::span<uint8_t> frame, size_t packets) {
  counters_.add(Counter::tunWrites, 1);
  int error = tun.write(frame);
  if (packets > 1 && (error == 0 || error == -EINVAL)) noteOutcome(frame, error != 0);
  if (error == 0) return;
  bool isUnfinished = (headerOf(frame).flags & kVirtioNeedsChecksum) != 0;
  if (error == -EINVAL && packets > 1) {
    writeSingly(tun, frame, packets);
  } else if (error == -EINVAL && isUnfinished) {
    complete(tun, frame);
  } else {
    drop(packets);
  }
}

// The count stays where a kind was given up, so that one more refusal after the pause is enough.
void TunWriter::noteOutcome(std::span<const uint8_t> frame, bool isRefused) {
  Kind& kind = kinds_[static_cast<size_t>(kindOf(headerOf(frame)))];
  if (!isRefused) {
    kind.refusals = 0;
  } else if (++kind.refusals >= kRefusals) {
    kind.refusals = kRefusals - 1;
    kind.until.set(now_ + kOffloadRetry);
  }
}

// Some kernels refuse super-packets that others take (Linux 6.1.103, 6.6.44, 6.10.3).
void TunWriter::writeSingly(TunPort& tun, std::span<uint8_t> frame, size_t packets) {
  counters_.add(Counter::tunGsoFallback, 1);
  Segmenter segmenter;
  std::span<uint8_t> inner = frame.subspan(kVirtioNetHeader);
  if (!segmenter.begin(headerOf(frame), inner)) return drop(packets);
  for (auto packet = segmenter.next(); !packet.empty(); packet = segmenter.next()) {
    // The virtio-net header of the first, or the slice before, which is written already.
    std::span<uint8_t> single(packet.data() - kVirtioNetHeader, kVirtioNetHeader + packet.size());
    std::memset(single.data(), 0, kVirtioNetHeader);
    counters_.add(Counter::tunWrites, 1);
    if (tun.write(single) != 0) drop(1);
  }
}

// The kernel would not make the checksum of a packet: here it is made, and the packet written.
void TunWriter::complete(TunPort& tun, std::span<uint8_t> frame) {
  counters_.add(Counter::tunGsoFallback, 1);
  if (!completeChecksum(headerOf(frame), frame.subspan(kVirtioNetHeader))) return drop(1);
  std::memset(frame.data(), 0, kVirtioNetHeader);
  counters_.add(Counter::tunWrites, 1);
  if (tun.write(frame) != 0) drop(1);
}

void TunWriter::drop(size_t packets) {
  for (size_t i = 0; i < packets; i++) counters_.drop(Drop::tunWrite);
}

}  // namespace heddle
