// TUN -> wire for clear peers and for sealed ones behind VXLAN.
#include "datapath/outbound.h"
#include "encap/udp.h"
#include "test/clear.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::ClearEnd;
using test::End;
using test::Fields;
using test::Packet;
using test::Pair;

constexpr Instant kStart = seconds(1000);

Packet packetTo(uint8_t host, size_t payload, Family family = Family::ipv4, uint8_t hops = 64) {
  Fields fields{.family = family, .protocol = kProtocolUdp, .destination = host, .hopLimit = hops};
  fields.payload = test::randomPayload(payload);
  return test::makePacket(fields);
}

uint64_t dropsOf(const End& end, uint32_t slot, Drop reason) {
  return end.tables.traffic(slot).drops[static_cast<size_t>(reason)];
}

// A TCP super-packet to 10.0.0.host with segments of 1000 bytes.
std::pair<VirtioNetHeader, Packet> superPacketTo(uint8_t host, size_t segments, uint8_t hops = 64) {
  Fields fields{.destination = host, .hopLimit = hops};
  fields.payload = test::randomPayload(1000 * segments);
  VirtioNetHeader header{.flags = kVirtioNeedsChecksum,
                         .gsoType = kVirtioGsoTcp4,
                         .headerLength = 40,
                         .gsoSize = 1000,
                         .checksumStart = 20,
                         .checksumOffset = kTcpChecksumAt};
  return {header, test::makePacket(fields)};
}

}  // namespace

TEST("outbound: a clear vxlan peer's packets leave in frames from our VTEP to the peer's") {
  ClearEnd end;
  end.tables.setEncapsulation(0, test::vxlanTo(2, 0x123456));
  Packet v4 = packetTo(2, 100);
  Packet v6 = packetTo(2, 10, Family::ipv6);
  end.packet(v4, kStart);
  end.packet(v6, kStart + 1);
  end.outbound.flush();
  const Packet header4 = {0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0, 2, 0,    0,
                          0,    0, 2, 2, 0,    0,    0,    0, 1, 0x08, 0x00};
  Packet header6 = header4;
  header6[20] = 0x86;
  header6[21] = 0xdd;
  EXPECT(end.sent.datagrams ==
         (std::vector<Packet>{test::concat(header4, v4), test::concat(header6, v6)}));
  EXPECT(end.sent.to[0] == test::endpointAt(2, test::kVxlanPort));
  EXPECT(end.sent.vias[0].kind == PortKind::vxlan);
  size_t inner = v4.size() + v6.size();
  EXPECT_EQUAL(end.count(Counter::datagramOut), uint64_t{2});
  EXPECT_EQUAL(end.count(Counter::datagramOutBytes), inner + 2 * 22);
  EXPECT_EQUAL(end.count(Counter::plaintextOutBytes), inner);
  EXPECT_EQUAL(end.tables.traffic(0).txBytes, inner + 2 * 22);
  EXPECT_EQUAL(end.tables.traffic(0).txPackets, uint64_t{2});
  EXPECT_EQUAL(end.tables.activity(0).lastSent, kStart + 1);
}

TEST("outbound: a clear udp peer's packets leave bare, with a hop less") {
  ClearEnd end;
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t hops : Packet{2, 64, 255}) {
      end.sent = {};
      end.packet(packetTo(3, 100, family, hops), kStart);
      end.outbound.flush();
      const Packet& sent = end.sent.datagrams.at(0);
      EXPECT_EQUAL(sent[family == Family::ipv4 ? 8 : 7], hops - 1);
      EXPECT(test::areChecksumsRight(sent));
      EXPECT(end.sent.to[0] == test::endpointAt(3, test::kUdpPort));
      EXPECT(end.sent.vias[0] == (Via{.kind = PortKind::udp}));
    }
    for (uint8_t hops : Packet{0, 1}) end.packet(packetTo(3, 100, family, hops), kStart + 9);
  }
  EXPECT_EQUAL(end.drops(Drop::ttl), uint64_t{4});
  EXPECT_EQUAL(dropsOf(end, 1, Drop::ttl), uint64_t{4});
  EXPECT_EQUAL(end.count(Counter::plaintextOutBytes), uint64_t{3 * 128 + 3 * 148});
  EXPECT_EQUAL(end.tables.traffic(1).txBytes, uint64_t{3 * 128 + 3 * 148});
  EXPECT_EQUAL(end.tables.activity(1).lastSent, kStart);
}

