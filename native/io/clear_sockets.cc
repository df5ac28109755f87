#include "io/clear_sockets.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>

namespace heddle {

int ClearSockets::senderFor(const Endpoint& to, const Via& via) {
  if (via.kind == PortKind::vxlan) return sources_.socketFor(to.family, via.flow);
  const auto* pair = find(to.port);
  int fd = pair == nullptr ? -1 : (*pair)->ofFamily(to.family).fd.get();
  return fd < 0 ? -ENETUNREACH : fd;
}

int ClearSockets::setPorts(std::span<const ClearPort> ports, UdpMode mode) {
  std::vector<std::unique_ptr<UdpPair>> added;
  for (const ClearPort& each : ports) {
    bool isListed = std::any_of(added.begin(), added.end(), [&each](const auto& pair) {
      return pair->port == each.port && pair->kind == each.kind;
    });
    if (isListed || find(each.port) != nullptr) continue;
    std::vector<std::string> remarks;  // as the listen port's
    added.push_back(std::make_unique<UdpPair>());
    mode.kind = each.kind;
    int error = openUdpPair(each.port, mode, *added.back(), remarks);
    if (error != 0) return -error;
  }
  std::vector<std::unique_ptr<UdpPair>> kept;
  for (const ClearPort& each : ports) {
    std::unique_ptr<UdpPair>* known = find(each.port);
    if (known == nullptr) continue;
    if ((*known)->kind != each.kind) setPortKind(**known, each.kind);
    kept.push_back(std::move(*known));
    pairs_.erase(pairs_.begin() + (known - pairs_.data()));
  }
  for (const auto& pair : pairs_) retiredOverflows_ += pair->overflows();
  pairs_ = std::move(kept);
  std::move(added.begin(), added.end(), std::back_inserter(pairs_));
  return 0;
}

int ClearSockets::setGro(bool isOn) {
  int error = 0;
  for (const auto& pair : pairs_) error = error != 0 ? error : heddle::setGro(*pair, isOn);
  return error;
}

int ClearSockets::setMark(uint32_t mark) {
  int error = 0;
  for (const auto& pair : pairs_) error = error != 0 ? error : heddle::setMark(*pair, mark);
  return error != 0 ? error : sources_.setMark(mark);
}

std::unique_ptr<UdpPair>* ClearSockets::find(uint16_t port) {
  for (auto& pair : pairs_) {
    if (pair->port == port) return &pair;
  }
  return nullptr;
}

}  // namespace heddle
