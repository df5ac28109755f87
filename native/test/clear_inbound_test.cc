// Wire -> TUN for clear peers and for sealed ones behind VXLAN.
#include "datapath/inbound.h"
#include "test/clear.h"
#include "test/test.h"
#include "wire/wireguard.h"

namespace heddle {

namespace {

using test::ClearEnd;
using test::End;
using test::Fields;
using test::Frame;
using test::Packet;
using test::Pair;

constexpr Instant kStart = seconds(1000);
const Mac kEverybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const Mac kSolicited{0x33, 0x33, 0xff, 0, 0, 1};

Packet packetFrom(uint8_t host, size_t payload, Family family = Family::ipv4, uint8_t hops = 64) {
  Fields fields{.family = family, .protocol = kProtocolUdp, .source = host, .destination = 1};
  fields.hopLimit = hops;
  fields.payload = test::randomPayload(payload);
  return test::makePacket(fields);
}

// What becomes of one datagram: its drop, or none.
Drop fateOf(End& end, const Packet& datagram, const Endpoint& source, const Arrival& arrival,
            Instant now = kStart) {
  std::array<uint64_t, kDropCount> before{};
  for (size_t i = 0; i < kDropCount; i++) before[i] = end.counters.drops[i].get();
  end.datagram(datagram, source, now, arrival);
  end.inbound.flush();
  Drop fate = Drop::none;
  for (size_t i = 0; i < kDropCount; i++) {
    if (end.counters.drops[i].get() == before[i]) continue;
    EXPECT(fate == Drop::none);
    EXPECT_EQUAL(end.counters.drops[i].get(), before[i] + 1);
    fate = static_cast<Drop>(i);
  }
  return fate;
}

Drop frameFate(End& end, const Frame& frame, const Packet& payload, Instant now = kStart) {
  Packet datagram = test::inFrame(frame, payload);
  return fateOf(end, datagram, test::endpointAt(2, 40000), test::kOnVxlan, now);
}

Drop udpFate(End& end, const Packet& datagram, Instant now = kStart) {
  return fateOf(end, datagram, test::endpointAt(3, test::kUdpPort), test::kOnUdp, now);
}

uint64_t dropsOf(const End& end, uint32_t slot, Drop reason) {
  return end.tables.traffic(slot).drops[static_cast<size_t>(reason)];
}

}  // namespace

TEST("inbound: a clear vxlan peer's frames are delivered and counted") {
  ClearEnd end;
  Packet v4 = packetFrom(2, 100);
  Packet v6 = packetFrom(2, 7, Family::ipv6);
  EXPECT(frameFate(end, {}, v4) == Drop::none);
  EXPECT(frameFate(end, {.type = kEtherTypeIpv6}, v6, kStart + 1) == Drop::none);
  // A short frame is padded to 60 bytes, a host behind the peer's bridge has an address of its own,
  // and hops are not taken.
  Packet tiny = packetFrom(2, 1, Family::ipv4, 1);
  Packet padded = tiny;
  padded.resize(46);
  EXPECT(frameFate(end, {.from = test::macOf(0x99)}, padded, kStart + 2) == Drop::none);
  EXPECT(end.delivered.packets == (std::vector<Packet>{v4, v6, tiny}));
  size_t inner = v4.size() + v6.size() + tiny.size();
  EXPECT_EQUAL(end.count(Counter::innerOut), uint64_t{3});
  EXPECT_EQUAL(end.count(Counter::innerOutBytes), inner);
  EXPECT_EQUAL(end.count(Counter::plaintextInBytes), inner);
  EXPECT_EQUAL(end.count(Counter::opened), uint64_t{0});
  PeerTraffic traffic = end.tables.traffic(0);
  EXPECT_EQUAL(traffic.rxBytes, v4.size() + v6.size() + padded.size() + 3 * kFrameOverhead);
  EXPECT_EQUAL(traffic.rxPackets, uint64_t{3});
  EXPECT_EQUAL(end.tables.activity(0).lastReceived, kStart + 2);
  EXPECT(end.events.raised.empty());
}

TEST("inbound: reserved bits of a VXLAN header mean nothing, and the I bit is needed") {
  ClearEnd end;
  Packet good = test::inFrame({}, packetFrom(2, 10));
  for (size_t bit = 0; bit < 64; bit++) {
    Packet changed = good;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1 << (bit % 8)));
    Drop expected = Drop::none;
    if (bit == 3) expected = Drop::clearHeader;
    if (bit / 8 >= 4 && bit / 8 <= 6) expected = Drop::clearSource;
    EXPECT(fateOf(end, changed, test::endpointAt(2), test::kOnVxlan) == expected);
  }
}

