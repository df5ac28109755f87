// "Host unreachable" (ICMP type 3, code 1, RFC 792) and "address unreachable" (ICMPv6 type 1, code
// 3, RFC 4443 §3.1): an IP header, then, network byte order:
//
//   0      1      2          4            8
//   +------+------+----------+------------+------------------------------------------
//   | type | code | checksum | unused (0) | the start of the packet that it is about
//   +------+------+----------+------------+------------------------------------------
//
// It comes from the address that cannot be reached, as a host sees it that has no other address to
// speak from: what comes out of an interface with the host's own address as its source, the kernel
// takes for forged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace heddle {

inline constexpr size_t kIcmpHeader = 8;
inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolIcmpv6 = 58;
inline constexpr uint8_t kErrorHops = 64;
// Internetwork control, as RFC 1812 §4.3.2.5 wants of errors.
inline constexpr uint8_t kErrorTypeOfService = 0xc0;
// What every host takes: RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c).
inline constexpr size_t kMostUnreachable4 = 576;
inline constexpr size_t kMostUnreachable6 = 1280;

inline bool mayRefuseIpv4(const uint8_t* packet, size_t length) {
  constexpr uint16_t offsetMask = 0x1fff;
  constexpr uint8_t firstMulticast = 224;
  if ((ipv4Fragment(packet) & offsetMask) != 0) return false;
  uint8_t source = packet[12];
  if (source == 0 || source == 127 || source >= firstMulticast) return false;
  if (packet[16] >= firstMulticast) return false;
  if (ipv4Protocol(packet) != kProtocolIcmp) return true;
  size_t at = ipv4HeaderLength(packet);
  if (at >= length) return false;
  switch (packet[at]) {
    case 3:   // unreachable
    case 4:   // source quench
    case 5:   // redirect
    case 11:  // time exceeded
    case 12:  // parameter problem
      return false;
    default:
      return true;
  }
}

inline bool mayRefuseIpv6(const uint8_t* packet, size_t length) {
  constexpr uint8_t multicast = 0xff;
  constexpr uint8_t firstQuery = 128;
  const uint8_t* source = packet + 8;
  // Unspecified or the loopback.
  if (std::all_of(source, source + 15, [](uint8_t byte) { return byte == 0; })) return false;
  if (source[0] == multicast || packet[24] == multicast) return false;
  switch (ipv6NextHeader(packet)) {
    case kProtocolIcmpv6:
      return length > kIpv6Header && packet[kIpv6Header] >= firstQuery;
    // Behind these an error may hide, or a fragment.
    case 0:    // hop-by-hop
    case 43:   // routing
    case 44:   // fragment
    case 51:   // authentication
    case 60:   // destination
    case 135:  // mobility
    case 139:  // host identity
    case 140:  // shim6
      return false;
    default:
      return true;
  }
}

// Whether an error may be sent about the whole packet: never about an error, a later fragment, or
// what goes to or comes from many (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)).
inline bool mayBeRefused(const uint8_t* packet, size_t length) {
  return (packet[0] >> 4) == 4 ? mayRefuseIpv4(packet, length) : mayRefuseIpv6(packet, length);
}

inline size_t emitUnreachable4(uint8_t* answer, const uint8_t* packet, size_t length) {
  constexpr size_t before = kIpv4Header + kIcmpHeader;
  size_t about = std::min(length, kMostUnreachable4 - before);
  std::memset(answer, 0, before);
  answer[0] = 0x45;
  answer[1] = kErrorTypeOfService;
  setIpv4TotalLength(answer, static_cast<uint16_t>(before + about));
  storeBe16(answer + 6, kIpv4DontFragment);
  answer[8] = kErrorHops;
  answer[9] = kProtocolIcmp;
  std::memcpy(answer + 12, packet + 16, 4);
  std::memcpy(answer + 16, packet + 12, 4);
  setIpv4Checksum(answer);
  storeBe16(answer + kIpv4Header, 0x0301);
  std::memcpy(answer + before, packet, about);
  Sum sum = sumBytes(answer + kIpv4Header, kIcmpHeader + about);
  storeChecksum(answer + kIpv4Header + 2, sum);
  return before + about;
}

inline size_t emitUnreachable6(uint8_t* answer, const uint8_t* packet, size_t length) {
  constexpr size_t before = kIpv6Header + kIcmpHeader;
  size_t about = std::min(length, kMostUnreachable6 - before);
  size_t payload = kIcmpHeader + about;
  std::memset(answer, 0, before);
  storeBe32(answer, 0x60000000u | (uint32_t{kErrorTypeOfService} << 20));
  setIpv6PayloadLength(answer, static_cast<uint16_t>(payload));
  answer[6] = kProtocolIcmpv6;
  answer[7] = kErrorHops;
  std::memcpy(answer + 8, packet + 24, 16);
  std::memcpy(answer + 24, packet + 8, 16);
  storeBe16(answer + kIpv6Header, 0x0103);
  std::memcpy(answer + before, packet, about);
  Sum sum = sumPseudoHeader(Family::ipv6, answer, kProtocolIcmpv6) +
            sumBe32(static_cast<uint32_t>(payload)) + sumBytes(answer + kIpv6Header, payload);
  storeChecksum(answer + kIpv6Header + 2, sum);
  return before + about;
}

// About a whole packet; writes at most kMostUnreachable6 bytes. How many.
inline size_t emitUnreachable(uint8_t* answer, const uint8_t* packet, size_t length) {
  bool isIpv4 = (packet[0] >> 4) == 4;
  return isIpv4 ? emitUnreachable4(answer, packet, length)
                : emitUnreachable6(answer, packet, length);
}

}  // namespace heddle
