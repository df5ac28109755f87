// Which of the sockets that share a port a datagram is queued at: that of its lane, as a program
// that the kernel runs says (socket(7), SO_ATTACH_REUSEPORT_CBPF).
#pragma once

#include <cstdint>

namespace heddle {

// Of sockets bound to one port with SO_REUSEPORT, in the order they were bound in, gives each
// datagram to the one that the low bits of its receiver index name, modulo `lanes`; to the first
// where it has none. `socket` is one of them. 0 or a positive errno.
int steerSockets(int socket, uint32_t lanes);

}  // namespace heddle