TEST("inbound: frames are from a clear peer's address, port and VNI, or nobody's") {
  ClearEnd end;
  Packet good = test::inFrame({}, packetFrom(2, 10));
  auto from = [&](const Endpoint& source, const Arrival& arrival) {
    return fateOf(end, good, source, arrival);
  };
  EXPECT(from(test::endpointAt(2, 1), test::kOnVxlan) == Drop::none);
  EXPECT(from(test::endpointAt(4), test::kOnVxlan) == Drop::clearSource);
  EXPECT(from(test::endpointAt(2), {PortKind::vxlan, 8472}) == Drop::clearSource);
  EXPECT(from(test::endpointAt(2), {PortKind::udp, test::kVxlanPort}) == Drop::clearSource);
  EXPECT(from(test::endpointAt(3), test::kOnVxlan) == Drop::clearSource);
  EXPECT(from(test::endpoint6At(2, 1), test::kOnVxlan) == Drop::clearSource);
  EXPECT(frameFate(end, {.vni = 2}, packetFrom(2, 10)) == Drop::clearSource);
  EXPECT(frameFate(end, {.vni = 0}, packetFrom(2, 10)) == Drop::clearSource);
  // An outer IPv6 address is another place.
  Encapsulation moved = test::vxlanTo(2);
  moved.endpoint = test::endpoint6At(2, test::kVxlanPort);
  end.tables.setEncapsulation(0, moved);
  EXPECT(from(test::endpoint6At(2, 1), test::kOnVxlan) == Drop::none);
  EXPECT(from(test::endpointAt(2), test::kOnVxlan) == Drop::clearSource);
  end.tables.removePeer(0);
  EXPECT(from(test::endpoint6At(2, 1), test::kOnVxlan) == Drop::clearSource);
  end.tables.removePeer(1);
  EXPECT(from(test::endpoint6At(2, 1), test::kOnVxlan) == Drop::clearSource);
  EXPECT_EQUAL(end.reclaimer.collect(), size_t{0});
}

TEST("inbound: a frame is to our VTEP, and from no other peer's and no group") {
  ClearEnd end;
  end.addPeer(2, 4);
  EXPECT(end.tables.setEncapsulation(2, test::vxlanTo(4)));
  Packet packet = packetFrom(2, 10);
  struct Row {
    Frame frame;
    Drop fate;
    const char* why;
  };
  const Row rows[] = {
      {{.to = test::macOf(9)}, Drop::clearMac, "to somebody else"},
      {{.to = kEverybody}, Drop::clearMac, "to all, and no question"},
      {{.to = kSolicited}, Drop::clearMac, "to a group, and IPv4"},
      {{.to = {}}, Drop::clearMac, "to none"},
      {{.from = test::macOf(4)}, Drop::clearMac, "from the other peer's VTEP"},
      {{.from = kEverybody}, Drop::clearMac, "from all"},
      {{.from = {1, 0, 0x5e, 0, 0, 1}}, Drop::clearMac, "from a group"},
      {{.from = test::macOf(7)}, Drop::none, "from behind the peer"},
      {{.type = kEtherTypeIpv6}, Drop::openedMalformed, "IPv4 said to be IPv6"},
      {{.type = 0x8100}, Drop::clearEthertype, "a VLAN tag"},
      {{.type = 0x88cc}, Drop::clearEthertype, "LLDP"},
      {{.type = 46}, Drop::clearEthertype, "a length"},
  };
  for (const Row& row : rows) {
    if (frameFate(end, row.frame, packet) != row.fate) test::fail(__FILE__, __LINE__, row.why);
  }
  EXPECT_EQUAL(dropsOf(end, 0, Drop::clearMac), uint64_t{7});
  EXPECT_EQUAL(dropsOf(end, 2, Drop::clearMac), uint64_t{0});
  // Two peers may share a VTEP's address, and keep it.
  Encapsulation twin = test::vxlanTo(4, 2);
  twin.mac = test::macOf(2);
  end.tables.setEncapsulation(2, twin);
  EXPECT(frameFate(end, {}, packet) == Drop::none);
  EXPECT(frameFate(end, {.from = test::macOf(4)}, packet) == Drop::none);
  // Before there is a VTEP of ours.
  ClearEnd fresh;
  fresh.tables.setVtepMac(test::macOf(8));
  EXPECT(frameFate(fresh, {}, packet) == Drop::clearMac);
  EXPECT(frameFate(fresh, {.to = test::macOf(8)}, packet) == Drop::none);
}

