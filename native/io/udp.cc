#include "io/udp.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "io/udp_message.h"

namespace heddle {

namespace {

constexpr int kHandshakeTrafficClass =
    0x88;  // AF41, as the kernel's WireGuard marks handshakes (messages.h)
constexpr size_t kStreak = 16;

const Fd& ofFamily(const UdpPair& pair, uint8_t family) {
  return family == 4 ? pair.v4.fd : pair.v6.fd;
}

int markPair(const UdpPair& pair, uint32_t mark) {
  for (const Fd* fd : {&pair.v4.fd, &pair.v6.fd}) {
    if (fd->valid() && setsockopt(fd->get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) {
      return -errno;
    }
  }
  return 0;
}

}  // namespace

Drop sendDrop(int negativeErrno) {
  switch (-negativeErrno) {
    case ENOBUFS:
    case EAGAIN:
    case ENOMEM:
      return Drop::sendNoBuffer;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EINVAL:
    case ENODEV:
      return Drop::sendUnreachable;
    case EPERM:
    case EACCES:
    case ECONNREFUSED:
      return Drop::sendRefused;
    case EMSGSIZE:
      return Drop::sendTooBig;
    default:
      return Drop::sendFailed;
  }
}

UdpSockets::Opened UdpSockets::open(uint16_t port, bool offload) {
  offload_ = offload;
  Opened opened;
  opened.error = openUdpPair(port, modeOf(PortKind::sealed), listen_, opened.remarks);
  opened.port = listen_.port;
  listReceivers();
  return opened;
}

int UdpSockets::send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                     const Via& via) {
  // Only the outbound thread sends sealed messages; handshakes are too short to be fragmented.
  if (via.kind == PortKind::sealed) {
    setWhole(to.family == 4 ? listen_.v4 : listen_.v6, to.family, to.vni != 0);
  }
  int fd = senderFor(to, via);
  return fd < 0 ? fd : sendDatagrams(fd, to, bytes, segment, {.hops = via.hops});
}

int UdpSockets::sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes) {
  int fd = senderFor(to, Via{});
  if (fd < 0) return fd;
  SendOptions options{.flags = MSG_DONTWAIT, .trafficClass = kHandshakeTrafficClass};
  return sendDatagrams(fd, to, bytes, bytes.size(), options);
}

bool UdpSockets::receive(std::span<uint8_t> buffer, Received& received, int& error) {
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

uint64_t UdpSockets::overflows() const {
  uint64_t sum = retiredOverflows_;
  for (const Receiver& receiver : receivers_) sum += receiver.socket->overflows;
  return sum;
}

int UdpSockets::setListenPort(uint16_t port, const std::function<void()>& drain) {
  if (port != 0 && port == listen_.port) return 0;
  UdpPair next;
  std::vector<std::string> remarks;  // as those of the first
  int error = openUdpPair(port, modeOf(PortKind::sealed), next, remarks);
  if (error != 0) return -error;
  drain();
  retire(listen_);
  listen_ = std::move(next);
  listReceivers();
  return 0;
}

int UdpSockets::setClearPorts(std::span<const ClearPort> ports) {
  std::vector<std::unique_ptr<UdpPair>> added;
  for (const ClearPort& each : ports) {
    bool isListed = std::any_of(added.begin(), added.end(), [&each](const auto& pair) {
      return pair->port == each.port && pair->kind == each.kind;
    });
    if (isListed || findClear(each.port) != nullptr) continue;
    std::vector<std::string> remarks;  // as the listen port's
    added.push_back(std::make_unique<UdpPair>());
    int error = openUdpPair(each.port, modeOf(each.kind), *added.back(), remarks);
    if (error != 0) return -error;
  }
  std::vector<std::unique_ptr<UdpPair>> kept;
  for (const ClearPort& each : ports) {
    std::unique_ptr<UdpPair>* known = findClear(each.port);
    if (known == nullptr) continue;
    if ((*known)->kind != each.kind) setPortKind(**known, each.kind);
    kept.push_back(std::move(*known));
    clear_.erase(clear_.begin() + (known - clear_.data()));
  }
  for (const auto& pair : clear_) retire(*pair);
  clear_ = std::move(kept);
  std::move(added.begin(), added.end(), std::back_inserter(clear_));
  listReceivers();
  return 0;
}

int UdpSockets::setMark(uint32_t mark) {
  int error = markPair(listen_, mark);
  for (const auto& pair : clear_) error = error != 0 ? error : markPair(*pair, mark);
  if (error == 0) error = sources_.setMark(mark);
  if (error == 0) mark_ = mark;
  return error;
}

int UdpSockets::senderFor(const Endpoint& to, const Via& via) {
  int fd = -1;
  switch (via.kind) {
    case PortKind::sealed:
      fd = ofFamily(listen_, to.family).get();
      break;
    case PortKind::vxlan:
      return sources_.socketFor(to.family, via.flow);
    case PortKind::udp:
      if (const auto* pair = findClear(to.port)) fd = ofFamily(**pair, to.family).get();
      break;
  }
  return fd < 0 ? -ENETUNREACH : fd;
}

std::unique_ptr<UdpPair>* UdpSockets::findClear(uint16_t port) {
  for (auto& pair : clear_) {
    if (pair->port == port) return &pair;
  }
  return nullptr;
}

void UdpSockets::retire(const UdpPair& pair) {
  retiredOverflows_ += uint64_t{pair.v4.overflows} + pair.v6.overflows;
}

void UdpSockets::listReceivers() {
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
  for (auto& pair : clear_) list(*pair);
}

}  // namespace heddle
