// Cuts whatever a TUN might hand over: the input is a virtio-net header and a packet. What is
// refused is refused; what is taken must come out as the packets that Linux would have sent
// (net/ipv4/tcp_offload.c, udp_offload.c): the payload cut in order, headers repeated, lengths and
// checksums right, FIN and PSH on the last alone, CWR on the first alone.

#include "datapath/segment.h"

#include <cstring>
#include <vector>

#include "datapath/classify.h"
#include "fuzz/script.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

namespace {

using Bytes = std::vector<uint8_t>;

struct Shape {
  Family family;
  bool isTcp;
  size_t transportAt;
  size_t payloadAt;
};

// `isLeft`: the transport checksum is the pseudo-header's sum alone.
void mustSumRight(const Shape& shape, std::span<const uint8_t> segment, bool isLeft) {
  uint8_t protocol = shape.isTcp ? kProtocolTcp : kProtocolUdp;
  auto length = static_cast<uint16_t>(segment.size() - shape.transportAt);
  Sum pseudo = sumPseudoHeader(shape.family, segment.data(), protocol) + sumBe16(length);
  const uint8_t* transport = segment.data() + shape.transportAt;
  if (isLeft) {
    MUST(loadLe16(transport + (shape.isTcp ? kTcpChecksumAt : kUdpChecksumAt)) == foldSum(pseudo));
  } else {
    MUST(isSumRight(pseudo + sumBytes(transport, length)));
    if (!shape.isTcp) MUST(udpChecksum(transport) != 0);
  }
  if (shape.family == Family::ipv4) MUST(isIpv4ChecksumRight(segment.data()));
}

void mustBeTcpSegment(const uint8_t* whole, const uint8_t* segment, size_t sent, bool isFirst,
                      bool isLast) {
  MUST(tcpSequence(segment) == tcpSequence(whole) + static_cast<uint32_t>(sent));
  MUST(tcpAcknowledgement(segment) == tcpAcknowledgement(whole));
  uint8_t flags = tcpFlags(whole);
  if (!isLast) flags = static_cast<uint8_t>(flags & ~(kTcpFin | kTcpPush));
  if (!isFirst) flags = static_cast<uint8_t>(flags & ~kTcpCwr);
  MUST(tcpFlags(segment) == flags);
  MUST(std::memcmp(segment + 14, whole + 14, 2) == 0);
  size_t options = tcpHeaderLength(whole) - kTcpHeader;
  MUST(std::memcmp(segment + kTcpHeader, whole + kTcpHeader, options) == 0);
}

void mustBeIp(const Shape& shape, const Bytes& whole, std::span<const uint8_t> segment,
              size_t index) {
  MUST(innerLength(segment.data(), segment.size()) == segment.size());
  if (shape.family == Family::ipv4) {
    MUST(ipv4Identifier(segment.data()) ==
         static_cast<uint16_t>(ipv4Identifier(whole.data()) + index));
    MUST(segment[1] == whole[1] && segment[8] == whole[8]);
    MUST(ipv4Fragment(segment.data()) == ipv4Fragment(whole.data()));
  } else {
    MUST(std::memcmp(segment.data(), whole.data(), 4) == 0);
    // Next header and hop limit, addresses, extension headers.
    MUST(std::memcmp(segment.data() + 6, whole.data() + 6, shape.transportAt - 6) == 0);
  }
}

// Of a super-packet that was taken.
Shape shapeOf(const VirtioNetHeader& header, const Bytes& whole) {
  Shape shape{};
  shape.family = innerFamily(whole.data());
  shape.isTcp = (header.gsoType & ~kVirtioGsoEcn) != kVirtioGsoUdp;
  uint8_t protocol = shape.isTcp ? kProtocolTcp : kProtocolUdp;
  if (shape.family == Family::ipv4) {
    shape.transportAt = ipv4HeaderLength(whole.data());
  } else {
    bool isPlain = ipv6NextHeader(whole.data()) == protocol;
    shape.transportAt = isPlain ? kIpv6Header : header.checksumStart;
  }
  const uint8_t* transport = whole.data() + shape.transportAt;
  shape.payloadAt = shape.transportAt + (shape.isTcp ? tcpHeaderLength(transport) : kUdpHeader);
  return shape;
}

void cut(const VirtioNetHeader& header, std::span<uint8_t> packet, bool isLeft) {
  const Bytes whole(packet.begin(), packet.end());
  Segmenter segmenter;
  if (!segmenter.begin(header, packet)) return;
  if (isLeft) segmenter.leaveChecksums();
  const Shape shape = shapeOf(header, whole);
  size_t total = 0;
  size_t count = 0;
  Bytes payload;
  for (auto segment = segmenter.next(); !segment.empty(); segment = segmenter.next()) {
    bool isLast = count + 1 == segmenter.count();
    MUST(segment.size() <= segmenter.longest());
    MUST(isLast || segment.size() == shape.payloadAt + header.gsoSize);
    mustBeIp(shape, whole, segment, count);
    mustSumRight(shape, segment, isLeft);
    const uint8_t* transport = segment.data() + shape.transportAt;
    if (shape.isTcp) {
      mustBeTcpSegment(whole.data() + shape.transportAt, transport, payload.size(), count == 0,
                       isLast);
    } else {
      MUST(loadBe16(transport + 4) == segment.size() - shape.transportAt);
    }
    payload.insert(payload.end(), segment.begin() + static_cast<ptrdiff_t>(shape.payloadAt),
                   segment.end());
    total += segment.size();
    count++;
  }
  MUST(count == segmenter.count() && total == segmenter.bytes());
  MUST(payload == Bytes(whole.begin() + static_cast<ptrdiff_t>(shape.payloadAt), whole.end()));
}

}  // namespace

}  // namespace heddle

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < heddle::kVirtioNetHeader) return 0;
  // Of its exact size on the heap, so that a byte too far is seen.
  std::vector<uint8_t> packet(data + heddle::kVirtioNetHeader, data + size);
  packet.shrink_to_fit();
  if (packet.empty()) return 0;
  heddle::VirtioNetHeader header = heddle::parseVirtioNet(data);
  std::vector<uint8_t> again = packet;
  again.shrink_to_fit();
  heddle::cut(header, packet, false);
  heddle::cut(header, again, true);
  // The single packet whose checksum is left to us.
  std::vector<uint8_t> single(data + heddle::kVirtioNetHeader, data + size);
  heddle::completeChecksum(header, single);
  return 0;
}