TEST("inbound: what a clear peer sends is whole and from one of its own addresses") {
  ClearEnd end;
  Packet packet = packetFrom(2, 100);
  Packet cut = packet;
  cut.pop_back();
  EXPECT(frameFate(end, {}, cut) == Drop::openedMalformed);
  EXPECT(frameFate(end, {}, packetFrom(3, 100)) == Drop::openedSource);
  EXPECT(frameFate(end, {}, packetFrom(9, 100)) == Drop::openedSource);
  Packet strange = packet;
  strange[0] = 0x55;
  EXPECT(frameFate(end, {}, strange) == Drop::openedMalformed);
  // A router advertisement from a link-local address is an ordinary packet, and nobody's.
  Packet router = packetFrom(2, 16, Family::ipv6);
  router[6] = kNextHeaderIcmpv6;
  router[7] = 255;
  router[8] = 0xfe;
  router[9] = 0x80;
  router[40] = 134;
  EXPECT(frameFate(end, {.type = kEtherTypeIpv6}, router) == Drop::openedSource);
  EXPECT(udpFate(end, cut) == Drop::openedMalformed);
  EXPECT(udpFate(end, {}) == Drop::openedMalformed);
  EXPECT(udpFate(end, packetFrom(2, 100)) == Drop::openedSource);
  EXPECT_EQUAL(end.count(Counter::innerOut), uint64_t{0});
  EXPECT_EQUAL(end.tables.traffic(0).rxPackets, uint64_t{0});
  EXPECT_EQUAL(dropsOf(end, 0, Drop::openedSource), uint64_t{3});
}

TEST("inbound: a frame or header that is cut short is no frame") {
  ClearEnd end;
  Packet good = test::inFrame({}, packetFrom(2, 60));
  for (size_t length = 0; length < good.size(); length++) {
    Packet cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(length));
    Drop expected = length < kShortestFrame ? Drop::clearHeader : Drop::openedMalformed;
    EXPECT(fateOf(end, cut, test::endpointAt(2), test::kOnVxlan) == expected);
  }
}

TEST("inbound: bare packets lose a hop, and what stands behind them") {
  ClearEnd end;
  for (Family family : {Family::ipv4, Family::ipv6}) {
    end.delivered = {};
    Packet packet = packetFrom(3, 50, family, 9);
    Packet padded = test::concat(packet, Packet(13, 0xa5));
    EXPECT(udpFate(end, padded) == Drop::none);
    Packet expected = packetFrom(3, 50, family, 8);
    std::copy(packet.end() - 50, packet.end(), expected.end() - 50);
    test::fixChecksums(expected, family == Family::ipv4 ? 20 : 40, kProtocolUdp);
    EXPECT(end.delivered.packets == (std::vector<Packet>{expected}));
    EXPECT(udpFate(end, packetFrom(3, 5, family, 2)) == Drop::none);
    EXPECT(udpFate(end, packetFrom(3, 5, family, 1)) == Drop::ttl);
    EXPECT(udpFate(end, packetFrom(3, 5, family, 0)) == Drop::ttl);
  }
  EXPECT_EQUAL(dropsOf(end, 1, Drop::ttl), uint64_t{4});
  Packet packet = packetFrom(3, 5);
  EXPECT(fateOf(end, packet, test::endpointAt(3, 9), test::kOnUdp) == Drop::none);
  EXPECT(fateOf(end, packet, test::endpointAt(2), test::kOnUdp) == Drop::clearSource);
  EXPECT(fateOf(end, packet, test::endpointAt(3), {PortKind::udp, 1}) == Drop::clearSource);
  EXPECT_EQUAL(end.tables.traffic(1).rxBytes, uint64_t{(78 + 13) + 33 + (98 + 13) + 53 + 33});
}

