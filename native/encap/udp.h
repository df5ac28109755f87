// Bare IP packets in UDP, as Flannel's udp backend has them (pkg/backend/udp/proxy_amd64.c): the
// sender and the receiver each count as a hop. The twin of src/encap/udp.ts.
#pragma once

#include <cstdint>

#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace heddle {

// Whether a whole packet has a hop to give and would have another left: else it ends here.
inline bool hasHopToGive(const uint8_t* packet) {
  return ((packet[0] >> 4) == 4 ? ipv4Ttl(packet) : ipv6HopLimit(packet)) > 1;
}

// Takes a hop from a whole packet, its checksum kept right as it was. False, and nothing is
// changed, when it has none to give.
inline bool takeHop(uint8_t* packet) {
  if (!hasHopToGive(packet)) return false;
  bool isIpv4 = (packet[0] >> 4) == 4;
  packet[isIpv4 ? 8 : 7]--;
  if (!isIpv4) return true;
  // RFC 1624, equation 3: HC' = ~(~HC + ~m + m'), for the word that holds TTL and protocol.
  uint16_t after = loadBe16(packet + 8);
  auto before = static_cast<uint16_t>(after + 0x0100);
  auto sum = uint32_t{static_cast<uint16_t>(~loadBe16(packet + 10))} +
             static_cast<uint16_t>(~before) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  storeBe16(packet + 10, static_cast<uint16_t>(~sum));
  return true;
}

}  // namespace heddle