TEST("outbound: taking a hop keeps any checksum right, and a wrong one wrong") {
  for (int i = 0; i < 2000; i++) {
    Fields fields{.identifier = static_cast<uint16_t>(test::random()),
                  .trafficClass = static_cast<uint8_t>(test::random()),
                  .hopLimit = static_cast<uint8_t>(3 + test::random(253))};
    Packet packet = test::makePacket(fields);
    Packet wrong = packet;
    wrong[10] = static_cast<uint8_t>(wrong[10] ^ 0x40);
    EXPECT(takeHop(packet.data()));
    EXPECT(isIpv4ChecksumRight(packet.data()));
    EXPECT(takeHop(wrong.data()));
    EXPECT(!isIpv4ChecksumRight(wrong.data()));
  }
}

TEST("outbound: a tunnel in a clear one leaves with fewer hops, and some not at all") {
  for (const auto& encapsulation : {test::vxlanTo(2), test::udpTo(2)}) {
    ClearEnd end;
    end.tables.setEncapsulation(0, encapsulation);
    for (uint8_t hops : std::initializer_list<uint8_t>{64, 9, 8}) {
      Fields fields{.protocol = kProtocolUdp, .hopLimit = hops, .payload = packetTo(7, 30)};
      end.packet(test::makePacket(fields), kStart);
      fields.payload[9] = kProtocolTcp;
      end.packet(test::makePacket(fields), kStart);
    }
    end.outbound.flush();
    std::vector<uint8_t> seen;
    for (const Via& via : end.sent.vias) seen.push_back(via.hops);
    EXPECT(seen == (std::vector<uint8_t>{56, 0, 1, 0, 0}));
    EXPECT_EQUAL(end.drops(Drop::loop), uint64_t{1});
  }
}

TEST("outbound: clear peers have neither sessions nor staged packets, and raise nothing") {
  ClearEnd end;
  for (uint8_t host : Packet{2, 3}) end.packet(packetTo(host, 10), kStart);
  for (uint32_t slot : {0, 1}) {
    end.outbound.flushStaged(slot, true, kStart);
    end.outbound.sendKeepalive(slot, kStart);
  }
  end.outbound.flush();
  EXPECT_EQUAL(end.sent.datagrams.size(), size_t{2});
  EXPECT_EQUAL(end.count(Counter::staged), uint64_t{0});
  EXPECT_EQUAL(end.count(Counter::sealed), uint64_t{0});
  EXPECT(end.events.raised.empty());
}

TEST("outbound: plaintext ends at its instant") {
  ClearEnd end;
  end.tables.setEncapsulation(0, test::vxlanTo(2, 1, kStart));
  end.tables.setEncapsulation(1, test::udpTo(3, kStart));
  for (uint8_t host : Packet{2, 3}) end.packet(packetTo(host, 10), kStart - 1);
  for (uint8_t host : Packet{2, 3}) end.packet(packetTo(host, 10), kStart);
  auto [header, whole] = superPacketTo(2, 3);
  end.frame(header, whole, kStart + 1);
  end.outbound.flush();
  EXPECT_EQUAL(end.sent.datagrams.size(), size_t{2});
  EXPECT_EQUAL(end.drops(Drop::clearEnded), uint64_t{5});
  EXPECT_EQUAL(dropsOf(end, 0, Drop::clearEnded), uint64_t{4});
  EXPECT_EQUAL(end.tables.activity(0).lastSent, kStart - 1);
  // Put off, it begins again.
  end.tables.setEncapsulation(0, test::vxlanTo(2, 1, kStart + 5));
  end.packet(packetTo(2, 10), kStart + 4);
  end.outbound.flush();
  EXPECT_EQUAL(end.sent.datagrams.size(), size_t{3});
}

