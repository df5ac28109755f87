// Clear peers and what they send, for the tests of the walk.
#pragma once

#include <span>

#include "encap/encapsulation.h"
#include "encap/vxlan.h"
#include "test/walk.h"
#include "wire/arp.h"
#include "wire/neighbour.h"

namespace heddle::test {

inline constexpr uint16_t kVxlanPort = 4789;
inline constexpr uint16_t kUdpPort = 8285;
inline constexpr Mac kOwnMac{0x02, 0, 0, 0, 0, 0x01};

inline Mac macOf(uint8_t host) { return {0x02, 0, 0, 0, 0, host}; }

inline Endpoint endpoint6At(uint8_t host, uint16_t port) {
  Endpoint endpoint;
  endpoint.family = 6;
  endpoint.port = port;
  endpoint.address = {0x20, 0x01, 0x0d, 0xb8};
  endpoint.address[15] = host;
  return endpoint;
}

inline Encapsulation vxlanTo(uint8_t host, uint32_t vni = 1, Instant until = kForever) {
  return {.kind = EncapsulationKind::vxlan,
          .vni = vni,
          .endpoint = endpointAt(host, kVxlanPort),
          .mac = macOf(host),
          .until = until};
}

inline Encapsulation udpTo(uint8_t host, Instant until = kForever) {
  return {.kind = EncapsulationKind::udp, .endpoint = endpointAt(host, kUdpPort), .until = until};
}

inline constexpr Arrival kOnVxlan{.kind = PortKind::vxlan, .port = kVxlanPort};
inline constexpr Arrival kOnUdp{.kind = PortKind::udp, .port = kUdpPort};

inline Packet concat(const Packet& a, const Packet& b) {
  Packet all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

struct Frame {
  uint32_t vni = 1;
  Mac to = kOwnMac;
  Mac from = macOf(2);
  uint16_t type = kEtherTypeIpv4;
};

inline Packet inFrame(const Frame& frame, const Packet& payload) {
  Packet headers(kFrameOverhead);
  emitVxlan(headers.data(), frame.vni);
  emitEthernet(headers.data() + kVxlanHeader, frame.to, frame.from, frame.type);
  return concat(headers, payload);
}

// 10.0.0.sender asks who has 10.0.0.target.
inline Packet arpRequest(uint8_t sender, uint8_t target) {
  Packet arp(kArpPacket);
  storeBe32(arp.data(), 0x00010800);
  storeBe32(arp.data() + 4, 0x06040001);
  std::memcpy(arp.data() + 8, macOf(sender).data(), 6);
  storeHost(Family::ipv4, arp.data() + kArpSenderAddress, sender);
  storeHost(Family::ipv4, arp.data() + kArpTargetAddress, target);
  return arp;
}

inline void fixIcmpv6(Packet& packet) {
  storeLe16(packet.data() + 42, 0);
  storeChecksum(packet.data() + 42, sumIcmpv6(packet.data(), packet.size()));
}

// fd00::sender asks who has fd00::target, with its own link-layer address as an option.
inline Packet solicitation(uint8_t sender, uint8_t target) {
  Packet packet(72);
  packet[0] = 0x60;
  setIpv6PayloadLength(packet.data(), 32);
  packet[6] = kNextHeaderIcmpv6;
  packet[7] = kNeighbourHopLimit;
  storeHost(Family::ipv6, packet.data() + 8, sender);
  const uint8_t group[] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, target};
  std::memcpy(packet.data() + 24, group, sizeof group);
  packet[40] = kNeighbourSolicitation;
  storeHost(Family::ipv6, packet.data() + kNeighbourTarget, target);
  packet[64] = 1;
  packet[65] = 1;
  std::memcpy(packet.data() + 66, macOf(sender).data(), 6);
  fixIcmpv6(packet);
  return packet;
}

// An end that is host 1 and has clear peers: `vxlan` for host 2 in slot 0, `udp` for host 3 in
// slot 1.
struct ClearEnd : End {
  explicit ClearEnd(CoalesceOptions options = {.tcp = false, .udp = false}) : End(options) {
    tables.setVtepMac(kOwnMac);
    uint8_t own4[4];
    uint8_t own6[16];
    storeHost(Family::ipv4, own4, 1);
    storeHost(Family::ipv6, own6, 1);
    tables.setOwnAddresses(
        {{Family::ipv4, loadAddress4(own4)}, {Family::ipv6, loadAddress6(own6)}});
    addPeer(0, 2);
    addPeer(1, 3);
    EXPECT(tables.setEncapsulation(0, vxlanTo(2)));
    EXPECT(tables.setEncapsulation(1, udpTo(3)));
  }
};

}  // namespace heddle::test