TEST("inbound: plaintext ends at its instant") {
  ClearEnd end;
  end.tables.setEncapsulation(0, test::vxlanTo(2, 1, kStart));
  end.tables.setEncapsulation(1, test::udpTo(3, kStart));
  EXPECT(frameFate(end, {}, packetFrom(2, 1), kStart - 1) == Drop::none);
  EXPECT(frameFate(end, {}, packetFrom(2, 1), kStart) == Drop::clearEnded);
  EXPECT(udpFate(end, packetFrom(3, 1), kStart - 1) == Drop::none);
  EXPECT(udpFate(end, packetFrom(3, 1), kStart) == Drop::clearEnded);
  Frame question{.to = kEverybody, .type = kEtherTypeArp};
  EXPECT(frameFate(end, question, test::arpRequest(2, 1)) == Drop::clearEnded);
  EXPECT(end.answers.datagrams.empty());
  end.tables.setEncapsulation(0, test::vxlanTo(2, 1, kStart + 5));
  EXPECT(frameFate(end, {}, packetFrom(2, 1), kStart + 4) == Drop::none);
}

TEST("inbound: a peer that is sealed from now on is found on no clear port") {
  ClearEnd end;
  end.tables.setEncapsulation(0, {.kind = EncapsulationKind::vxlanSealed, .vni = 1});
  EXPECT(frameFate(end, {}, packetFrom(2, 1)) == Drop::clearSource);
  end.tables.setEncapsulation(0, {});
  EXPECT(frameFate(end, {}, packetFrom(2, 1)) == Drop::clearSource);
  end.tables.setEncapsulation(0, test::vxlanTo(2));
  EXPECT(frameFate(end, {}, packetFrom(2, 1)) == Drop::none);
  EXPECT_EQUAL(end.reclaimer.collect(), size_t{0});
}

TEST("inbound: answers who asks by ARP for our own address") {
  ClearEnd end;
  for (const Mac& to : {kEverybody, test::kOwnMac}) {
    end.answers = {};
    Frame question{.to = to, .type = kEtherTypeArp};
    Packet padded = test::arpRequest(2, 1);
    padded.resize(46);
    EXPECT(frameFate(end, question, padded) == Drop::none);
    Packet reply = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 1,
                    10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2};
    Packet datagram =
        test::inFrame({.to = test::macOf(2), .from = test::kOwnMac, .type = kEtherTypeArp}, reply);
    EXPECT(end.answers.datagrams == (std::vector<Packet>{datagram}));
    EXPECT(end.answers.to[0] == test::endpointAt(2, test::kVxlanPort));
  }
  EXPECT_EQUAL(end.count(Counter::neighbourAnswers), uint64_t{2});
  EXPECT_EQUAL(end.count(Counter::innerOut), uint64_t{0});
}

TEST("inbound: answers no other ARP") {
  ClearEnd end;
  uint8_t any[4] = {};
  EXPECT(end.tables.insertPrefix(any, 0, 0));  // even the unspecified address is the peer's
  end.tables.publishRoutes();
  Frame question{.to = kEverybody, .type = kEtherTypeArp};
  auto changed = [&](size_t at, uint8_t value) {
    Packet arp = test::arpRequest(2, 1);
    arp[at] = value;
    return frameFate(end, question, arp);
  };
  EXPECT(frameFate(end, question, test::arpRequest(2, 9)) == Drop::clearEthertype);
  EXPECT(frameFate(end, question, test::arpRequest(3, 1)) == Drop::openedSource);
  EXPECT(changed(1, 6) == Drop::clearEthertype);
  EXPECT(changed(3, 1) == Drop::clearEthertype);
  EXPECT(changed(4, 8) == Drop::clearEthertype);
  EXPECT(changed(5, 16) == Drop::clearEthertype);
  EXPECT(changed(7, 2) == Drop::clearEthertype);
  Packet probe = test::arpRequest(2, 1);
  std::fill_n(probe.begin() + kArpSenderAddress, 4, uint8_t{0});
  EXPECT(frameFate(end, question, probe) == Drop::openedSource);
  Packet cut = test::arpRequest(2, 1);
  cut.pop_back();
  EXPECT(frameFate(end, question, cut) == Drop::clearEthertype);
  question.to = test::macOf(9);
  EXPECT(frameFate(end, question, test::arpRequest(2, 1)) == Drop::clearMac);
  question = {.to = kEverybody, .from = test::macOf(3), .type = kEtherTypeArp};
  EXPECT(frameFate(end, question, test::arpRequest(2, 1)) == Drop::none);  // udp peers have none
  EXPECT_EQUAL(end.answers.datagrams.size(), size_t{1});
}

