#include "io/lane_sockets.h"

#include <sys/socket.h>

#include <cerrno>

#include "datapath/loop.h"
#include "io/udp_message.h"

namespace heddle {

namespace {

constexpr int kHandshakeTrafficClass =
    0x88;  // AF41, as the kernel's WireGuard marks handshakes (messages.h)
constexpr size_t kStreak = 16;

}  // namespace

int LaneSockets::send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                      const Via& via) {
  if (via.kind != PortKind::sealed) {
    int fd = clear_.senderFor(to, via);
    return fd < 0 ? fd : sendDatagrams(fd, to, bytes, segment, {.hops = via.hops});
  }
  // Only the outbound thread sends sealed messages; handshakes are too short to be fragmented.
  UdpSocket& socket = listen_.ofFamily(to.family);
  if (!socket.fd.valid()) return -ENETUNREACH;
  setWhole(socket, to.family, to.vni != 0);
  return sendDatagrams(socket.fd.get(), to, bytes, segment, {.hops = hopsOf(via)});
}

int LaneSockets::sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes) {
  int fd = listen_.ofFamily(to.family).fd.get();
  if (fd < 0) return -ENETUNREACH;
  SendOptions options{.flags = MSG_DONTWAIT, .trafficClass = kHandshakeTrafficClass};
  return sendDatagrams(fd, to, bytes, bytes.size(), options);
}

bool LaneSockets::receive(std::span<uint8_t> buffer, Received& received, int& error) {
  error = 0;
  for (size_t tries = 0; tries < receivers_.size(); tries++) {
    const Receiver& receiver = receivers_[turn_];
    int failed =
        receiveDatagrams(receiver.socket->fd.get(), buffer, received, receiver.socket->overflows);
    // Stay with a busy socket, but not so long that the others starve.
    streak_ = (streak_ + 1) % kStreak;
    if (failed != 0 || streak_ == 0) {
      streak_ = 0;
      turn_ = (turn_ + 1) % receivers_.size();
    }
    if (failed == 0) {
      received.arrival = receiver.arrival;
      return true;
    }
    if (failed != -EAGAIN && failed != -EINTR) error = failed;
  }
  return false;
}

uint64_t LaneSockets::overflows() const {
  uint64_t sum = retiredOverflows_ + (lane_ == 0 ? clear_.retiredOverflows() : 0);
  for (const Receiver& receiver : receivers_) sum += receiver.socket->overflows;
  return sum;
}

void LaneSockets::use(UdpPair listen) {
  retiredOverflows_ += listen_.overflows();
  listen_ = std::move(listen);
  listReceivers();
}

void LaneSockets::listReceivers() {
  receivers_.clear();
  descriptors_.clear();
  turn_ = 0;
  auto list = [this](UdpPair& pair) {
    bool isSealed = pair.kind == PortKind::sealed;
    Arrival arrival{.kind = pair.kind, .port = isSealed ? uint16_t{0} : pair.port};
    for (UdpSocket* each : {&pair.v4, &pair.v6}) {
      if (!each->fd.valid()) continue;
      receivers_.push_back({each, arrival});
      descriptors_.push_back(each->fd.get());
    }
  };
  list(listen_);
  if (lane_ != 0) return;
  for (const auto& pair : clear_.pairs()) list(*pair);
}

// The step of nesting as a whole, however many hops were spent within it, less the lane's own.
uint8_t LaneSockets::hopsOf(const Via& via) const {
  if (isAlone_ || via.hops == 0) return via.hops;
  uint32_t step = (via.hops + kHopsOfNesting - 1u) / kHopsOfNesting * kHopsOfNesting;
  return static_cast<uint8_t>(step - lane_);
}

}  // namespace heddle
