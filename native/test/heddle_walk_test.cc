// The walk of heddle's own protocol: keypairs of lanes and of either suite, control messages,
// checksums that are left to the peer's kernel.

#include <cstring>

#include "datapath/inbound.h"
#include "datapath/outbound.h"
#include "session/transport.h"
#include "test/test.h"
#include "test/walk.h"
#include "wire/wireguard.h"

namespace heddle {

namespace {

using test::Events;
using test::Fields;
using test::Packet;
using test::Pair;
using test::Sent;

constexpr Instant kStart = seconds(1000);
constexpr uint32_t kBase = 0x1230;
constexpr CoalesceOptions kJoin{.tcp = true, .udp = true};
constexpr Packet::value_type kControl = 0x10;

// The sub-keypairs of one lane of the session whose base has the index `base` at both ends.
std::pair<KeypairMaterial, KeypairMaterial> laneAt(Instant createdAt, uint32_t base, uint32_t lane,
                                                   Suite suite, bool trusts = true) {
  auto [initiator, responder] = test::sessionAt(createdAt, base | kLaneMark | lane);
  for (KeypairMaterial* material : {&initiator, &responder}) {
    material->localIndex = material->remoteIndex = base | kLaneMark | lane;
    material->suite = suite;
    material->lane = lane;
    material->trustsChecksums = trusts;
  }
  return {initiator, responder};
}

void install(Pair& pair, const std::pair<KeypairMaterial, KeypairMaterial>& both) {
  EXPECT(pair.one.tables.installKeypair(0, both.first));
  EXPECT(pair.two.tables.installKeypair(0, both.second));
}

void connect(Pair& pair, Suite suite, bool trusts = true, Instant createdAt = kStart) {
  install(pair, laneAt(createdAt, kBase, 0, suite, trusts));
  EXPECT(pair.one.tables.useKeypair(0, kBase | kLaneMark));
  EXPECT(pair.two.tables.useKeypair(0, kBase | kLaneMark));
}

Packet fromOne(size_t payload, uint8_t protocol = kProtocolTcp) {
  Fields fields;
  fields.protocol = protocol;
  fields.payload = test::randomPayload(payload);
  return test::makePacket(fields);
}

// As the kernel hands over what it leaves to the hardware.
VirtioNetHeader leave(Packet& packet) {
  Flow flow = classify(packet.data(), packet.size());
  uint16_t at = flow.protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt;
  auto length = static_cast<uint16_t>(packet.size() - flow.transportAt);
  Sum pseudo = sumPseudoHeader(flow.family, packet.data(), flow.protocol) + sumBe16(length);
  storeLe16(packet.data() + flow.transportAt + at, foldSum(pseudo));
  return {.flags = kVirtioNeedsChecksum, .checksumStart = flow.transportAt, .checksumOffset = at};
}

uint32_t typeOf(const Packet& message) { return loadLe32(message.data()); }

// A message of any type and plaintext, under the keypair with this index at the first end.
Packet sealRaw(Pair& pair, uint32_t index, uint64_t counter, const Packet& plaintext,
               bool isPartial) {
  Keypair* keypair = pair.one.tables.sessions().find(index);
  Packet room = test::withRoom(plaintext);
  Packet message(kSealRoomBefore + plaintext.size() + kDataOverhead);
  uint8_t* at = message.data() + kSealRoomBefore;
  size_t size = sealMessage(*keypair, counter, room.data() + kHeadroom, plaintext.size(),
                            plaintext.size(), at, isPartial);
  return {at, at + size};
}

}  // namespace

TEST("heddle walk: packets cross under either suite, in messages of heddle's own type") {
  for (Suite suite : kSuites) {
    Pair pair;
    connect(pair, suite);
    Packet packet = fromOne(1000);
    pair.one.packet(packet, kStart);
    pair.one.outbound.flush();
    EXPECT_EQUAL(typeOf(pair.one.sent.datagrams.at(0)), kTypeHeddle);
    EXPECT_EQUAL(dataReceiver(pair.one.sent.datagrams.at(0).data()), kBase | kLaneMark);
    pair.carry(kStart);
    EXPECT(pair.two.delivered.packets.at(0) == packet);
    EXPECT_EQUAL(pair.two.allDrops(), 0u);
  }
}

TEST("heddle walk: a message's type must be its keypair's, and cannot be changed on the way") {
  struct Row {
    bool isHeddle;
    uint32_t type;
    Drop reason;
  };
  const Row rows[] = {{true, kTypeData, Drop::datagramType},
                      {true, kTypeHeddlePartial, Drop::tag},
                      {false, kTypeHeddle, Drop::datagramType},
                      {false, kTypeHeddlePartial, Drop::datagramType}};
  for (const Row& row : rows) {
    Pair pair;
    if (row.isHeddle) {
      connect(pair, Suite::aes256Gcm);
    } else {
      pair.connect(kStart);
    }
    pair.one.packet(fromOne(100), kStart);
    pair.one.outbound.flush();
    Packet message = pair.one.sent.datagrams.at(0);
    storeLe32(message.data(), row.type);
    pair.two.datagram(message, test::endpointAt(1), kStart);
    EXPECT_EQUAL(pair.two.drops(row.reason), 1u);
    EXPECT_EQUAL(pair.two.allDrops(), 1u);
  }
}

TEST("heddle walk: each lane sends with its own keypair, and all with one that has no lane") {
  Pair pair;
  for (uint32_t lane : {0u, 1u}) {
    install(pair, laneAt(kStart, kBase, lane, Suite::aes256Gcm));
    EXPECT(pair.one.tables.useKeypair(0, kBase | kLaneMark | lane));
  }
  CounterBlock counters;
  Outbound second(pair.one.tables, pair.one.events, pair.one.sent, counters, 1);
  auto receiverOf = [&](Outbound& outbound) {
    pair.one.sent.datagrams.clear();
    outbound.sendKeepalive(0, kStart);
    return dataReceiver(pair.one.sent.datagrams.at(0).data());
  };
  EXPECT_EQUAL(receiverOf(pair.one.outbound), kBase | kLaneMark);
  EXPECT_EQUAL(receiverOf(second), kBase | kLaneMark | 1u);
  pair.connect(kStart, 100);
  EXPECT_EQUAL(receiverOf(pair.one.outbound), 101u);
  EXPECT_EQUAL(receiverOf(second), 101u);
  EXPECT(pair.one.tables.useKeypair(0, kBase | kLaneMark | 1));
  EXPECT_EQUAL(receiverOf(pair.one.outbound), 101u);
  EXPECT_EQUAL(receiverOf(second), kBase | kLaneMark | 1u);
}

TEST("heddle walk: a responder's lanes follow the first that was confirmed") {
  Pair pair;
  pair.connect(kStart, 100);
  for (uint32_t lane : {0u, 1u}) install(pair, laneAt(kStart + 1, kBase, lane, Suite::aes256Gcm));
  EXPECT(pair.one.tables.useKeypair(0, kBase | kLaneMark | 1));
  CounterBlock counters;
  Outbound theirs(pair.one.tables, pair.one.events, pair.one.sent, counters, 1);
  theirs.sendKeepalive(0, kStart + 1);
  pair.carry(kStart + 1);
  pair.two.sent.datagrams.clear();
  pair.two.outbound.sendKeepalive(0, kStart + 1);
  EXPECT_EQUAL(dataReceiver(pair.two.sent.datagrams.at(0).data()), kBase | kLaneMark);
}

TEST("heddle walk: a control message goes up, confirms, and promotes nothing") {
  Pair pair;
  pair.connect(kStart, 100);
  auto [initiator, responder] = test::sessionAt(kStart + 1, 300);
  initiator.takesControl = responder.takesControl = true;
  install(pair, std::pair(initiator, responder));
  Packet message(37, kControl);
  pair.one.outbound.sendControl(0, 300, message, kStart + 1);
  EXPECT_EQUAL(pair.one.count(Counter::controlOut), 1u);
  pair.carry(kStart + 1);
  EXPECT_EQUAL(pair.two.events.count("confirmed"), size_t{1});
  EXPECT_EQUAL(pair.two.events.count("control"), size_t{1});
  EXPECT_EQUAL(pair.two.events.count("activity"), size_t{0});
  EXPECT_EQUAL(pair.two.count(Counter::controlIn), 1u);
  EXPECT_EQUAL(pair.two.count(Counter::innerOut), 0u);
  // Its padding comes with it.
  Packet& taken = pair.two.events.controls.at(0);
  EXPECT_EQUAL(taken.size(), size_t{48});
  EXPECT(Packet(taken.begin(), taken.begin() + 37) == message);
  pair.two.sent.datagrams.clear();
  pair.two.outbound.sendKeepalive(0, kStart + 1);
  EXPECT_EQUAL(dataReceiver(pair.two.sent.datagrams.at(0).data()), 100u);
  // The first data message does.
  EXPECT(pair.one.tables.useKeypair(0, 300));
  pair.one.packet(fromOne(10), kStart + 1);
  pair.carry(kStart + 1);
  pair.two.sent.datagrams.clear();
  pair.two.outbound.sendKeepalive(0, kStart + 1);
  EXPECT_EQUAL(dataReceiver(pair.two.sent.datagrams.at(0).data()), 300u);
}

TEST(
    "heddle walk: control messages are taken where they were agreed on, of a length, as many as "
    "fit") {
  Pair pair;
  pair.connect(kStart, 100);
  pair.two.datagram(sealRaw(pair, 100, 0, Packet(16, kControl), false), test::endpointAt(1),
                    kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::openedProtocol), 1u);
  connect(pair, Suite::chacha20Poly1305);
  pair.two.datagram(sealRaw(pair, kBase | kLaneMark, 0, Packet(16, kControl), false),
                    test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::openedProtocol), 2u);
  auto [initiator, responder] = test::sessionAt(kStart + 1, 300);
  initiator.takesControl = responder.takesControl = true;
  install(pair, std::pair(initiator, responder));
  uint32_t index = 300;
  pair.two.datagram(sealRaw(pair, index, 0, Packet(kMaxControl + 1, kControl), false),
                    test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::controlLength), 1u);
  pair.two.datagram(sealRaw(pair, index, 1, Packet(kMaxControl, kControl), false),
                    test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.events.count("control"), size_t{1});
  pair.two.events.isFull = true;
  pair.two.datagram(sealRaw(pair, index, 2, Packet(16, kControl), false), test::endpointAt(1),
                    kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::controlOverflow), 1u);
}