TEST("inbound: answers neighbour solicitations for our own address") {
  ClearEnd end;
  for (const Mac& to : {kSolicited, test::kOwnMac}) {
    end.answers = {};
    Packet question = test::solicitation(2, 1);
    if (to == test::kOwnMac) {  // a kernel that looks after us asks from its link-local address
      question[8] = 0xfe;
      question[9] = 0x80;
      test::fixIcmpv6(question);
    }
    EXPECT(frameFate(end, {.to = to, .type = kEtherTypeIpv6}, question) == Drop::none);
    const Packet& datagram = end.answers.datagrams.at(0);
    EXPECT_EQUAL(datagram.size(), kFrameOverhead + 72);
    EXPECT(loadMac(datagram.data() + 8) == test::macOf(2));
    EXPECT(loadMac(datagram.data() + 14) == test::kOwnMac);
    EXPECT_EQUAL(loadBe16(datagram.data() + 20), kEtherTypeIpv6);
    Packet answer(datagram.begin() + kFrameOverhead, datagram.end());
    EXPECT_EQUAL(innerLength(answer.data(), answer.size()), size_t{72});
    EXPECT(std::equal(answer.begin() + 8, answer.begin() + 24, question.begin() + 48));
    EXPECT(std::equal(answer.begin() + 24, answer.begin() + 40, question.begin() + 8));
    EXPECT(std::equal(answer.begin() + 48, answer.begin() + 64, question.begin() + 48));
    const Packet icmp = {136, 0, answer[42], answer[43], 0x60, 0, 0, 0};
    EXPECT(std::equal(icmp.begin(), icmp.end(), answer.begin() + 40));
    const Packet option = {2, 1, 2, 0, 0, 0, 0, 1};
    EXPECT(std::equal(option.begin(), option.end(), answer.begin() + 64));
    EXPECT_EQUAL(answer[7], 255);
    EXPECT(isSumRight(sumIcmpv6(answer.data(), answer.size())));
  }
  EXPECT_EQUAL(end.count(Counter::neighbourAnswers), uint64_t{2});
  EXPECT(end.delivered.frames.empty());
}

TEST("inbound: answers no other solicitation") {
  ClearEnd end;
  Frame toGroup{.to = kSolicited, .type = kEtherTypeIpv6};
  auto changed = [&](const Frame& frame, size_t at, uint8_t value, bool fix = true) {
    Packet question = test::solicitation(2, 1);
    question[at] = value;
    if (fix) test::fixIcmpv6(question);
    return frameFate(end, frame, question);
  };
  EXPECT(frameFate(end, toGroup, test::solicitation(2, 9)) == Drop::clearEthertype);
  EXPECT(frameFate(end, toGroup, test::solicitation(3, 1)) == Drop::openedSource);
  // Not a valid question: to the group it is nobody's, to us an ordinary packet.
  struct Row {
    size_t at;
    uint8_t value;
    const char* why;
  };
  const Row rows[] = {{6, 17, "UDP"},
                      {7, 254, "it was forwarded"},
                      {40, 136, "an advertisement"},
                      {41, 1, "another code"},
                      {48, 0xff, "a group's address"},
                      {65, 0, "an option without length"},
                      {65, 2, "an option past the end"}};
  Frame toUs{.type = kEtherTypeIpv6};
  for (const Row& row : rows) {
    bool isRight = changed(toGroup, row.at, row.value) == Drop::clearMac &&
                   changed(toUs, row.at, row.value) == Drop::none;
    if (!isRight) test::fail(__FILE__, __LINE__, row.why);
  }
  EXPECT(changed(toGroup, 43, 0x77, false) == Drop::clearMac);
  Packet search = test::solicitation(2, 1);
  std::fill_n(search.begin() + 8, 16, uint8_t{0});
  test::fixIcmpv6(search);
  EXPECT(frameFate(end, toGroup, search) == Drop::openedSource);
  EXPECT(frameFate(end, {.to = kEverybody, .type = kEtherTypeIpv6}, test::solicitation(2, 1)) ==
         Drop::clearMac);
  EXPECT(end.answers.datagrams.empty());
}

