// The Ethernet header (IEEE 802.3), network byte order:
//
//   0             6        12          14
//   +-------------+--------+-----------+
//   | destination | source | EtherType |
//   +-------------+--------+-----------+
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"

namespace heddle {

inline constexpr size_t kEthernetHeader = 14;
inline constexpr size_t kMacLengthEthernet = 6;
inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

using Mac = std::array<uint8_t, kMacLengthEthernet>;

inline Mac loadMac(const uint8_t* at) {
  Mac mac;
  std::memcpy(mac.data(), at, mac.size());
  return mac;
}
inline Mac ethernetDestination(const uint8_t* frame) { return loadMac(frame); }
inline Mac ethernetSource(const uint8_t* frame) { return loadMac(frame + 6); }
inline uint16_t etherType(const uint8_t* frame) { return loadBe16(frame + 12); }

// Broadcast is one of them.
inline bool isMulticast(const Mac& mac) { return (mac[0] & 1) != 0; }
inline bool isBroadcast(const Mac& mac) { return mac == Mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}; }
// Where solicited-node multicast goes: 33:33:ff and three bytes (RFC 2464 §7).
inline bool isSolicitedNode(const Mac& mac) {
  return mac[0] == 0x33 && mac[1] == 0x33 && mac[2] == 0xff;
}

inline void emitEthernet(uint8_t* at, const Mac& destination, const Mac& source, uint16_t type) {
  std::memcpy(at, destination.data(), destination.size());
  std::memcpy(at + 6, source.data(), source.size());
  storeBe16(at + 12, type);
}

}  // namespace heddle
