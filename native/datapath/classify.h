// Inner packet -> whether it is whole, its addresses, and the flow it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "datapath/drop.h"

namespace heddle {

// The packet's own length when it is a whole IPv4 or IPv6 packet with at most padding behind it; 0
// when it is not, or carries an IPv4-mapped address.
size_t innerLength(const uint8_t* packet, size_t length);

inline Family innerFamily(const uint8_t* packet) {
  return (packet[0] >> 4) == 4 ? Family::ipv4 : Family::ipv6;
}
// Of a packet whose innerLength is not 0.
inline Address innerSource(const uint8_t* packet) {
  return innerFamily(packet) == Family::ipv4 ? loadAddress4(packet + 12) : loadAddress6(packet + 8);
}
inline Address innerDestination(const uint8_t* packet) {
  return innerFamily(packet) == Family::ipv4 ? loadAddress4(packet + 16)
                                             : loadAddress6(packet + 24);
}

inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;

// A TCP or UDP packet's place among others: who talks to whom, and where its payload starts.
// `protocol` is 0 for whatever cannot be told apart by ports: other protocols, fragments, options
// and extension headers.
struct Flow {
  Address source;
  Address destination;
  Family family = Family::ipv4;
  uint8_t protocol = 0;
  uint16_t sourcePort = 0;
  uint16_t destinationPort = 0;
  uint16_t transportAt = 0;  // offset of the TCP or UDP header
  uint16_t payloadAt = 0;    // offset of the payload
};

// Of a packet of exactly innerLength bytes.
Flow classify(const uint8_t* packet, size_t length);

// The same for all packets of a flow, and for all segments of a super-packet.
uint16_t flowHash(std::span<const uint8_t> packet);

inline bool sameHosts(const Flow& a, const Flow& b) {
  return a.family == b.family && a.source == b.source && a.destination == b.destination;
}
inline bool sameFlow(const Flow& a, const Flow& b) {
  return a.protocol == b.protocol && a.sourcePort == b.sourcePort &&
         a.destinationPort == b.destinationPort && sameHosts(a, b);
}

}  // namespace heddle
