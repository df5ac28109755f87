// Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4) in IPv6, network byte order:
//
//   0             40     41     42         44              48       64
//   +-------------+------+------+----------+---------------+--------+---------+
//   | IPv6 header | type | code | checksum | flags or zero | target | options |
//   +-------------+------+------+----------+---------------+--------+---------+
//
// An option: type, length in units of 8 bytes, and, for link-layer addresses, 6 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/ipv6.h"

namespace heddle {

inline constexpr uint8_t kNextHeaderIcmpv6 = 58;
inline constexpr uint8_t kNeighbourSolicitation = 135;
inline constexpr uint8_t kNeighbourAdvertisement = 136;
inline constexpr uint8_t kNeighbourHopLimit = 255;
inline constexpr size_t kNeighbourTarget = 48;
// An IPv6 packet with a solicitation or advertisement without options.
inline constexpr size_t kNeighbourLeast = 64;
// An advertisement with the target's link-layer address.
inline constexpr size_t kAdvertisement = 72;
inline constexpr size_t kOptionUnit = 8;
inline constexpr uint8_t kOptionTargetLinkAddress = 2;
// Solicited, override.
inline constexpr uint32_t kAdvertisementFlags = 0x60000000;

inline Sum sumIcmpv6(const uint8_t* packet, size_t length) {
  size_t payload = length - kIpv6Header;
  return sumPseudoHeader(Family::ipv6, packet, kNextHeaderIcmpv6) +
         sumBe32(static_cast<uint32_t>(payload)) + sumBytes(packet + kIpv6Header, payload);
}

// An option without length would never end.
inline bool areNeighbourOptionsWhole(const uint8_t* packet, size_t length) {
  size_t at = kNeighbourLeast;
  while (at < length) {
    size_t option = at + 1 < length ? packet[at + 1] * kOptionUnit : 0;
    if (option == 0 || option > length - at) return false;
    at += option;
  }
  return true;
}

// Whether the whole IPv6 packet of `length` bytes is a valid question for somebody's link-layer
// address (RFC 4861 §7.1.1), asked on the link.
inline bool isSolicitation(const uint8_t* packet, size_t length) {
  constexpr uint8_t multicast = 0xff;
  return length >= kNeighbourLeast && ipv6NextHeader(packet) == kNextHeaderIcmpv6 &&
         ipv6HopLimit(packet) == kNeighbourHopLimit &&
         packet[kIpv6Header] == kNeighbourSolicitation && packet[kIpv6Header + 1] == 0 &&
         packet[kNeighbourTarget] != multicast && areNeighbourOptionsWhole(packet, length) &&
         isSumRight(sumIcmpv6(packet, length));
}

// The advertisement of `own` that answers a solicitation: kAdvertisement bytes.
inline void emitAdvertisement(uint8_t* answer, const uint8_t* solicitation, const Mac& own) {
  std::memset(answer, 0, kAdvertisement);
  answer[0] = 0x60;
  storeBe16(answer + 4, kAdvertisement - kIpv6Header);
  answer[6] = kNextHeaderIcmpv6;
  answer[7] = kNeighbourHopLimit;
  std::memcpy(answer + 8, solicitation + kNeighbourTarget, 16);
  std::memcpy(answer + 24, solicitation + 8, 16);
  answer[40] = kNeighbourAdvertisement;
  storeBe32(answer + 44, kAdvertisementFlags);
  std::memcpy(answer + kNeighbourTarget, solicitation + kNeighbourTarget, 16);
  answer[64] = kOptionTargetLinkAddress;
  answer[65] = 1;
  std::memcpy(answer + 66, own.data(), own.size());
  storeChecksum(answer + 42, sumIcmpv6(answer, kAdvertisement));
}

}  // namespace heddle
