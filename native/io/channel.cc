#include "io/channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "wire/virtio_net.h"

namespace heddle {

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
  auto kept = packet.subspan(framed_ ? 0 : kVirtioNetHeader);
  fromWalk.put({kept.begin(), kept.end()});
  return 0;
}

int ChannelUdp::send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                     const Via& via) {
  {
    std::lock_guard lock(faultMutex_);
    if (faults_ > 0) {
      faults_--;
      return -faultErrno_;
    }
  }
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

void ChannelUdp::failSends(int error, int count) {
  std::lock_guard lock(faultMutex_);
  faultErrno_ = error;
  faults_ = count;
}

}  // namespace heddle
