// Datagrams of tunnels inside the tunnel (VXLAN, Geneve) whose drivers lose super-packets: cut
// where the host hands over several at once, and handed on one by one at the other end.
#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr Instant kStart = seconds(1000);
constexpr size_t kSegment = 500;
constexpr size_t kCount = 12;

// What a TUN with USO hands over of one send of `kCount` datagrams.
struct Super {
  Fields fields;
  VirtioNetHeader header;
  Packet packet;

  Super(Family family, uint16_t sourcePort, uint16_t destinationPort) {
    fields = {.family = family,
              .protocol = kProtocolUdp,
              .sourcePort = sourcePort,
              .destinationPort = destinationPort,
              .identifier = 1,
              .payload = test::randomPayload(kCount * kSegment)};
    packet = test::makePacket(fields);
    auto at = static_cast<uint16_t>(family == Family::ipv4 ? kIpv4Header : kIpv6Header);
    header = {.flags = kVirtioNeedsChecksum,
              .gsoType = kVirtioGsoUdp,
              .headerLength = static_cast<uint16_t>(at + kUdpHeader),
              .gsoSize = kSegment,
              .checksumStart = at,
              .checksumOffset = kUdpChecksumAt};
  }
  std::vector<Packet> datagrams() const {
    std::vector<Packet> packets;
    for (size_t i = 0; i < kCount; i++) {
      Fields one = fields;
      one.identifier = static_cast<uint16_t>(fields.identifier + i);
      auto first = fields.payload.begin() + static_cast<ptrdiff_t>(i * kSegment);
      one.payload.assign(first, first + kSegment);
      packets.push_back(test::makePacket(one));
    }
    return packets;
  }
};

// The packets that the far end writes, and in how many frames.
std::pair<std::vector<Packet>, size_t> cross(const Super& super) {
  test::Pair pair(CoalesceOptions{});
  pair.connect(kStart);
  pair.one.frame(super.header, super.packet, kStart);
  pair.one.outbound.flush();
  EXPECT_EQUAL(pair.one.sent.datagrams.size(), kCount);
  EXPECT_EQUAL(pair.one.count(Counter::tunSuperIn), 1u);
  pair.carry(kStart);
  EXPECT_EQUAL(pair.two.delivered.count, kCount);
  return {pair.two.delivered.packets, pair.two.delivered.frames.size()};
}

}  // namespace

TEST("nested tunnels: a USO super-packet to their ports arrives as single packets, none altered") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint16_t port : std::array<uint16_t, 3>{4789, 8472, 6081}) {
      for (bool isSource : {false, true}) {
        Super super(family, isSource ? port : 40000, isSource ? 40000 : port);
        auto [packets, frames] = cross(super);
        EXPECT_EQUAL(frames, kCount);
        EXPECT(packets == super.datagrams());
      }
    }
  }
}

TEST("nested tunnels: datagrams of others arrive together") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    EXPECT_EQUAL(cross(Super(family, 40000, 4790)).second, size_t{1});
  }
}

}  // namespace heddle
