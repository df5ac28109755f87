// Bare IP packets in UDP, as Flannel's udp backend has them (pkg/backend/udp/proxy_amd64.c): the
// sender and the receiver each count as a hop. The twin of src/encap/udp.ts.
#pragma once

#include <cstdint>

#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace heddle {

// Takes a hop from a whole packet. False when it had none left to give: it ends here.
inline bool takeHop(uint8_t* packet) {
  bool isIpv4 = (packet[0] >> 4) == 4;
  uint8_t& hops = packet[isIpv4 ? 8 : 7];
  if (hops <= 1) return false;
  hops--;
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
