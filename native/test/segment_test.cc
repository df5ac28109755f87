#include "datapath/segment.h"

#include "test/packets.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

struct Super {
  VirtioNetHeader header;
  Packet packet;
};

// A super-packet as the kernel hands it over: the transport checksum is only the pseudo-header's
// sum.
Super makeSuper(const Fields& fields, size_t segment) {
  Packet packet = test::makePacket(fields);
  Flow flow = classify(packet.data(), packet.size());
  bool isTcp = fields.protocol == kProtocolTcp;
  uint8_t tcpType = fields.family == Family::ipv4 ? kVirtioGsoTcp4 : kVirtioGsoTcp6;
  VirtioNetHeader header{.flags = kVirtioNeedsChecksum,
                         .gsoType = isTcp ? tcpType : kVirtioGsoUdp,
                         .headerLength = 0,
                         .gsoSize = static_cast<uint16_t>(segment),
                         .checksumStart = flow.transportAt,
                         .checksumOffset = isTcp ? kTcpChecksumAt : kUdpChecksumAt};
  storeLe16(packet.data() + flow.transportAt + header.checksumOffset, 0x1234);
  return {header, packet};
}

std::vector<Packet> cut(Super& super, bool leavesChecksums = false) {
  std::vector<Packet> packets;
  Segmenter segmenter;
  EXPECT(segmenter.begin(super.header, super.packet));
  if (leavesChecksums) segmenter.leaveChecksums();
  size_t bytes = 0;
  for (auto segment = segmenter.next(); !segment.empty(); segment = segmenter.next()) {
    packets.emplace_back(segment.begin(), segment.end());
    bytes += segment.size();
  }
  EXPECT_EQUAL(packets.size(), segmenter.count());
  EXPECT_EQUAL(bytes, segmenter.bytes());
  return packets;
}

// What each segment must be, made from its fields.
std::vector<Packet> expected(const Fields& whole, size_t segment) {
  std::vector<Packet> packets;
  for (size_t at = 0; at < whole.payload.size() || at == 0; at += segment) {
    Fields fields = whole;
    size_t length = std::min(segment, whole.payload.size() - at);
    bool isLast = at + segment >= whole.payload.size();
    auto first = whole.payload.begin() + static_cast<ptrdiff_t>(at);
    fields.payload.assign(first, first + static_cast<ptrdiff_t>(length));
    fields.identifier = static_cast<uint16_t>(whole.identifier + packets.size());
    fields.sequence = whole.sequence + static_cast<uint32_t>(at);
    if (!isLast) fields.flags = static_cast<uint8_t>(fields.flags & ~(kTcpFin | kTcpPush));
    if (at > 0) fields.flags = static_cast<uint8_t>(fields.flags & ~kTcpCwr);
    packets.push_back(test::makePacket(fields));
  }
  return packets;
}

}  // namespace

TEST("segment: cuts TCP and UDP super-packets into the packets they stand for") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      for (int i = 0; i < 200; i++) {
        Fields fields{.family = family, .protocol = protocol};
        fields.identifier = static_cast<uint16_t>(test::random());
        fields.sequence = static_cast<uint32_t>(test::random());
        fields.flags = static_cast<uint8_t>(test::random());
        fields.options = test::randomPayload(4 * test::random(11));
        fields.payload = test::randomPayload(1 + test::random(6000));
        size_t segment = 1 + test::random(i % 2 == 0 ? 2000 : 60);
        Super super = makeSuper(fields, segment);
        EXPECT(cut(super) == expected(fields, segment));
      }
    }
  }
}

