#include "datapath/outbound.h"

#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::End;
using test::Event;
using test::Fields;
using test::Packet;
using test::Pair;

constexpr Instant kStart = seconds(1000);

Packet packetTo(uint8_t host, size_t payload, Family family = Family::ipv4) {
  Fields fields{.family = family, .protocol = kProtocolUdp, .destination = host};
  fields.payload = test::randomPayload(payload);
  return test::makePacket(fields);
}

}  // namespace

TEST("outbound: drops what is not a whole packet, too long, or nobody's") {
  Pair pair;
  End& end = pair.one;
  end.tables.setMtu(1300);
  end.packet({}, kStart);
  end.packet(Packet(19, 0x45), kStart);
  Packet longer = packetTo(2, 10);
  longer.push_back(0);
  end.packet(longer, kStart);
  end.packet(Packet(100, 0x55), kStart);
  EXPECT_EQUAL(end.drops(Drop::innerMalformed), uint64_t{4});
  end.packet(packetTo(2, 1300 - 27), kStart);
  EXPECT_EQUAL(end.drops(Drop::innerTooBig), uint64_t{1});
  end.packet(packetTo(3, 10), kStart);
  EXPECT_EQUAL(end.drops(Drop::noRoute), uint64_t{1});
  end.addPeer(1, 4);
  end.packet(packetTo(4, 10), kStart);
  EXPECT_EQUAL(end.drops(Drop::noEndpoint), uint64_t{1});
  EXPECT_EQUAL(end.count(Counter::innerIn), uint64_t{7});
  EXPECT(end.events.raised.empty());
}

