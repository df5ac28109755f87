#include "datapath/segment.h"

#include <cstring>

#include "datapath/classify.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

namespace {

// Which protocol a super-packet of this kind carries, or 0 when the kind and the family contradict
// each other.
uint8_t protocolOf(uint8_t gsoType, Family family) {
  switch (gsoType & ~kVirtioGsoEcn) {
    case kVirtioGsoTcp4:
      return family == Family::ipv4 ? kProtocolTcp : 0;
    case kVirtioGsoTcp6:
      return family == Family::ipv6 ? kProtocolTcp : 0;
    case kVirtioGsoUdp:
      return kProtocolUdp;
    default:
      return 0;
  }
}

// Where the transport header starts, or 0. Behind IPv6 extension headers only the kernel's word is
// taken for it.
size_t transportOffset(Family family, const uint8_t* packet, uint8_t protocol,
                       const VirtioNetHeader& header) {
  if (family == Family::ipv4) {
    if (ipv4Protocol(packet) != protocol) return 0;
    if ((ipv4Fragment(packet) & kIpv4FragmentMask) != 0) return 0;
    return ipv4HeaderLength(packet);
  }
  if (ipv6NextHeader(packet) == protocol) return kIpv6Header;
  bool isStated = (header.flags & kVirtioNeedsChecksum) != 0;
  return isStated && header.checksumStart > kIpv6Header ? header.checksumStart : 0;
}

}  // namespace

bool Segmenter::begin(const VirtioNetHeader& header, std::span<uint8_t> packet) {
  size_t length = innerLength(packet.data(), packet.size());
  if (header.gsoSize == 0 || length == 0 || length != packet.size()) return false;
  packet_ = packet.data();
  family_ = innerFamily(packet_);
  uint8_t protocol = protocolOf(header.gsoType, family_);
  if (protocol == 0) return false;
  isTcp_ = protocol == kProtocolTcp;
  transportAt_ = transportOffset(family_, packet_, protocol, header);
  size_t least = isTcp_ ? kTcpHeader : kUdpHeader;
  if (transportAt_ == 0 || transportAt_ + least > packet.size()) return false;
  size_t transportLength = isTcp_ ? tcpHeaderLength(packet_ + transportAt_) : kUdpHeader;
  if (transportLength < least) return false;
  headerLength_ = transportAt_ + transportLength;
  if (headerLength_ > packet.size() || headerLength_ > kMaxHeader) return false;
  payload_ = packet.size() - headerLength_;
  segment_ = header.gsoSize;
  count_ = payload_ == 0 ? 1 : (payload_ + segment_ - 1) / segment_;
  index_ = 0;
  leavesChecksums_ = false;
  std::memcpy(header_.data(), packet_, headerLength_);
  sumHeaders(protocol);
  return true;
}

// Sums once what all segments share; the fields that differ are zeroed in the saved header.
void Segmenter::sumHeaders(uint8_t protocol) {
  uint8_t* ip = header_.data();
  uint8_t* transport = ip + transportAt_;
  if (family_ == Family::ipv4) {
    identifier_ = ipv4Identifier(ip);
    setIpv4TotalLength(ip, 0);
    setIpv4Identifier(ip, 0);
    storeLe16(ip + 10, 0);
    ipSum_ = sumBytes(ip, transportAt_);
  }
  if (isTcp_) {
    sequence_ = tcpSequence(transport);
    flags_ = tcpFlags(transport);
    setTcpSequence(transport, 0);
    setTcpFlags(transport, 0);
    storeLe16(transport + kTcpChecksumAt, 0);
  } else {
    setUdpLength(transport, 0);
    storeLe16(transport + kUdpChecksumAt, 0);
  }
  pseudoSum_ = sumPseudoHeader(family_, ip, protocol);
  transportSum_ = pseudoSum_ + sumBytes(transport, headerLength_ - transportAt_);
}

std::span<uint8_t> Segmenter::next() {
  if (index_ == count_) return {};
  size_t at = index_ * segment_;
  size_t length = headerLength_ + std::min(segment_, payload_ - at);
  uint8_t* packet = packet_ + at;
  std::memcpy(packet, header_.data(), headerLength_);
  stampIp(packet, length);
  if (isTcp_) {
    stampTcp(packet + transportAt_, length - transportAt_);
  } else {
    stampUdp(packet + transportAt_, length - transportAt_);
  }
  index_++;
  return {packet, length};
}

void Segmenter::stampIp(uint8_t* packet, size_t length) {
  if (family_ == Family::ipv6) {
    setIpv6PayloadLength(packet, static_cast<uint16_t>(length - kIpv6Header));
    return;
  }
  auto total = static_cast<uint16_t>(length);
  auto identifier = static_cast<uint16_t>(identifier_ + index_);
  setIpv4TotalLength(packet, total);
  setIpv4Identifier(packet, identifier);
  storeChecksum(packet + 10, ipSum_ + sumBe16(total) + sumBe16(identifier));
}

// FIN and PSH belong to the last byte, CWR to the first segment.
void Segmenter::stampTcp(uint8_t* tcp, size_t length) {
  auto sequence = sequence_ + static_cast<uint32_t>(index_ * segment_);
  uint8_t flags = flags_;
  if (index_ + 1 < count_) flags = static_cast<uint8_t>(flags & ~(kTcpFin | kTcpPush));
  if (index_ > 0) flags = static_cast<uint8_t>(flags & ~kTcpCwr);
  setTcpSequence(tcp, sequence);
  setTcpFlags(tcp, flags);
  if (leavesChecksums_) {
    Sum partial = pseudoSum_ + sumBe16(static_cast<uint16_t>(length));
    return storeLe16(tcp + kTcpChecksumAt, foldSum(partial));
  }
  size_t header = headerLength_ - transportAt_;
  Sum sum = transportSum_ + sumBe16(static_cast<uint16_t>(length)) + sumBe32(sequence) +
            sumBe16(flags) + sumBytes(tcp + header, length - header);
  storeChecksum(tcp + kTcpChecksumAt, sum);
}

void Segmenter::stampUdp(uint8_t* udp, size_t length) {
  auto total = static_cast<uint16_t>(length);
  setUdpLength(udp, total);
  if (leavesChecksums_) {
    return storeLe16(udp + kUdpChecksumAt, foldSum(pseudoSum_ + sumBe16(total)));
  }
  // The length counts twice: in the header and in the pseudo-header.
  Sum sum = transportSum_ + 2 * sumBe16(total) + sumBytes(udp + kUdpHeader, length - kUdpHeader);
  storeNonzeroChecksum(udp + kUdpChecksumAt, sum);
}

bool isChecksumInside(const VirtioNetHeader& header, size_t length) {
  return size_t{header.checksumStart} + header.checksumOffset + 2 <= length;
}

bool completeChecksum(const VirtioNetHeader& header, std::span<uint8_t> packet) {
  if (!isChecksumInside(header, packet.size())) return false;
  size_t start = header.checksumStart;
  size_t at = start + header.checksumOffset;
  storeNonzeroChecksum(packet.data() + at, sumBytes(packet.data() + start, packet.size() - start));
  return true;
}

}  // namespace heddle