TEST("heddle walk: sending control needs a keypair of this peer that lives, and an endpoint") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  uint32_t index = kBase | kLaneMark;
  Packet message(16, kControl);
  pair.one.addPeer(1, 9);
  pair.one.outbound.sendControl(1, index, message, kStart);
  pair.one.outbound.sendControl(2, index, message, kStart);
  pair.one.outbound.sendControl(0, index + 1, message, kStart);
  pair.one.outbound.sendControl(0, index, message, kStart + kRejectAfterTime);
  EXPECT_EQUAL(pair.one.sent.datagrams.size(), size_t{0});
  EXPECT_EQUAL(pair.one.count(Counter::controlOut), 0u);
}

TEST("heddle walk: a control message under a lane's keypair is sealed by that lane alone") {
  Events events;
  Sent sent;
  CounterBlock counters;
  Reclaimer reclaimer;
  Tables tables(reclaimer, 2);
  EXPECT(tables.addPeer(0));
  EXPECT(tables.setEndpoint(0, test::endpointAt(2)));
  uint32_t index = kBase | kLaneMark | 1;
  EXPECT(tables.installKeypair(0, laneAt(kStart, kBase, 1, Suite::aes256Gcm).first));
  for (uint32_t lane : {0u, 1u}) {
    Outbound outbound(tables, events, sent, counters, lane);
    outbound.sendControl(0, index, Packet(16, kControl), kStart);
    EXPECT_EQUAL(sent.datagrams.size(), size_t{lane});
  }
}