TEST("inbound: the packets of a clear peer's flow become a super-packet") {
  ClearEnd end({.tcp = true, .udp = true});
  Fields fields{.source = 2, .destination = 1};
  fields.payload = test::randomPayload(1000);
  for (int i = 0; i < 5; i++) {
    Packet datagram = test::inFrame({}, test::makePacket(fields));
    end.datagram(datagram, test::endpointAt(2), kStart, test::kOnVxlan);
    fields.sequence += 1000;
  }
  end.inbound.flush();
  EXPECT_EQUAL(end.delivered.frames.size(), size_t{1});
  EXPECT_EQUAL(end.delivered.count, size_t{5});
  EXPECT_EQUAL(end.count(Counter::tunSuperOut), uint64_t{1});
}

TEST("inbound: a checksum that a kernel left for the hardware is made whole") {
  ClearEnd end;
  for (uint8_t protocol : Packet{kProtocolTcp, kProtocolUdp}) {
    for (Family family : {Family::ipv4, Family::ipv6}) {
      Fields fields{.family = family, .protocol = protocol, .source = 2, .destination = 1};
      fields.payload = test::randomPayload(33);
      Packet whole = test::makePacket(fields);
      size_t at = family == Family::ipv4 ? kIpv4Header : kIpv6Header;
      Sum pseudo = sumPseudoHeader(family, whole.data(), protocol) +
                   sumBe16(static_cast<uint16_t>(whole.size() - at));
      size_t field = at + (protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt);
      Packet partial = whole;
      storeLe16(partial.data() + field, foldSum(pseudo));
      Packet wrong = whole;
      wrong[field] = static_cast<uint8_t>(wrong[field] ^ 1);
      end.delivered = {};
      Frame frame{.type = family == Family::ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6};
      for (const Packet& packet : {whole, partial, wrong}) frameFate(end, frame, packet);
      EXPECT(end.delivered.packets == (std::vector<Packet>{whole, whole, wrong}));
    }
  }
}

TEST("inbound: a sealed message in another form than its peer's is dropped unopened") {
  struct Row {
    uint32_t configured, sent;  // VNIs; 0: bare
    Drop fate;
  };
  const Row rows[] = {{0, 0, Drop::none},
                      {7, 7, Drop::none},
                      {0, 7, Drop::encapsulation},
                      {7, 0, Drop::encapsulation},
                      {7, 8, Drop::encapsulation}};
  for (const Row& row : rows) {
    Pair pair;
    pair.connect(kStart);
    if (row.configured != 0) {
      Encapsulation sealed{.kind = EncapsulationKind::vxlanSealed, .vni = row.configured};
      pair.two.tables.setEncapsulation(0, sealed);
    }
    Endpoint there = test::endpointAt(2);
    there.vni = row.sent;
    pair.one.tables.setEndpoint(0, there);
    pair.one.packet(test::makePacket({}), kStart);
    pair.one.outbound.flush();
    Packet datagram = pair.one.sent.datagrams.at(0);
    EXPECT(fateOf(pair.two, datagram, test::endpointAt(1), {}) == row.fate);
    EXPECT_EQUAL(dropsOf(pair.two, 0, Drop::encapsulation), row.fate == Drop::none ? 0u : 1u);
    EXPECT_EQUAL(pair.two.count(Counter::opened), row.fate == Drop::none ? 1u : 0u);
  }
}

TEST("inbound: a peer behind VXLAN that speaks from elsewhere is followed there, in its form") {
  Pair pair;
  pair.connect(kStart);
  Endpoint there = test::endpointAt(2);
  there.vni = 7;
  pair.one.tables.setEndpoint(0, there);
  pair.two.tables.setEncapsulation(0, {.kind = EncapsulationKind::vxlanSealed, .vni = 7});
  pair.one.packet(test::makePacket({}), kStart);
  pair.one.outbound.flush();
  pair.two.datagram(pair.one.sent.datagrams.at(0), test::endpointAt(9), kStart);
  Endpoint moved = test::endpointAt(9);
  moved.vni = 7;
  EXPECT(pair.two.events.lastEndpoint == moved);
  pair.two.outbound.sendKeepalive(0, kStart);
  EXPECT(pair.two.sent.to.at(0) == moved);
  EXPECT_EQUAL(pair.two.sent.datagrams.at(0).size(), size_t{40});
}

