// The UDP source ports of clear VXLAN: a few sockets that only send, so that routers and receive
// queues on the way spread flows over their paths (RFC 7348 §5). Opened when first needed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace heddle {

class SourcePorts {
 public:
  static constexpr size_t kCount = 16;  // a family

  SourcePorts();
  SourcePorts(const SourcePorts&) = delete;
  SourcePorts& operator=(const SourcePorts&) = delete;
  ~SourcePorts();

  // The socket of the flow for an endpoint of family 4 or 6, or a negative errno. Any thread: the
  // outbound thread sends frames, the inbound thread answers neighbour questions.
  int socketFor(uint8_t family, uint16_t flow);
  // SO_MARK on all, those opened later too. 0 or a negative errno.
  int setMark(uint32_t mark);

 private:
  int open(std::atomic<int>& socket, uint8_t family);

  std::array<std::atomic<int>, 2 * kCount> sockets_;  // IPv4, then IPv6; -1 is not open yet
  std::mutex mutex_;                                  // of opening and of mark_
  uint32_t mark_ = 0;
};

}  // namespace heddle