TEST("heddle walk: nothing is sealed for a clear peer, control messages neither") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Encapsulation clear{
      .kind = EncapsulationKind::vxlan, .vni = 7, .endpoint = test::endpointAt(2, 4789)};
  EXPECT(pair.one.tables.setEncapsulation(0, clear));
  pair.one.outbound.sendControl(0, kBase | kLaneMark, Packet(16, kControl), kStart);
  EXPECT_EQUAL(pair.one.sent.datagrams.size(), size_t{0});
}

TEST("heddle walk: a lane that only the peer has promotes a later session, never an earlier one") {
  for (bool isLater : {true, false}) {
    Pair pair;
    Instant made = isLater ? kStart + 2 : kStart;
    connect(pair, Suite::aes256Gcm, true, kStart + 1);
    for (uint32_t lane : {0u, 5u}) {
      install(pair, laneAt(made, kBase + 16, lane, Suite::aes256Gcm));
    }
    Packet keepalive = sealRaw(pair, (kBase + 16) | kLaneMark | 5, 0, Packet{}, false);
    pair.two.datagram(keepalive, test::endpointAt(1), kStart + 2);
    pair.two.outbound.sendKeepalive(0, kStart + 2);
    uint32_t base = isLater ? kBase + 16 : kBase;
    EXPECT_EQUAL(dataReceiver(pair.two.sent.datagrams.at(0).data()), base | kLaneMark);
  }
}

