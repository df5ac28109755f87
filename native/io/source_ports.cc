#include "io/source_ports.h"

#include <sys/socket.h>

#include <cerrno>

#include "io/udp_socket.h"

namespace heddle {

int SourcePorts::socketFor(uint8_t family, uint16_t flow) {
  Fd& fd = sockets_[(family == 4 ? 0 : kCount) + flow % kCount];
  if (!fd.valid()) {
    int opened = openVxlanSource(family == 4 ? AF_INET : AF_INET6, mark_);
    if (opened < 0) return opened;
    fd = Fd(opened);
  }
  return fd.get();
}

int SourcePorts::setMark(uint32_t mark) {
  mark_ = mark;
  for (const Fd& fd : sockets_) {
    if (fd.valid() && setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) {
      return -errno;
    }
  }
  return 0;
}

}  // namespace heddle
