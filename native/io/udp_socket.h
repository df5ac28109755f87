// One outer UDP port: an IPv4 and an IPv6 socket on the same number, made ready for what arrives
// and leaves there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "path/endpoint_table.h"

namespace heddle {

struct UdpSocket {
  Fd fd;
  uint32_t overflows = 0;  // SO_RXQ_OVFL, as the last datagram told
  bool isWhole = false;    // of a listen port: what it sends is not fragmented now; its sender's
};

struct UdpPair {
  UdpSocket v4;
  UdpSocket v6;  // not valid on a host without IPv6
  uint16_t port = 0;
  PortKind kind = PortKind::sealed;
};

struct UdpMode {
  PortKind kind = PortKind::sealed;
  bool offload = true;  // UDP_GRO
  uint32_t mark = 0;    // SO_MARK; 0 is none
};

// Binds both families to `port`, or to one free port when it is 0; a host without IPv6 gets the
// IPv4 socket alone. 0 or a positive errno. `remarks` gets what an operator should know: clamped
// buffers, offloads that are missing.
int openUdpPair(uint16_t port, const UdpMode& mode, UdpPair& opened,
                std::vector<std::string>& remarks);

// From here on the listen port's socket of the family sends VXLAN frames, which are never
// fragmented (RFC 7348 §4.3), or other messages. A system call where that is a change.
void setWhole(UdpSocket& socket, uint8_t family, bool isWhole);

// Makes an open port one of another kind.
void setPortKind(UdpPair& pair, PortKind kind);

// A socket of AF_INET or AF_INET6 that only sends `vxlan` frames, bound to a source port of its
// own: what arrives there is dropped by the kernel. A negative errno in place of a descriptor when
// it fails.
int openVxlanSource(int family, uint32_t mark);

}  // namespace heddle