TEST("heddle walk: no lane sends with the keypair of another, whatever index it has") {
  Pair pair;
  pair.connect(kStart, 100);
  auto [initiator, responder] = laneAt(kStart + 1, kBase, 1, Suite::aes256Gcm);
  auto odd = laneAt(kStart + 1, kBase, 0, Suite::aes256Gcm);
  odd.second.lane = 1;
  install(pair, std::pair(initiator, responder));
  install(pair, odd);
  Packet keepalive = sealRaw(pair, kBase | kLaneMark | 1, 0, Packet{}, false);
  pair.two.datagram(keepalive, test::endpointAt(1), kStart + 1);
  pair.two.outbound.sendKeepalive(0, kStart + 1);
  EXPECT_EQUAL(dataReceiver(pair.two.sent.datagrams.at(0).data()), 100u);
}

TEST("heddle walk: AES-256-GCM asks for a successor at 2^30 messages and ends at 2^32") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Keypair& keypair = *pair.one.tables.sessions().find(kBase | kLaneMark);
  keypair.sendCounter = kAesRekeyAfterMessages - 2;
  pair.one.packet(fromOne(10), kStart);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{0});
  pair.one.packet(fromOne(10), kStart);
  EXPECT_EQUAL(pair.one.events.count("rekey"), size_t{1});
  keypair.sendCounter = kAesRejectAfterMessages - 1;
  pair.one.packet(fromOne(10), kStart);
  EXPECT_EQUAL(pair.one.count(Counter::staged), 0u);
  pair.one.packet(fromOne(10), kStart);
  EXPECT_EQUAL(pair.one.count(Counter::staged), 1u);
  EXPECT_EQUAL(keypair.sendCounter.load(), kAesRejectAfterMessages);
  Packet late = sealRaw(pair, kBase | kLaneMark, kAesRejectAfterMessages, fromOne(10), false);
  pair.two.datagram(late, test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::counterLimit), 1u);
}

TEST("heddle walk: of a super-packet that has too few counters left, the rest is staged whole") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Keypair& keypair = *pair.one.tables.sessions().find(kBase | kLaneMark);
  keypair.sendCounter = kAesRejectAfterMessages - 3;
  Packet packet = fromOne(8000);
  VirtioNetHeader header = leave(packet);
  header.gsoType = kVirtioGsoTcp4;
  header.gsoSize = 1000;
  pair.one.frame(header, packet, kStart);
  EXPECT_EQUAL(keypair.sendCounter.load(), kAesRejectAfterMessages);
  EXPECT_EQUAL(pair.one.count(Counter::sealed), 3u);
  EXPECT_EQUAL(pair.one.count(Counter::staged), 5u);
  EXPECT_EQUAL(pair.one.tables.traffic(0).txPackets, 3u);
  pair.connect(kStart, 100);
  pair.one.outbound.flushStaged(0, false, kStart);
  pair.carry(kStart);
  EXPECT_EQUAL(pair.two.delivered.packets.size(), size_t{8});
  for (const Packet& each : pair.two.delivered.packets) {
    Packet whole = each;
    test::fixChecksums(whole, kIpv4Header, kProtocolTcp);
    EXPECT(whole == each);
  }
}