TEST("outbound: tells who sends to nobody, in bursts of fifty and then every ten milliseconds") {
  Pair pair;
  End& end = pair.one;
  for (int i = 0; i < 60; i++) end.packet(packetTo(3, 10), kStart);
  EXPECT_EQUAL(end.sent.refusals.size(), size_t{50});
  EXPECT_EQUAL(end.count(Counter::refusals), uint64_t{50});
  EXPECT_EQUAL(end.drops(Drop::noRoute), uint64_t{60});
  end.packet(packetTo(3, 10, Family::ipv6), kStart + 9'999);
  EXPECT_EQUAL(end.sent.refusals.size(), size_t{50});
  end.packet(packetTo(3, 2000, Family::ipv6), kStart + 10'000);
  EXPECT_EQUAL(end.sent.refusals.size(), size_t{50});  // too big is another fault
  end.packet(packetTo(3, 1200, Family::ipv6), kStart + 10'000);
  EXPECT_EQUAL(end.sent.refusals.size(), size_t{51});
  const Packet& told = end.sent.refusals.back();
  EXPECT_EQUAL(told.size(), size_t{1280});
  EXPECT_EQUAL(innerLength(told.data(), told.size()), told.size());
  EXPECT_EQUAL(told[23], uint8_t{3});  // from where it went
  EXPECT_EQUAL(told[39], uint8_t{1});
}

TEST("outbound: stages without a session, asks once, and flushes in order") {
  Pair pair;
  std::vector<Packet> packets;
  for (size_t i = 0; i < 5; i++) {
    packets.push_back(packetTo(2, 100 * i, i % 2 == 0 ? Family::ipv4 : Family::ipv6));
    pair.one.packet(packets[i], kStart);
  }
  EXPECT_EQUAL(pair.one.count(Counter::staged), uint64_t{5});
  EXPECT(pair.one.events.raised == (std::vector<Event>{{"staged", 0}}));
  pair.one.outbound.flushStaged(0, true, kStart);  // still no session
  EXPECT(pair.one.sent.datagrams.empty());
  pair.connect(kStart);
  pair.one.outbound.flushStaged(0, true, kStart);
  EXPECT_EQUAL(pair.one.sent.datagrams.size(), size_t{5});
  pair.carry(kStart);
  EXPECT(pair.two.delivered.packets.size() == 5);
  // The second end knows fd00::1 and 10.0.0.1 as its peer's.
  EXPECT(pair.two.delivered.packets == packets);
  pair.one.outbound.flushStaged(0, true, kStart);
  EXPECT_EQUAL(pair.one.count(Counter::keepaliveOut), uint64_t{1});
  pair.one.outbound.flushStaged(0, false, kStart);
  EXPECT_EQUAL(pair.one.count(Counter::sealed), uint64_t{6});
}

TEST("outbound: keeps the newest 128 staged packets") {
  Pair pair;
  for (size_t i = 0; i < 200; i++) pair.one.packet(packetTo(2, i), kStart);
  EXPECT_EQUAL(pair.one.drops(Drop::stagedOverflow), uint64_t{72});
  pair.connect(kStart);
  pair.one.outbound.flushStaged(0, false, kStart);
  pair.carry(kStart);
  EXPECT_EQUAL(pair.two.delivered.packets.size(), size_t{128});
  EXPECT_EQUAL(pair.two.delivered.packets.front().size(), size_t{28 + 72});
}

TEST("outbound: gives up staged packets on command and with their peer") {
  Pair pair;
  End& end = pair.one;
  end.packet(packetTo(2, 1), kStart);
  end.packet(packetTo(2, 2), kStart);
  end.tables.rearmStaged(0);
  end.outbound.dropStaged(0);
  EXPECT_EQUAL(end.drops(Drop::stagedExpired), uint64_t{2});
  end.packet(packetTo(2, 3), kStart);
  EXPECT_EQUAL(end.events.count("staged"), size_t{2});
  EXPECT(end.tables.removePeer(0));
  end.packet(packetTo(2, 4), kStart);
  EXPECT_EQUAL(end.drops(Drop::noRoute), uint64_t{1});
  end.outbound.forget(0);
  EXPECT_EQUAL(end.drops(Drop::stagedExpired), uint64_t{3});
  // A peer that takes the slot before the lane hears of it keeps its own.
  end.addPeer(0, 2);
  end.tables.setEndpoint(0, test::endpointAt(2));
  end.packet(packetTo(2, 5), kStart);
  end.tables.removePeer(0);
  end.addPeer(0, 2);
  end.tables.setEndpoint(0, test::endpointAt(2));
  end.packet(packetTo(2, 6), kStart);
  EXPECT_EQUAL(end.drops(Drop::stagedExpired), uint64_t{4});
  end.outbound.forget(0);
  EXPECT_EQUAL(end.drops(Drop::stagedExpired), uint64_t{4});
  EXPECT_EQUAL(end.events.count("staged"), size_t{4});
  EXPECT_EQUAL(end.reclaimer.collect(), size_t{0});
}

// A UDP packet of so many hops to 10.0.0.2 whose payload begins like a data message.
Packet tunnelDatagram(uint8_t hops, size_t length = 64) {
  Fields fields{.protocol = kProtocolUdp, .hopLimit = hops, .payload = Packet(length)};
  fields.payload[0] = 4;
  return test::makePacket(fields);
}

TEST("outbound: messages of a tunnel in the tunnel leave with fewer hops, and some not at all") {
  Pair pair;
  pair.connect(kStart);
  for (uint8_t hops : std::initializer_list<uint8_t>{255, 64, 9, 8, 0})
    pair.one.packet(tunnelDatagram(hops), kStart);
  pair.one.packet(packetTo(2, 1), kStart);
  pair.one.outbound.flush();
  std::vector<uint8_t> seen;
  for (const Via& via : pair.one.sent.vias) seen.push_back(via.hops);
  EXPECT(seen == (std::vector<uint8_t>{56, 56, 1, 0}));
  EXPECT_EQUAL(pair.one.drops(Drop::loop), uint64_t{2});
  EXPECT(pair.one.sent.batches == (std::vector<size_t>{2, 1, 1}));
}

TEST("outbound: never seals with a keypair of 180 s, and asks for a rekey from 120 s on, once") {
  Pair pair;
  pair.connect(kStart);
  pair.one.packet(packetTo(2, 1), kStart + seconds(120) - 1);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{0});
  pair.one.packet(packetTo(2, 1), kStart + seconds(120));
  pair.one.packet(packetTo(2, 1), kStart + seconds(180) - 1);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{1});
  EXPECT_EQUAL(pair.one.count(Counter::sealed), uint64_t{3});
  pair.one.packet(packetTo(2, 1), kStart + seconds(180));
  EXPECT_EQUAL(pair.one.count(Counter::sealed), uint64_t{3});
  EXPECT_EQUAL(pair.one.events.count("staged"), size_t{1});
  // The responder asks for none.
  Packet back = packetTo(1, 1);
  pair.two.packet(back, kStart + seconds(130));
  EXPECT_EQUAL(pair.two.events.count("rekey"), size_t{0});
  // A clock that is read before createdAt was counts as the same instant.
  pair.two.packet(back, kStart - 5);
  EXPECT_EQUAL(pair.two.count(Counter::sealed), uint64_t{2});
}

TEST("outbound: asks for a rekey at 2^60 messages and stops at the last counter") {
  Pair pair;
  pair.connect(kStart);
  Keypair* keypair = pair.one.tables.sessions().find(100);
  keypair->sendCounter = kRekeyAfterMessages - 2;
  pair.one.packet(packetTo(2, 1), kStart);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{0});
  pair.one.packet(packetTo(2, 1), kStart);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{1});
  keypair->sendCounter = kRejectAfterMessages - 1;
  pair.one.packet(packetTo(2, 1), kStart);
  EXPECT_EQUAL(pair.one.count(Counter::sealed), uint64_t{3});
  pair.one.packet(packetTo(2, 1), kStart);
  EXPECT_EQUAL(pair.one.count(Counter::sealed), uint64_t{3});
  EXPECT_EQUAL(pair.one.count(Counter::staged), uint64_t{1});
}

