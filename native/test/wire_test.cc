#include "datapath/demux.h"
#include "datapath/mtu.h"
#include "encap/wireguard.h"
#include "test/clear.h"
#include "test/test.h"

namespace heddle {

namespace {

// RFC 1071 section 4.1, word by word.
uint16_t slowFold(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    sum += (uint32_t{bytes[i]} << 8) | low;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

std::vector<uint8_t> message(uint32_t type, size_t length) {
  std::vector<uint8_t> bytes(length);
  if (length >= 4) storeLe32(bytes.data(), type);
  return bytes;
}

}  // namespace

TEST("checksum: RFC 1071 section 3's example sums to ddf2") {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  uint8_t stored[2];
  storeLe16(stored, foldSum(sumBytes(bytes, sizeof bytes)));
  EXPECT_EQUAL(loadBe16(stored), uint16_t{0xddf2});
}

TEST("checksum: equals the sum word by word at every length and alignment") {
  std::vector<uint8_t> bytes = test::randomPayload(400);
  for (size_t i = 0; i < 64; i++) bytes[i] = 0xff;
  for (size_t start = 0; start < 8; start++) {
    for (size_t length = 0; start + length <= bytes.size(); length++) {
      const uint8_t* at = bytes.data() + start;
      uint8_t stored[2];
      storeLe16(stored, foldSum(sumBytes(at, length)));
      EXPECT_EQUAL(loadBe16(stored), slowFold({at, at + length}));
    }
  }
  std::vector<uint8_t> full(65535, 0xff);
  EXPECT_EQUAL(foldSum(sumBytes(full.data(), 65534)), uint16_t{0xffff});
}

TEST("demux: takes only the exact type and length of each message") {
  struct Row {
    uint32_t type;
    size_t length;
    Destination destination;
    Drop reason;
  };
  const Row rows[] = {
      {0, 0, Destination::dropped, Drop::datagramLength},
      {1, 3, Destination::dropped, Drop::datagramLength},
      {1, 147, Destination::dropped, Drop::datagramLength},
      {1, 148, Destination::handshake, Drop::none},
      {1, 149, Destination::dropped, Drop::datagramLength},
      {2, 92, Destination::handshake, Drop::none},
      {2, 91, Destination::dropped, Drop::datagramLength},
      {3, 64, Destination::handshake, Drop::none},
      {3, 65, Destination::dropped, Drop::datagramLength},
      {4, 31, Destination::dropped, Drop::datagramLength},
      {4, 32, Destination::data, Drop::none},
      {4, 1500, Destination::data, Drop::none},
      {0, 148, Destination::dropped, Drop::datagramType},
      {5, 148, Destination::dropped, Drop::datagramType},
      {0x0101, 148, Destination::dropped, Drop::datagramType},     // a reserved byte
      {0x01000004, 64, Destination::dropped, Drop::datagramType},  // likewise
  };
  for (const Row& row : rows) {
    Demux found = demux(message(row.type, row.length));
    EXPECT(found.destination == row.destination);
    EXPECT(found.reason == row.reason);
  }
}

TEST("vxlan: writes all of the header, and reads the VNI past reserved bits") {
  for (uint32_t vni : {0u, 1u, 4096u, 0x123456u, 0xffffffu}) {
    std::vector<uint8_t> header(kVxlanHeader + 1, 0xa5);
    emitVxlan(header.data(), vni);
    EXPECT(vxlanHasVni(header.data()));
    EXPECT_EQUAL(vxlanVni(header.data()), vni);
    EXPECT_EQUAL(loadBe32(header.data()), 0x08000000u);
    EXPECT_EQUAL(header[7], 0);
    EXPECT_EQUAL(header[8], 0xa5);
    for (size_t reserved : {1, 2, 3, 7}) header[reserved] = 0xff;
    EXPECT_EQUAL(vxlanVni(header.data()), vni);
    header[0] = 0xf7;
    EXPECT(!vxlanHasVni(header.data()));
  }
}

TEST("ethernet: reads what it wrote, and tells groups apart") {
  std::vector<uint8_t> header(kEthernetHeader + 1, 0xa5);
  emitEthernet(header.data(), test::macOf(1), test::macOf(2), kEtherTypeIpv6);
  EXPECT(ethernetDestination(header.data()) == test::macOf(1));
  EXPECT(ethernetSource(header.data()) == test::macOf(2));
  EXPECT_EQUAL(etherType(header.data()), kEtherTypeIpv6);
  EXPECT_EQUAL(header[14], 0xa5);
  EXPECT(isMulticast({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT(isBroadcast({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT(!isBroadcast({0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}));
  EXPECT(isSolicitedNode({0x33, 0x33, 0xff, 1, 2, 3}));
  EXPECT(!isSolicitedNode({0x33, 0x33, 0, 0, 0, 1}));
  EXPECT(!isMulticast(test::macOf(1)));
}

TEST("neighbour: a solicitation with any bit of its message changed is none") {
  test::Packet question = test::solicitation(2, 1);
  EXPECT(isSolicitation(question.data(), question.size()));
  for (size_t bit = 4 * 8; bit < 8 * question.size(); bit++) {
    test::Packet changed = question;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1 << (bit % 8)));
    bool isLength = bit / 8 == 4 || bit / 8 == 5;  // the caller's look-out
    if (!isLength) EXPECT(!isSolicitation(changed.data(), changed.size()));
  }
  for (size_t length = kIpv6Header; length < question.size(); length++) {
    setIpv6PayloadLength(question.data(), static_cast<uint16_t>(length - kIpv6Header));
    EXPECT(!isSolicitation(question.data(), length));
  }
  // Without options it is whole again, once its sum is.
  question.resize(kNeighbourLeast);
  setIpv6PayloadLength(question.data(), kNeighbourLeast - kIpv6Header);
  test::fixIcmpv6(question);
  EXPECT(isSolicitation(question.data(), question.size()));
}

TEST("padding: goes to 16 but never past the MTU") {
  struct Row {
    size_t length, mtu, padded;
  };
  const Row rows[] = {{0, 1420, 0},       {1, 1420, 16},      {16, 1420, 16},
                      {17, 1420, 32},     {1409, 1420, 1420},  // 1424 would pass the MTU
                      {1420, 1420, 1420}, {1299, 1299, 1299}, {1269, 1300, 1280},
                      {1430, 1420, 1436},  // staged before the MTU shrank: its last 10 bytes
                      {33, 0, 48}};
  for (const Row& row : rows) EXPECT_EQUAL(paddedLength(row.length, row.mtu), row.padded);
}

TEST("padding: is bounded by a route that is smaller than the MTU, where the packet fits it") {
  EXPECT_EQUAL(paddingBound(1299, 1300, 1299), size_t{1299});
  EXPECT_EQUAL(paddingBound(1300, 1300, 1299), size_t{1300});
  EXPECT_EQUAL(paddingBound(1299, 1300, 0), size_t{1300});
  EXPECT_EQUAL(paddingBound(1299, 1300, 1400), size_t{1300});
  EXPECT_EQUAL(paddingBound(1299, 0, 1400), size_t{1400});
}

TEST("classify: takes whole packets with padding, and no others") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    test::Packet packet = test::makePacket({.family = family, .payload = {1, 2, 3}});
    size_t whole = packet.size();
    packet.resize(whole + 13);
    for (size_t length = 0; length <= packet.size(); length++) {
      EXPECT_EQUAL(innerLength(packet.data(), length), length < whole ? size_t{0} : whole);
    }
    packet[0] = static_cast<uint8_t>(packet[0] & 0x0f);
    EXPECT_EQUAL(innerLength(packet.data(), packet.size()), size_t{0});
  }
  test::Packet packet = test::makePacket({});
  packet[0] = 0x44;  // a header of 16 bytes
  EXPECT_EQUAL(innerLength(packet.data(), packet.size()), size_t{0});
  packet[0] = 0x4f;  // 60 bytes where there are 40
  EXPECT_EQUAL(innerLength(packet.data(), packet.size()), size_t{0});
}

TEST("classify: takes no packet that carries an IPv4-mapped address") {
  test::Packet whole = test::makePacket({.family = Family::ipv6});
  for (size_t at : {8, 24}) {
    test::Packet packet = whole;
    for (size_t i = 0; i < 12; i++) packet[at + i] = i < 10 ? 0x00 : 0xff;
    EXPECT_EQUAL(innerLength(packet.data(), packet.size()), size_t{0});
    packet[at + 9] = 1;
    EXPECT_EQUAL(innerLength(packet.data(), packet.size()), packet.size());
  }
}

TEST("classify: finds ports and payload, but not in fragments or behind options") {
  test::Packet tcp = test::makePacket({.options = {1, 1, 1, 1}, .payload = {9}});
  Flow flow = classify(tcp.data(), tcp.size());
  EXPECT_EQUAL(flow.protocol, kProtocolTcp);
  EXPECT_EQUAL(flow.sourcePort, uint16_t{1000});
  EXPECT_EQUAL(flow.payloadAt, uint16_t{44});
  test::Packet udp =
      test::makePacket({.family = Family::ipv6, .protocol = kProtocolUdp, .payload = {9, 9}});
  flow = classify(udp.data(), udp.size());
  EXPECT_EQUAL(flow.protocol, kProtocolUdp);
  EXPECT_EQUAL(flow.payloadAt, uint16_t{48});
  setUdpLength(udp.data() + kIpv6Header, 9);
  EXPECT_EQUAL(classify(udp.data(), udp.size()).protocol, uint8_t{0});
  test::Packet first = test::makePacket({.fragment = 0x2000, .payload = {9}});
  EXPECT_EQUAL(classify(first.data(), first.size()).protocol, uint8_t{0});
  test::Packet later = test::makePacket({.fragment = 3, .payload = {9}});
  EXPECT_EQUAL(classify(later.data(), later.size()).protocol, uint8_t{0});
  tcp[32] = 0xf0;  // a TCP header longer than the packet
  EXPECT_EQUAL(classify(tcp.data(), tcp.size()).protocol, uint8_t{0});
}

}  // namespace heddle