TEST("heddle walk: lanes that share a keypair share its counters, and none has one twice") {
  PeerEntry peer(0, 1);
  for (bool isHeddle : {false, true}) {
    KeypairMaterial material = laneAt(kStart, kBase, 0, Suite::aes256Gcm).first;
    if (!isHeddle) material = test::sessionAt(kStart).first;
    Keypair keypair(peer, material, true);
    EXPECT_EQUAL(keypair.takeCounters(45), 0u);
    EXPECT_EQUAL(keypair.takeCounters(1), 45u);
    EXPECT_EQUAL(keypair.takeCounters(1), 46u);
  }
}

TEST("heddle walk: a key that bore too many forgeries opens nothing more") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Keypair& keypair = *pair.two.tables.sessions().find(kBase | kLaneMark);
  keypair.failedTags = kAesMostFailedTags - 1;
  Packet message = sealRaw(pair, kBase | kLaneMark, 0, fromOne(10), false);
  Packet forged = message;
  forged.back() ^= 1;
  pair.two.datagram(forged, test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::tag), 1u);
  pair.two.datagram(message, test::endpointAt(1), kStart);
  EXPECT_EQUAL(pair.two.drops(Drop::counterLimit), 1u);
}

TEST("heddle walk: a checksum that the kernel left is left to the peer's kernel") {
  for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    Pair pair;
    connect(pair, Suite::aes256Gcm);
    Packet whole = fromOne(500, protocol);
    Packet left = whole;
    VirtioNetHeader header = leave(left);
    pair.one.frame(header, left, kStart);
    pair.one.outbound.flush();
    EXPECT_EQUAL(typeOf(pair.one.sent.datagrams.at(0)), kTypeHeddlePartial);
    pair.carry(kStart);
    Packet frame = pair.two.delivered.frames.at(0);
    EXPECT(parseVirtioNet(frame.data()) == header);
    EXPECT(Packet(frame.begin() + kVirtioNetHeader, frame.end()) == left);
    // As the kernel finishes it.
    std::span<uint8_t> inner(frame.data() + kVirtioNetHeader, left.size());
    EXPECT(completeChecksum(header, inner));
    EXPECT(Packet(inner.begin(), inner.end()) == whole);
  }
}

TEST("heddle walk: who does not trust checksums, and what has no flow, gets them made") {
  Pair distrusting;
  connect(distrusting, Suite::aes256Gcm, false);
  Packet whole = fromOne(500);
  Packet left = whole;
  VirtioNetHeader header = leave(left);
  distrusting.one.frame(header, left, kStart);
  distrusting.carry(kStart);
  EXPECT(distrusting.two.delivered.packets.at(0) == whole);
  // IPv4 options: the peer would not find the checksum by itself.
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Packet odd(left.size() + 4);
  std::memcpy(odd.data(), left.data(), kIpv4Header);
  std::memset(odd.data() + kIpv4Header, 1, 4);
  std::memcpy(odd.data() + kIpv4Header + 4, left.data() + kIpv4Header, left.size() - kIpv4Header);
  odd[0] = 0x46;
  setIpv4TotalLength(odd.data(), static_cast<uint16_t>(odd.size()));
  setIpv4Checksum(odd.data());
  header.checksumStart = kIpv4Header + 4;
  pair.one.frame(header, odd, kStart);
  pair.one.outbound.flush();
  EXPECT_EQUAL(typeOf(pair.one.sent.datagrams.at(0)), kTypeHeddle);
}

