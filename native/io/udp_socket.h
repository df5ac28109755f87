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

  UdpSocket& ofFamily(uint8_t family) { return family == 4 ? v4 : v6; }
  uint64_t overflows() const { return uint64_t{v4.overflows} + v6.overflows; }
};

struct UdpMode {
  PortKind kind = PortKind::sealed;
  bool gro = true;    // UDP_GRO
  uint32_t mark = 0;  // SO_MARK; 0 is none
  uint32_t lane = 0;  // others than the first share its port, and send with so many hops fewer
};

// Binds both families to `port`, or to one free port when it is 0; a host without IPv6 gets the
// IPv4 socket alone. 0 or a positive errno. `remarks` gets what an operator should know: clamped
// buffers, offloads that are missing.
int openUdpPair(uint16_t port, const UdpMode& mode, UdpPair& opened,
                std::vector<std::string>& remarks);

// Likewise a pair for each lane, all on one port: datagrams come in at their lane's, and no other
// program may have the port.
int openUdpPairs(uint16_t port, const UdpMode& mode, uint32_t lanes, std::vector<UdpPair>& opened,
                 std::vector<std::string>& remarks);

// 0 or a negative errno.
int setMark(const UdpPair& pair, uint32_t mark);
int setGro(const UdpPair& pair, bool isOn);

// Bytes of payload that the kernel holds before a socket drops or waits. The smaller of the pair's.
struct SocketBuffers {
  int asked = 0;
  int receive = 0;
  int send = 0;
};
SocketBuffers buffersOf(const UdpPair& pair);

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