TEST("inbound: what is behind VXLAN on the listen port is a whole WireGuard message") {
  Pair pair;
  End& end = pair.two;
  std::array<uint8_t, 32> key;
  key.fill(3);
  end.tables.setMac1Key(std::span<const uint8_t, 32>(key));
  auto behind = [](uint32_t vni, const Packet& message) {
    Packet header(kVxlanHeader);
    emitVxlan(header.data(), vni);
    return test::concat(header, message);
  };
  Packet initiation = test::randomPayload(148);
  storeLe32(initiation.data(), 1);
  Blake2s hash(16, std::span<const uint8_t, 32>(key));
  hash.update({initiation.data(), 116});
  hash.final(initiation.data() + 116);
  auto fate = [&](const Packet& datagram) {
    return fateOf(end, datagram, test::endpointAt(9), {});
  };
  EXPECT(fate(behind(5, initiation)) == Drop::none);
  EXPECT(end.events.handshakes == (std::vector<Packet>{initiation}));
  EXPECT_EQUAL(end.events.handshakeSource.vni, 5u);
  EXPECT(fate(initiation) == Drop::none);
  EXPECT_EQUAL(end.events.handshakeSource.vni, 0u);
  EXPECT(fate(behind(0, initiation)) == Drop::datagramType);
  for (size_t length = 1; length < kVxlanHeader + kDataOverhead; length++) {
    Packet cut = behind(5, initiation);
    cut.resize(length);
    EXPECT(fate(cut) == Drop::datagramLength);
  }
  Packet longer = initiation;
  longer.push_back(0);
  EXPECT(fate(behind(5, longer)) == Drop::datagramLength);
  EXPECT(fate(behind(5, behind(5, initiation))) == Drop::datagramType);
  Packet reserved = behind(5, initiation);
  reserved[1] = reserved[2] = reserved[3] = reserved[7] = 0xff;
  EXPECT(fate(reserved) == Drop::none);
  reserved[0] = 0x0c;  // another flag: not the form that is ours
  EXPECT(fate(reserved) == Drop::datagramType);
}

// Each datagram lies in memory of exactly its length, so that a sanitizer sees every byte read past
// its end.
TEST("inbound: hostile datagrams of any length are dropped, answered or delivered, and no more") {
  ClearEnd end({.tcp = true, .udp = true});
  const std::vector<Packet> seeds = {
      test::inFrame({}, packetFrom(2, 100)),
      test::inFrame({.type = kEtherTypeIpv6}, packetFrom(2, 100, Family::ipv6)),
      test::inFrame({.to = kEverybody, .type = kEtherTypeArp}, test::arpRequest(2, 1)),
      test::inFrame({.to = kSolicited, .type = kEtherTypeIpv6}, test::solicitation(2, 1)),
      packetFrom(3, 100),
      packetFrom(3, 100, Family::ipv6)};
  const Endpoint sources[] = {test::endpointAt(2), test::endpointAt(3), test::endpointAt(9)};
  const Arrival arrivals[] = {test::kOnVxlan, test::kOnUdp, {}};
  uint64_t sent = 0;
  for (size_t length = 0; length <= 200; length++) {
    for (size_t round = 0; round < 60; round++) {
      Packet bytes = round % 4 == 0 ? test::randomPayload(length) : seeds[round % seeds.size()];
      bytes.resize(length);
      for (size_t flips = test::random(4); length > 0 && flips > 0; flips--) {
        bytes[test::random(length)] = static_cast<uint8_t>(test::random());
      }
      std::unique_ptr<uint8_t[]> exact(new uint8_t[length]);
      std::copy(bytes.begin(), bytes.end(), exact.get());
      end.inbound.datagram({exact.get(), length}, sources[test::random(3)],
                           arrivals[test::random(3)], kStart);
      sent++;
      if (round % 7 == 0) end.inbound.flush();
    }
  }
  end.inbound.flush();
  EXPECT_EQUAL(
      sent, end.allDrops() + end.count(Counter::innerOut) + end.count(Counter::neighbourAnswers));
  EXPECT(end.count(Counter::innerOut) > 0);
  EXPECT(end.count(Counter::neighbourAnswers) > 0);
  EXPECT_EQUAL(end.delivered.count, end.count(Counter::innerOut));
}

}  // namespace heddle