TEST("outbound: seals into batches that GSO can send") {
  Pair pair;
  End& end = pair.one;
  end.addPeer(1, 4);
  end.tables.setEndpoint(1, test::endpointAt(4));
  auto [initiator, responder] = test::sessionAt(kStart, 200);
  end.tables.installKeypair(1, initiator);
  end.tables.useKeypair(1, 200);
  pair.connect(kStart);
  auto batchesOf = [&](const std::vector<std::pair<uint8_t, size_t>>& packets) {
    end.sent.batches.clear();
    for (auto [host, payload] : packets) end.packet(packetTo(host, payload), kStart);
    end.outbound.flush();
    return end.sent.batches;
  };
  using Batches = std::vector<size_t>;
  EXPECT(batchesOf({{2, 1000}, {2, 1000}, {2, 1000}}) == (Batches{3}));
  EXPECT(batchesOf({{2, 1000}, {2, 1000}, {2, 10}, {2, 1000}}) == (Batches{3, 1}));  // shorter ends
  EXPECT(batchesOf({{2, 10}, {2, 1000}}) == (Batches{1, 1}));                        // longer
  EXPECT(batchesOf({{2, 1000}, {4, 1000}, {2, 1000}}) == (Batches{1, 1, 1}));        // another peer
  std::vector<std::pair<uint8_t, size_t>> many(100, {2, 10});
  EXPECT(batchesOf(many) == (Batches{63, 37}));
  many.assign(50, {2, 1420 - 28});
  EXPECT(batchesOf(many) == (Batches{45, 5}));  // 45 * 1452 <= 65507
  // The same peer behind another endpoint.
  end.sent.batches.clear();
  end.packet(packetTo(2, 10), kStart);
  end.tables.setEndpoint(0, test::endpointAt(9));
  end.packet(packetTo(2, 10), kStart);
  end.outbound.flush();
  EXPECT(end.sent.batches == (Batches{1, 1}));
  EXPECT(end.sent.to.back() == test::endpointAt(9));
  EXPECT_EQUAL(end.count(Counter::datagramOut), end.count(Counter::sealed));
}

