// ARP for IPv4 over Ethernet (RFC 826), network byte order:
//
//   0          2          4      5      6           8            14          18           24
//   +----------+----------+------+------+-----------+------------+-----------+------------+------+
//   | hardware | protocol | 6    | 4    | operation | sender MAC | sender IP | target MAC | IP   |
//   +----------+----------+------+------+-----------+------------+-----------+------------+------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/ethernet.h"

namespace heddle {

inline constexpr size_t kArpPacket = 28;
inline constexpr uint16_t kArpRequest = 1;
inline constexpr uint16_t kArpReply = 2;
inline constexpr size_t kArpSenderAddress = 14;
inline constexpr size_t kArpTargetAddress = 24;

// Of kArpPacket bytes or more.
inline bool isArpRequest(const uint8_t* arp) {
  return loadBe32(arp) == 0x00010800 && loadBe16(arp + 4) == 0x0604 &&
         loadBe16(arp + 6) == kArpRequest;
}

// The reply of `own` to a request, at `reply`: whoever asked learns our address.
inline void emitArpReply(uint8_t* reply, const uint8_t* request, const Mac& own) {
  std::memcpy(reply, request, 6);
  storeBe16(reply + 6, kArpReply);
  std::memcpy(reply + 8, own.data(), own.size());
  std::memcpy(reply + 14, request + kArpTargetAddress, 4);
  std::memcpy(reply + 18, request + 8, 10);
}

}  // namespace heddle