TEST("outbound: the segments of a super-packet leave in one clear batch") {
  for (uint8_t host : Packet{2, 3}) {
    ClearEnd end;
    auto [header, whole] = superPacketTo(host, 10);
    end.frame(header, whole, kStart);
    end.outbound.flush();
    EXPECT(end.sent.batches == (std::vector<size_t>{10}));
    size_t before = host == 2 ? kFrameOverhead : 0;
    for (const Packet& datagram : end.sent.datagrams) {
      Packet inner(datagram.begin() + static_cast<ptrdiff_t>(before), datagram.end());
      EXPECT_EQUAL(inner.size(), size_t{1040});
      EXPECT_EQUAL(inner[8], host == 2 ? 64 : 63);
      EXPECT(test::areChecksumsRight(inner));
    }
    EXPECT_EQUAL(end.count(Counter::plaintextOutBytes), uint64_t{10 * 1040});
  }
  ClearEnd end;
  auto [header, whole] = superPacketTo(3, 10, 1);
  end.frame(header, whole, kStart);
  EXPECT_EQUAL(end.drops(Drop::ttl), uint64_t{10});
}

TEST("outbound: a flow has one hash, and many flows have many") {
  ClearEnd end;
  std::vector<uint16_t> hashes;
  for (uint16_t port = 0; port < 200; port++) {
    Fields fields{.protocol = kProtocolUdp, .sourcePort = port};
    for (size_t length : {1, 700}) {
      fields.payload = test::randomPayload(length);
      fields.identifier++;
      end.packet(test::makePacket(fields), kStart);
    }
  }
  end.outbound.flush();
  for (size_t i = 0; i < end.sent.vias.size(); i += 2) {
    EXPECT_EQUAL(end.sent.vias[i].flow, end.sent.vias[i + 1].flow);
    hashes.push_back(end.sent.vias[i].flow);
  }
  // Of 16 source ports each gets its share.
  for (uint16_t low = 0; low < 16; low++) {
    auto count = std::ranges::count_if(hashes, [low](uint16_t hash) { return hash % 16 == low; });
    EXPECT(count >= 2 && count <= 40);
  }
  std::ranges::sort(hashes);
  EXPECT(std::ranges::unique(hashes).size() <= 5);
}

TEST("outbound: batches mix neither peers nor encapsulations nor flows") {
  Pair pair;
  End& end = pair.one;
  end.addPeer(1, 3);
  end.addPeer(2, 4);
  end.tables.setEncapsulation(1, test::vxlanTo(3));
  Encapsulation other = test::vxlanTo(4);
  other.endpoint = test::endpointAt(3, test::kVxlanPort);
  other.vni = 2;
  end.tables.setEncapsulation(2, other);
  pair.connect(kStart);
  for (uint8_t host : Packet{3, 3, 4, 4, 2, 2, 3}) end.packet(packetTo(host, 100), kStart);
  end.outbound.flush();
  EXPECT(end.sent.batches == (std::vector<size_t>{2, 2, 2, 1}));
  Fields fields{.protocol = kProtocolUdp, .destination = 3, .payload = Packet(10)};
  end.sent.batches.clear();
  for (uint16_t port : std::vector<uint16_t>{1, 1, 2, 2}) {
    fields.sourcePort = port;
    end.packet(test::makePacket(fields), kStart);
  }
  end.outbound.flush();
  EXPECT(end.sent.batches == (std::vector<size_t>{2, 2}));
  // The same peer elsewhere.
  end.sent = {};
  end.packet(packetTo(3, 10), kStart);
  Encapsulation moved = test::vxlanTo(3);
  moved.endpoint = test::endpoint6At(9, test::kVxlanPort);
  end.tables.setEncapsulation(1, moved);
  end.packet(packetTo(3, 10), kStart);
  end.outbound.flush();
  EXPECT(end.sent.batches == (std::vector<size_t>{1, 1}));
  EXPECT(end.sent.to[1] == moved.endpoint);
}