TEST("heddle walk: a super-packet crosses as one, its checksum never made") {
  for (Family family : {Family::ipv4, Family::ipv6}) {
    Pair pair(kJoin);
    connect(pair, Suite::aes256Gcm);
    Fields fields;
    fields.family = family;
    fields.payload = test::randomPayload(10'000);
    Packet packet = test::makePacket(fields);
    VirtioNetHeader header = leave(packet);
    header.gsoType = family == Family::ipv4 ? kVirtioGsoTcp4 : kVirtioGsoTcp6;
    header.gsoSize = 1300;
    Flow flow = classify(packet.data(), packet.size());
    header.headerLength = flow.payloadAt;
    pair.one.frame(header, packet, kStart);
    pair.carry(kStart);
    Packet& frame = pair.two.delivered.frames.at(0);
    EXPECT(parseVirtioNet(frame.data()) == header);
    EXPECT(Packet(frame.begin() + kVirtioNetHeader, frame.end()) == packet);
    EXPECT_EQUAL(pair.two.count(Counter::innerOut), 8u);
  }
}

TEST("heddle walk: packets with and without a finished checksum are not put together") {
  Pair pair(kJoin);
  connect(pair, Suite::aes256Gcm);
  Fields fields;
  fields.payload = test::randomPayload(1000);
  pair.one.packet(test::makePacket(fields), kStart);
  fields.sequence += 1000;
  fields.identifier++;
  Packet second = test::makePacket(fields);
  VirtioNetHeader header = leave(second);
  pair.one.frame(header, second, kStart);
  pair.carry(kStart);
  EXPECT_EQUAL(pair.two.delivered.frames.size(), size_t{2});
  EXPECT(parseVirtioNet(pair.two.delivered.frames.at(0).data()) == VirtioNetHeader{});
  EXPECT(parseVirtioNet(pair.two.delivered.frames.at(1).data()) == header);
}

TEST("heddle walk: a partial message must hold TCP or UDP whose checksum can be found") {
  Fields ping;
  ping.protocol = 1;
  ping.payload = test::randomPayload(20);
  Fields fragment;
  fragment.fragment = 0x2000;
  fragment.payload = test::randomPayload(24);
  const Packet rows[] = {test::makePacket(ping), test::makePacket(fragment), Packet{},
                         Packet(16, kControl), Packet(40, 0x45)};
  for (const Packet& row : rows) {
    Pair pair;
    auto [initiator, responder] = laneAt(kStart, kBase, 0, Suite::chacha20Poly1305);
    responder.takesControl = true;
    install(pair, std::pair(initiator, responder));
    Packet message = sealRaw(pair, kBase | kLaneMark, 0, row, true);
    pair.two.datagram(message, test::endpointAt(1), kStart);
    EXPECT_EQUAL(pair.two.drops(Drop::openedMalformed), 1u);
    EXPECT_EQUAL(pair.two.delivered.frames.size(), size_t{0});
    EXPECT_EQUAL(pair.two.events.count("control"), size_t{0});
  }
}

TEST("heddle walk: the sum that a peer left in a partial packet is not believed") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Packet packet = fromOne(100);
  Packet expected = packet;
  VirtioNetHeader header = leave(expected);
  storeBe16(packet.data() + header.checksumStart + header.checksumOffset, 0x1234);
  Packet message = sealRaw(pair, kBase | kLaneMark, 0, packet, true);
  pair.two.datagram(message, test::endpointAt(1), kStart);
  pair.two.inbound.flush();
  EXPECT(pair.two.delivered.packets.at(0) == expected);
}

TEST("heddle walk: a datagram of another lane of the session that comes back is a loop") {
  Pair pair;
  connect(pair, Suite::aes256Gcm);
  Fields outer;
  outer.protocol = kProtocolUdp;
  outer.destinationPort = 51820;
  outer.payload = Packet(64, 0);
  emitDataHeader(outer.payload.data(), kTypeHeddle, kBase | kLaneMark | 3, 5);
  Packet packet = test::makePacket(outer);
  storeBe32(packet.data() + 16, 0xc0000202);
  uint8_t address[4] = {192, 0, 2, 2};
  EXPECT(pair.one.tables.insertPrefix({address, 4}, 32, 0));
  pair.one.tables.publishRoutes();
  test::fixChecksums(packet, kIpv4Header, kProtocolUdp);
  pair.one.packet(packet, kStart);
  EXPECT_EQUAL(pair.one.drops(Drop::loop), 1u);
}

}  // namespace heddle
