#include "datapath/classify.h"

#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

namespace {

size_t ipv4Length(const uint8_t* packet, size_t length) {
  if (length < kIpv4Header) return 0;
  size_t header = ipv4HeaderLength(packet);
  size_t total = ipv4TotalLength(packet);
  return header >= kIpv4Header && header <= total && total <= length ? total : 0;
}

// ::ffff:0:0/96. No packet may carry such an address (RFC 6890 §2.2.3): programs would take its
// sender for the IPv4 host that another peer is.
bool isMapped(const Address& address) { return address.high == 0 && address.low >> 32 == 0xffff; }

size_t ipv6Length(const uint8_t* packet, size_t length) {
  if (length < kIpv6Header) return 0;
  if (isMapped(loadAddress6(packet + 8)) || isMapped(loadAddress6(packet + 24))) return 0;
  size_t total = kIpv6Header + ipv6PayloadLength(packet);
  return total <= length ? total : 0;
}

// Finds ports and payload where the whole TCP or UDP header is there; else the flow stays without a
// protocol.
void classifyTransport(const uint8_t* packet, size_t length, uint8_t protocol, Flow& flow) {
  size_t at = flow.transportAt;
  const uint8_t* transport = packet + at;
  size_t header = 0;
  if (protocol == kProtocolTcp && length >= at + kTcpHeader) {
    header = tcpHeaderLength(transport);
    if (header < kTcpHeader || at + header > length) return;
  } else if (protocol == kProtocolUdp && length >= at + kUdpHeader) {
    if (udpLength(transport) != length - at) return;
    header = kUdpHeader;
  } else {
    return;
  }
  flow.protocol = protocol;
  flow.sourcePort = loadBe16(transport);
  flow.destinationPort = loadBe16(transport + 2);
  flow.payloadAt = static_cast<uint16_t>(at + header);
}

}  // namespace

size_t innerLength(const uint8_t* packet, size_t length) {
  if (length == 0) return 0;
  switch (packet[0] >> 4) {
    case 4:
      return ipv4Length(packet, length);
    case 6:
      return ipv6Length(packet, length);
    default:
      return 0;
  }
}

Flow classify(const uint8_t* packet, size_t length) {
  Flow flow;
  flow.family = innerFamily(packet);
  flow.source = innerSource(packet);
  flow.destination = innerDestination(packet);
  if (flow.family == Family::ipv6) {
    flow.transportAt = kIpv6Header;
    classifyTransport(packet, length, ipv6NextHeader(packet), flow);
  } else if (packet[0] == 0x45 && (ipv4Fragment(packet) & kIpv4FragmentMask) == 0) {
    flow.transportAt = kIpv4Header;
    classifyTransport(packet, length, ipv4Protocol(packet), flow);
  }
  return flow;
}

uint16_t flowHash(std::span<const uint8_t> packet) {
  Flow flow = classify(packet.data(), packet.size());
  uint64_t hash = flow.protocol;
  for (uint64_t word :
       {flow.source.high, flow.source.low, flow.destination.high, flow.destination.low,
        (uint64_t{flow.sourcePort} << 16) | flow.destinationPort}) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio (Knuth, vol. 3, §6.4)
    hash ^= hash >> 32;
  }
  return static_cast<uint16_t>(hash);
}

}  // namespace heddle