TEST("outbound: vxlan-sealed messages stand behind a VXLAN header each") {
  Pair pair;
  for (End* end : {&pair.one, &pair.two}) {
    end->tables.setEncapsulation(0, {.kind = EncapsulationKind::vxlanSealed, .vni = 51820});
    Endpoint there = test::endpointAt(end == &pair.one ? 2 : 1);
    there.vni = 51820;
    end->tables.setEndpoint(0, there);
  }
  pair.connect(kStart);
  auto [header, whole] = superPacketTo(2, 20);
  pair.one.frame(header, whole, kStart);
  pair.one.outbound.flush();
  EXPECT(pair.one.sent.batches == (std::vector<size_t>{20}));
  EXPECT(pair.one.sent.vias[0] == Via{});
  const Packet front = {0x08, 0, 0, 0, 0, 0xca, 0x6c, 0, 4, 0, 0, 0};
  for (const Packet& datagram : pair.one.sent.datagrams) {
    EXPECT_EQUAL(datagram.size(), size_t{8 + 32 + 1040});
    EXPECT(std::equal(front.begin(), front.end(), datagram.begin()));
  }
  EXPECT_EQUAL(pair.one.count(Counter::datagramOutBytes), uint64_t{20 * (8 + 32 + 1040)});
  EXPECT_EQUAL(pair.one.count(Counter::plaintextOutBytes), uint64_t{0});
  EXPECT_EQUAL(pair.one.tables.traffic(0).txBytes, uint64_t{20 * (32 + 1040)});
  pair.carry(kStart);
  EXPECT_EQUAL(pair.two.count(Counter::innerOut), uint64_t{20});
  EXPECT_EQUAL(pair.two.tables.traffic(0).rxBytes, uint64_t{20 * (32 + 1040)});
  EXPECT_EQUAL(pair.two.events.count("roamed"), size_t{0});
  pair.one.outbound.sendKeepalive(0, kStart);
  EXPECT_EQUAL(pair.one.sent.datagrams.at(0).size(), size_t{8 + 32});
  // A batch is no longer than a datagram may be.
  std::vector<Packet> many(50, packetTo(2, 1420 - 28));
  pair.one.sent = {};
  for (const Packet& packet : many) pair.one.packet(packet, kStart);
  pair.one.outbound.flush();
  EXPECT(pair.one.sent.batches == (std::vector<size_t>{44, 6}));  // 44 * 1460 <= 65507
}

TEST("outbound: our own vxlan-sealed message does not go into the tunnel again") {
  Pair pair;
  pair.connect(kStart);
  uint8_t outer[4] = {192, 0, 2, 2};
  EXPECT(pair.one.tables.insertPrefix(outer, 32, 0));
  pair.one.tables.publishRoutes();
  Endpoint there = test::endpointAt(2);
  there.vni = 7;
  pair.one.tables.setEndpoint(0, there);
  pair.one.packet(packetTo(2, 10), kStart);
  pair.one.outbound.flush();
  Fields fields{.protocol = kProtocolUdp, .destinationPort = 51820};
  fields.payload = pair.one.sent.datagrams.at(0);
  Packet own = test::makePacket(fields);
  std::memcpy(own.data() + 16, outer, 4);
  test::fixChecksums(own, kIpv4Header, kProtocolUdp);
  pair.one.packet(own, kStart);
  EXPECT_EQUAL(pair.one.drops(Drop::loop), uint64_t{1});
  own[20 + 8 + 6] = 8;  // another VNI: somebody else's
  pair.one.packet(own, kStart);
  EXPECT_EQUAL(pair.one.drops(Drop::loop), uint64_t{1});
}

}  // namespace heddle