TEST("outbound: a super-packet and its segments one by one seal to the same messages") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      Pair pair;
      pair.connect(kStart);
      Fields fields{.family = family, .protocol = protocol};
      fields.payload = test::randomPayload(20'000);
      fields.flags = kTcpAck | kTcpPush;
      Packet whole = test::makePacket(fields);
      Flow flow = classify(whole.data(), whole.size());
      uint8_t tcpType = family == Family::ipv4 ? kVirtioGsoTcp4 : kVirtioGsoTcp6;
      VirtioNetHeader header{
          .flags = kVirtioNeedsChecksum,
          .gsoType = protocol == kProtocolTcp ? tcpType : kVirtioGsoUdp,
          .headerLength = 0,
          .gsoSize = 1300,
          .checksumStart = flow.transportAt,
          .checksumOffset = protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt};
      pair.one.frame(header, whole, kStart);
      pair.one.outbound.flush();
      EXPECT(pair.one.sent.batches == (std::vector<size_t>{16}));
      EXPECT_EQUAL(pair.one.count(Counter::innerIn), uint64_t{16});
      EXPECT_EQUAL(pair.one.count(Counter::tunSuperIn), uint64_t{1});
      pair.carry(kStart);
      EXPECT_EQUAL(pair.two.delivered.packets.size(), size_t{16});
      Segmenter segmenter;
      Packet copy = whole;
      EXPECT(segmenter.begin(header, copy));
      for (const Packet& delivered : pair.two.delivered.packets) {
        auto segment = segmenter.next();
        EXPECT(delivered == Packet(segment.begin(), segment.end()));
        EXPECT(test::areChecksumsRight(delivered));
      }
      EXPECT_EQUAL(pair.two.count(Counter::innerOutBytes), pair.one.count(Counter::innerInBytes));
      // Staged, segment by segment, when there is no session.
      pair.one.tables.removeKeypair(100);
      pair.one.frame(header, whole, kStart);
      EXPECT_EQUAL(pair.one.count(Counter::staged), uint64_t{16});
      header.gsoSize = 1500;
      pair.one.frame(header, whole, kStart);
      EXPECT_EQUAL(pair.one.drops(Drop::innerTooBig), uint64_t{14});
    }
  }
}

TEST("outbound: completes a checksum that the kernel left, and refuses one outside the packet") {
  Pair pair;
  pair.connect(kStart);
  Packet whole = packetTo(2, 100);
  Packet partial = whole;
  Sum pseudo = sumPseudoHeader(Family::ipv4, whole.data(), kProtocolUdp) + sumBe16(108);
  storeLe16(partial.data() + 26, foldSum(pseudo));
  VirtioNetHeader header{.flags = kVirtioNeedsChecksum, .checksumStart = 20, .checksumOffset = 6};
  pair.one.frame(header, partial, kStart);
  pair.carry(kStart);
  EXPECT(pair.two.delivered.packets == (std::vector<Packet>{whole}));
  header.checksumStart = 4000;
  pair.one.frame(header, partial, kStart);
  header = {.gsoType = kVirtioGsoTcp4, .gsoSize = 100};
  pair.one.frame(header, partial, kStart);
  EXPECT_EQUAL(pair.one.drops(Drop::innerMalformed), uint64_t{2});
}

TEST("outbound: notes traffic, and raises activity once until it is read") {
  Pair pair;
  pair.connect(kStart);
  End& end = pair.one;
  end.packet(packetTo(2, 10), kStart + 1);
  end.packet(packetTo(2, 10), kStart + 2);
  EXPECT_EQUAL(end.events.count("activity"), size_t{1});
  EXPECT(end.events.lastActivity == (Activity{kStart + 1, 0, kStart + 1, 0}));
  Activity activity;
  EXPECT(end.tables.readActivity(0, activity));
  EXPECT(activity == (Activity{kStart + 2, 0, kStart + 1, 0}));
  end.events.isFull = true;
  end.packet(packetTo(2, 10), kStart + 3);
  end.events.isFull = false;
  end.packet(packetTo(2, 10), kStart + 4);
  EXPECT_EQUAL(end.events.count("activity"), size_t{2});
  end.tables.noteHandshake(0, false, 92, kStart + 5);
  end.tables.noteHandshake(0, true, 148, kStart + 6);
  end.outbound.sendKeepalive(0, kStart + 7);
  EXPECT(end.tables.activity(0) == (Activity{kStart + 7, kStart + 5, kStart + 1, 0}));
  end.packet(packetTo(2, 10), kStart + 8);
  EXPECT(end.tables.activity(0) == (Activity{kStart + 8, kStart + 5, kStart + 8, 0}));
  // 5 data messages of 48 padded bytes, a keepalive and an initiation.
  PeerTraffic traffic = end.tables.traffic(0);
  EXPECT_EQUAL(traffic.txBytes, uint64_t{5 * (48 + 32) + 32 + 148});
  EXPECT_EQUAL(traffic.txPackets, uint64_t{7});
  EXPECT_EQUAL(traffic.rxBytes, uint64_t{92});
}

}  // namespace heddle
