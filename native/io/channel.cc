#include "io/channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "datapath/segment.h"
#include "wire/virtio_net.h"

namespace heddle {

void ChannelFaults::set(const ChannelFault& fault) {
  std::lock_guard lock(mutex_);
  fault_ = fault;
}

int ChannelFaults::next(bool isOfSeveral, const Endpoint& to) {
  std::lock_guard lock(mutex_);
  if (fault_.count == 0 || (fault_.isOfSeveral && !isOfSeveral)) return 0;
  if (fault_.to && (fault_.to->family != to.family || fault_.to->address != to.address)) return 0;
  fault_.count--;
  return -fault_.error;
}

ssize_t ChannelTun::read(std::span<uint8_t> buffer) {
  std::vector<uint8_t> packet;
  if (!toWalk.take(packet)) return -EAGAIN;
  size_t header = framed_ ? 0 : kVirtioNetHeader;
  std::memset(buffer.data(), 0, header);
  size_t length = std::min(packet.size(), buffer.size() - header);
  std::memcpy(buffer.data() + header, packet.data(), length);
  return static_cast<ssize_t>(header + length);
}

int ChannelTun::write(std::span<const uint8_t> packet) {
  VirtioNetHeader header = parseVirtioNet(packet.data());
  bool isSuper = framed_ && header.gsoType != kVirtioGsoNone;
  int error = faults_.next(isSuper, Endpoint{});
  if (error != 0) return error;
  auto kept = packet.subspan(framed_ ? 0 : kVirtioNetHeader);
  std::vector<uint8_t> bytes(kept.begin(), kept.end());
  if (!framed_ && (header.flags & kVirtioNeedsChecksum) != 0) {
    CHECK(completeChecksum(header, bytes));
  }
  fromWalk.put(std::move(bytes));
  return 0;
}

int ChannelUdp::send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                     const Via& via) {
  int error = faults_.next(bytes.size() > segment, to);
  if (error != 0) return error;
  for (size_t at = 0; at < bytes.size(); at += segment) {
    auto datagram = bytes.subspan(at, std::min(segment, bytes.size() - at));
    fromWalk.put({to, {datagram.begin(), datagram.end()}, datagram.size(), via});
  }
  return 0;
}

bool ChannelUdp::receive(std::span<uint8_t> buffer, Received& received, int& error) {
  error = 0;
  ChannelDatagram datagram;
  if (!toWalk.take(datagram)) return false;
  size_t length = std::min(datagram.bytes.size(), buffer.size());
  std::memcpy(buffer.data(), datagram.bytes.data(), length);
  received.source = datagram.endpoint;
  received.bytes = buffer.first(length);
  received.segment = datagram.segment;
  received.arrival = datagram.arrival;
  return true;
}

}  // namespace heddle