TEST("segment: where checksums are left, each field holds its own packet's pseudo-header's sum") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      Fields fields{.family = family, .protocol = protocol};
      fields.payload = test::randomPayload(3001);
      Super super = makeSuper(fields, 1000);
      std::vector<Packet> packets = cut(super, true);
      std::vector<Packet> whole = expected(fields, 1000);
      EXPECT_EQUAL(packets.size(), whole.size());
      size_t field = size_t{super.header.checksumStart} + super.header.checksumOffset;
      for (size_t i = 0; i < packets.size(); i++) {
        auto length = static_cast<uint16_t>(packets[i].size() - super.header.checksumStart);
        Sum pseudo = sumPseudoHeader(family, packets[i].data(), protocol) + sumBe16(length);
        EXPECT_EQUAL(loadLe16(packets[i].data() + field), foldSum(pseudo));
        // All else is as it always is.
        storeLe16(packets[i].data() + field, loadLe16(whole[i].data() + field));
        EXPECT(packets[i] == whole[i]);
      }
    }
  }
}

TEST("segment: cuts the largest super-packet whole") {
  Fields fields;
  fields.payload = test::randomPayload(65535 - 40);
  Super super = makeSuper(fields, 1380);
  EXPECT(cut(super) == expected(fields, 1380));
}

TEST("segment: refuses what contradicts itself") {
  Fields fields{.payload = test::randomPayload(3000)};
  const Super good = makeSuper(fields, 1000);
  Segmenter segmenter;
  auto refuses = [&](Super super) { return !segmenter.begin(super.header, super.packet); };
  Super super = good;
  super.header.gsoSize = 0;
  EXPECT(refuses(super));
  super = good;
  super.header.gsoType = kVirtioGsoTcp6;
  EXPECT(refuses(super));
  super.header.gsoType = kVirtioGsoUdp;
  EXPECT(refuses(super));
  super.header.gsoType = 3;  // UFO
  EXPECT(refuses(super));
  super = good;
  super.packet[6] = 0x20;  // a fragment
  EXPECT(refuses(super));
  super = good;
  super.packet[32] = 0x40;  // a TCP header of 16 bytes
  EXPECT(refuses(super));
  super = good;
  super.packet.pop_back();
  EXPECT(refuses(super));
  super.packet.clear();
  EXPECT(refuses(super));
  EXPECT(!refuses(good));
}

TEST("segment: survives random headers") {
  for (int i = 0; i < 20'000; i++) {
    Fields fields{.payload = test::randomPayload(test::random(200))};
    if (test::random(2) == 0) fields.family = Family::ipv6;
    Super super = makeSuper(fields, 1 + test::random(100));
    for (uint64_t flips = test::random(4); flips > 0; flips--) {
      size_t at = test::random(std::min<size_t>(super.packet.size(), 60));
      super.packet[at] = static_cast<uint8_t>(test::random());
    }
    if (test::random(3) == 0) super.header.checksumStart = static_cast<uint16_t>(test::random());
    if (test::random(3) == 0) super.header.gsoType = static_cast<uint8_t>(test::random(8));
    Segmenter segmenter;
    if (!segmenter.begin(super.header, super.packet)) continue;
    for (auto segment = segmenter.next(); !segment.empty(); segment = segmenter.next()) {
      EXPECT_EQUAL(innerLength(segment.data(), segment.size()), segment.size());
    }
  }
}

TEST("segment: completes the checksum that the kernel left") {
  for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    Fields fields{.family = Family::ipv6, .protocol = protocol, .payload = {1, 2, 3}};
    Packet whole = test::makePacket(fields);
    Super super = makeSuper(fields, 1000);
    size_t at = super.header.checksumStart;
    Sum pseudo = sumPseudoHeader(Family::ipv6, whole.data(), protocol) +
                 sumBe16(static_cast<uint16_t>(whole.size() - at));
    storeLe16(super.packet.data() + at + super.header.checksumOffset, foldSum(pseudo));
    EXPECT(completeChecksum(super.header, super.packet));
    EXPECT(super.packet == whole);
    super.header.checksumStart = static_cast<uint16_t>(super.packet.size() - 1);
    EXPECT(!completeChecksum(super.header, super.packet));
  }
}

}  // namespace heddle
