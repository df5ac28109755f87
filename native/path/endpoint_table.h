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

// An endpoint as the walk reads it: immutable, replaced as a whole. No two records of one process
// share a version.
struct EndpointRecord {
  Endpoint endpoint;
  uint64_t version = 0;  // 1 or more
};

}  // namespace heddle
