// Inner packets made from their fields, with right checksums, for the tests of the walk.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "datapath/classify.h"
#include "test/random.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle::test {

using Packet = std::vector<uint8_t>;

// Which packet to make; hosts are the last bytes of 10.0.0.x or fd00::x.
struct Fields {
  Family family = Family::ipv4;
  uint8_t protocol = kProtocolTcp;
  uint8_t source = 1;
  uint8_t destination = 2;
  uint16_t sourcePort = 1000;
  uint16_t destinationPort = 2000;
  uint16_t identifier = 7;
  uint16_t fragment = kIpv4DontFragment;
  uint8_t trafficClass = 0;
  uint8_t hopLimit = 64;
  uint32_t sequence = 1;
  uint32_t acknowledgement = 5;
  uint8_t flags = kTcpAck;
  uint16_t window = 512;
  Packet options{};  // of TCP; a multiple of 4 bytes
  Packet payload{};
};

inline void storeHost(Family family, uint8_t* at, uint8_t host) {
  if (family == Family::ipv4) {
    storeBe32(at, 0x0a000000u | host);
  } else {
    std::memset(at, 0, 16);
    at[0] = 0xfd;
    at[15] = host;
  }
}

// Sets the checksums of the IP and TCP or UDP headers right.
inline void fixChecksums(Packet& packet, size_t transportAt, uint8_t protocol) {
  Family family = innerFamily(packet.data());
  if (family == Family::ipv4) setIpv4Checksum(packet.data());
  size_t field = transportAt + (protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt);
  if (protocol != kProtocolTcp && protocol != kProtocolUdp) return;
  storeLe16(packet.data() + field, 0);
  auto length = static_cast<uint16_t>(packet.size() - transportAt);
  Sum sum = sumPseudoHeader(family, packet.data(), protocol) + sumBe16(length) +
            sumBytes(packet.data() + transportAt, length);
  if (protocol == kProtocolUdp) {
    storeNonzeroChecksum(packet.data() + field, sum);
  } else {
    storeChecksum(packet.data() + field, sum);
  }
}

inline Packet makePacket(const Fields& fields) {
  size_t ip = fields.family == Family::ipv4 ? kIpv4Header : kIpv6Header;
  size_t transport = 0;
  if (fields.protocol == kProtocolTcp) transport = kTcpHeader + fields.options.size();
  if (fields.protocol == kProtocolUdp) transport = kUdpHeader;
  Packet packet(ip + transport + fields.payload.size());
  uint8_t* at = packet.data();
  if (fields.family == Family::ipv4) {
    at[0] = 0x45;
    at[1] = fields.trafficClass;
    setIpv4TotalLength(at, static_cast<uint16_t>(packet.size()));
    setIpv4Identifier(at, fields.identifier);
    storeBe16(at + 6, fields.fragment);
    at[8] = fields.hopLimit;
    at[9] = fields.protocol;
    storeHost(fields.family, at + 12, fields.source);
    storeHost(fields.family, at + 16, fields.destination);
  } else {
    storeBe32(at, 0x60000000u | (uint32_t{fields.trafficClass} << 20));
    setIpv6PayloadLength(at, static_cast<uint16_t>(packet.size() - ip));
    at[6] = fields.protocol;
    at[7] = fields.hopLimit;
    storeHost(fields.family, at + 8, fields.source);
    storeHost(fields.family, at + 24, fields.destination);
  }
  at += ip;
  if (transport != 0) {
    storeBe16(at, fields.sourcePort);
    storeBe16(at + 2, fields.destinationPort);
  }
  if (fields.protocol == kProtocolTcp) {
    storeBe32(at + 4, fields.sequence);
    storeBe32(at + 8, fields.acknowledgement);
    at[12] = static_cast<uint8_t>(transport / 4 << 4);
    at[13] = fields.flags;
    storeBe16(at + 14, fields.window);
    std::copy(fields.options.begin(), fields.options.end(), at + kTcpHeader);
  }
  if (fields.protocol == kProtocolUdp) {
    setUdpLength(at, static_cast<uint16_t>(transport + fields.payload.size()));
  }
  std::copy(fields.payload.begin(), fields.payload.end(), at + transport);
  fixChecksums(packet, ip, fields.protocol);
  return packet;
}

inline Packet randomPayload(size_t length) {
  Packet bytes(length);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// Whether every checksum of a packet is right.
inline bool areChecksumsRight(const Packet& packet) {
  Packet fixed = packet;
  Flow flow = classify(packet.data(), packet.size());
  fixChecksums(fixed, flow.transportAt, flow.protocol);
  return fixed == packet;
}

}  // namespace heddle::test
