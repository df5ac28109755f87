// Our own datagrams, come back through the TUN: where the way to a peer's endpoint leads into the
// tunnel, each packet would be sealed again and again. A data message to the peer's endpoint with
// the very index of the peer's session can only be ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "path/endpoint_table.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp.h"
#include "wire/wireguard.h"

namespace heddle {

inline constexpr uint8_t kNextHeaderUdp = 17;
inline constexpr uint8_t kNextHeaderFragment = 44;
inline constexpr size_t kIpv6FragmentHeader = 8;

// Where the UDP header of a whole packet or of a first fragment stands; 0: nowhere. Ours have no
// options and no extension headers but the kernel's fragment header.
inline size_t outerUdpAt(const uint8_t* packet, size_t length) {
  constexpr uint16_t offsetMask = 0x1fff;
  if ((packet[0] >> 4) == 4) {
    bool isUdp = packet[0] == 0x45 && ipv4Protocol(packet) == kNextHeaderUdp;
    return isUdp && (ipv4Fragment(packet) & offsetMask) == 0 ? kIpv4Header : 0;
  }
  if (ipv6NextHeader(packet) == kNextHeaderUdp) return kIpv6Header;
  size_t fragment = kIpv6Header;
  if (ipv6NextHeader(packet) != kNextHeaderFragment || length < fragment + kIpv6FragmentHeader) {
    return 0;
  }
  bool isFirst = (loadBe16(packet + fragment + 2) >> 3) == 0;
  return isFirst && packet[fragment] == kNextHeaderUdp ? fragment + kIpv6FragmentHeader : 0;
}

// Whether the inner packet, which is whole, is a data message of ours to `to` for the session that
// the peer knows by `remoteIndex`.
inline bool isOwnDatagram(const uint8_t* packet, size_t length, const Endpoint& to,
                          uint32_t remoteIndex) {
  bool isIpv4 = (packet[0] >> 4) == 4;
  size_t addressLength = isIpv4 ? 4 : 16;
  const uint8_t* destination = packet + (isIpv4 ? 16 : 24);
  if (to.family != (isIpv4 ? 4 : 6)) return false;
  if (std::memcmp(destination, to.address.data(), addressLength) != 0) return false;
  size_t udp = outerUdpAt(packet, length);
  if (udp == 0 || length < udp + kUdpHeader + kDataHeader) return false;
  const uint8_t* message = packet + udp + kUdpHeader;
  return loadBe16(packet + udp + 2) == to.port && messageType(message) == kTypeData &&
         dataReceiver(message) == remoteIndex;
}

}  // namespace heddle
