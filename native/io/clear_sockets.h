// The sockets of the clear encapsulations: the UDP ports of clear peers, and the source ports of
// clear VXLAN. All lanes send from them; what arrives there is the first lane's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "io/source_ports.h"
#include "io/udp_socket.h"

namespace heddle {

struct ClearPort {
  uint16_t port = 0;
  PortKind kind = PortKind::vxlan;
};

class ClearSockets {
 public:
  // The descriptor to send to the endpoint from, or a negative errno. Any thread.
  int senderFor(const Endpoint& to, const Via& via);

  // ---- JavaScript's thread, while no lane runs; 0 or a negative errno ----

  // Opens what is new, as `mode` says but for its kind, and closes what is missing; or nothing
  // changed.
  int setPorts(std::span<const ClearPort> ports, UdpMode mode);
  int setGro(bool isOn);
  // Of the source ports opened later, too.
  int setMark(uint32_t mark);
  // What may receive.
  const std::vector<std::unique_ptr<UdpPair>>& pairs() const { return pairs_; }
  // Datagrams that the kernel dropped at ports that are closed.
  uint64_t retiredOverflows() const { return retiredOverflows_; }

 private:
  std::unique_ptr<UdpPair>* find(uint16_t port);

  std::vector<std::unique_ptr<UdpPair>> pairs_;
  SourcePorts sources_;
  uint64_t retiredOverflows_ = 0;
};

}  // namespace heddle
