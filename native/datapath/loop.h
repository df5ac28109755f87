// Datagrams of tunnels, come into a TUN: where the way to a peer's endpoint leads into the tunnel,
// each packet would be sealed again and again. A data message to the peer's endpoint with the very
// index of the peer's session can only be ours.
//
// Where two tunnels lead into each other, neither can tell the other's datagrams from those of a
// tunnel that is rightly inside it. So each datagram of a tunnel that is carried in one once more
// costs hops: it leaves with fewer than it came in with, eight tunnels deep with none, and no loop
// is without end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "path/endpoint_table.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp.h"
#include "wire/vxlan.h"
#include "wire/wireguard.h"

namespace heddle {

inline constexpr uint8_t kNextHeaderUdp = 17;
inline constexpr uint8_t kNextHeaderFragment = 44;
inline constexpr size_t kIpv6FragmentHeader = 8;
inline constexpr uint32_t kVxlanFlags =
    0x08000000;                                 // a VNI is there, and nothing else (RFC 7348 §5)
inline constexpr uint8_t kMostNestedHops = 64;  // what hosts send with
inline constexpr uint8_t kHopsOfNesting = 8;

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

// What a packet carries as its UDP payload, where it is a tunnel's: a data message, a VXLAN frame,
// or a bare IP packet with UDP in it, as is all that goes round.
struct Nested {
  bool isThere = false;
  const uint8_t* message = nullptr;  // null: no data message
  uint16_t port = 0;                 // where it goes
  uint32_t vni = 0;                  // 0: not behind VXLAN
};

// Whether the UDP payload, of which `length` of `claimed` bytes are here, begins with an IP packet
// with UDP in it; of a super-packet, with the first.
inline bool isUdpPacket(const uint8_t* payload, size_t length, size_t claimed) {
  switch (payload[0] >> 4) {
    case 4:
      return length >= kIpv4Header && ipv4HeaderLength(payload) >= kIpv4Header &&
             ipv4TotalLength(payload) <= claimed && ipv4Protocol(payload) == kNextHeaderUdp;
    case 6: {
      if (length < kIpv6Header || kIpv6Header + ipv6PayloadLength(payload) > claimed) return false;
      uint8_t next = ipv6NextHeader(payload);
      return next == kNextHeaderUdp || next == kNextHeaderFragment;
    }
    default:
      return false;
  }
}

// Whether a data message begins here, WireGuard's or heddle's.
inline bool isData(const uint8_t* payload) {
  uint32_t type = messageType(payload);
  return type == kTypeData || isHeddleType(type);
}

// Of a whole packet.
inline Nested nestedIn(const uint8_t* packet, size_t length) {
  size_t udp = outerUdpAt(packet, length);
  if (udp == 0 || length < udp + kUdpHeader + kDataHeader) return {};
  const uint8_t* payload = packet + udp + kUdpHeader;
  size_t left = length - udp - kUdpHeader;
  Nested nested{.isThere = true, .port = loadBe16(packet + udp + 2)};
  if (loadBe32(payload) == kVxlanFlags) {
    nested.vni = loadBe32(payload + 4) >> 8;
    payload += kVxlanHeader;
    bool isMessage = left >= kVxlanHeader + kDataHeader && isData(payload);
    nested.message = isMessage ? payload : nullptr;
  } else if (isData(payload)) {
    nested.message = payload;
  } else {
    nested.isThere = isUdpPacket(payload, left, loadBe16(packet + udp + 4));
  }
  return nested;
}

// Whether the inner packet, which is whole and carries `nested`, is a data message of ours to `to`
// for the session that the peer knows by `remoteIndex`, by any of its indices that differ in
// `indexBits` alone.
inline bool isOwnDatagram(const uint8_t* packet, const Nested& nested, const Endpoint& to,
                          uint32_t remoteIndex, uint32_t indexBits) {
  bool isIpv4 = (packet[0] >> 4) == 4;
  size_t addressLength = isIpv4 ? 4 : 16;
  const uint8_t* destination = packet + (isIpv4 ? 16 : 24);
  if (nested.message == nullptr || to.family != (isIpv4 ? 4 : 6)) return false;
  return std::memcmp(destination, to.address.data(), addressLength) == 0 &&
         nested.port == to.port && nested.vni == to.vni &&
         ((dataReceiver(nested.message) ^ remoteIndex) & ~indexBits) == 0;
}

// With how many hops left a datagram leaves around a tunnel's in a packet of so many; 0: it must
// not.
inline uint8_t hopsAround(const uint8_t* packet) {
  uint8_t inner = (packet[0] >> 4) == 4 ? ipv4Ttl(packet) : ipv6HopLimit(packet);
  uint8_t most = std::min(inner, kMostNestedHops);
  return most > kHopsOfNesting ? static_cast<uint8_t>(most - kHopsOfNesting) : uint8_t{0};
}

}  // namespace heddle
