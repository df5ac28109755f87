#include "io/source_ports.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/udp_socket.h"

namespace heddle {

SourcePorts::SourcePorts() {
  for (std::atomic<int>& socket : sockets_) socket.store(-1, std::memory_order_relaxed);
}

SourcePorts::~SourcePorts() {
  for (const std::atomic<int>& socket : sockets_) {
    if (socket >= 0) close(socket);
  }
}

int SourcePorts::socketFor(uint8_t family, uint16_t flow) {
  std::atomic<int>& socket = sockets_[(family == 4 ? 0 : kCount) + flow % kCount];
  int fd = socket.load(std::memory_order_acquire);
  return fd >= 0 ? fd : open(socket, family);
}

int SourcePorts::setMark(uint32_t mark) {
  std::lock_guard lock(mutex_);
  mark_ = mark;
  for (const std::atomic<int>& socket : sockets_) {
    if (socket >= 0 && setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) {
      return -errno;
    }
  }
  return 0;
}

int SourcePorts::open(std::atomic<int>& socket, uint8_t family) {
  std::lock_guard lock(mutex_);
  if (socket >= 0) return socket;
  int opened = openVxlanSource(family == 4 ? AF_INET : AF_INET6, mark_);
  if (opened >= 0) socket.store(opened, std::memory_order_release);
  return opened;
}

}  // namespace heddle
