// Where a peer is: its outer address and UDP port, and the local address it spoke to, so that
// answers leave from there.
#pragma once

#include <array>
#include <cstdint>

namespace heddle {

struct Endpoint {
  uint8_t family = 0;           // 4 or 6; 0 is none
  bool hasLocal = false;        // whether `local` says where its datagrams reached us
  uint16_t port = 0;            // host byte order
  uint32_t interfaceIndex = 0;  // with `local`; 0 is any
  std::array<uint8_t, 16>
      address{};  // network byte order; IPv4 in the first 4 bytes, the others zero
  std::array<uint8_t, 16> local{};  // likewise
  // Each message to and from it stands behind a VXLAN header with this VNI (vxlan-sealed); 0: none.
  uint32_t vni = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Whether a datagram from `source` tells something new about a peer at `known`: another address or
// port, or, where the source says how it reached us, another local address or interface.
inline bool hasMoved(const Endpoint& known, const Endpoint& source) {
  if (known.family != source.family || known.port != source.port) return true;
  if (known.address != source.address) return true;
  if (!source.hasLocal) return false;
  return !known.hasLocal || known.local != source.local ||
         known.interfaceIndex != source.interfaceIndex;
}

// Which of our UDP ports a datagram leaves from or came in on: the listen port, where sealed
// messages are, or a port of clear peers.
enum class PortKind : uint8_t { sealed, vxlan, udp };

// How a batch leaves: sealed ones from the listen port; `udp` ones from the clear port of their
// endpoint's port; `vxlan` ones from one of a few source ports, chosen by the flow's hash
// (RFC 7348 §5).
struct Via {
  PortKind kind = PortKind::sealed;
  uint8_t hops = 0;   // TTL or hop limit; 0 is the socket's own
  uint16_t flow = 0;  // any value; vxlan only

  friend bool operator==(const Via&, const Via&) = default;
};

// Where a datagram arrived.
struct Arrival {
  PortKind kind = PortKind::sealed;
  uint16_t port = 0;  // ours; clear kinds only
};

// An endpoint as the walk reads it: immutable, replaced as a whole. No two records of one process
// share a version.
struct EndpointRecord {
  Endpoint endpoint;
  uint64_t version = 0;  // 1 or more
};

}  // namespace heddle
