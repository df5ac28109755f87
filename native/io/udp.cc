#include "io/udp.h"

#include <cerrno>

#include "base/check.h"

namespace heddle {

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

UdpSockets::Opened UdpSockets::open(uint16_t port, bool gro, uint32_t lanes) {
  CHECK(lanes >= 1 && lanes_.empty());
  mode_.gro = gro;
  Opened opened;
  std::vector<UdpPair> pairs;
  opened.error = openUdpPairs(port, mode_, lanes, pairs, opened.remarks);
  if (opened.error != 0) return opened;
  opened.port = pairs[0].port;
  for (uint32_t lane = 0; lane < lanes; lane++) {
    lanes_.push_back(std::make_unique<LaneSockets>(clear_, lane, lanes == 1));
    lanes_.back()->use(std::move(pairs[lane]));
  }
  return opened;
}

SocketBuffers UdpSockets::buffers() const { return buffersOf(lanes_[0]->listen()); }

int UdpSockets::setListenPort(uint16_t wanted, const std::function<void()>& drain) {
  if (wanted != 0 && wanted == port()) return 0;
  std::vector<UdpPair> next;
  std::vector<std::string> remarks;  // as those of the first
  int error = openUdpPairs(wanted, mode_, static_cast<uint32_t>(lanes_.size()), next, remarks);
  if (error != 0) return -error;
  drain();
  for (size_t i = 0; i < next.size(); i++) lanes_[i]->use(std::move(next[i]));
  return 0;
}

int UdpSockets::setClearPorts(std::span<const ClearPort> ports) {
  int error = clear_.setPorts(ports, mode_);
  lanes_[0]->listReceivers();
  return error;
}

int UdpSockets::setGro(bool isOn) {
  int error = 0;
  for (const auto& lane : lanes_) error = error != 0 ? error : heddle::setGro(lane->listen(), isOn);
  if (error == 0) error = clear_.setGro(isOn);
  if (error == 0) mode_.gro = isOn;
  return error;
}

int UdpSockets::setMark(uint32_t mark) {
  int error = 0;
  for (const auto& lane : lanes_) {
    error = error != 0 ? error : heddle::setMark(lane->listen(), mark);
  }
  if (error == 0) error = clear_.setMark(mark);
  if (error == 0) mode_.mark = mark;
  return error;
}

}  // namespace heddle
