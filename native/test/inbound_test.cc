#include "datapath/inbound.h"

#include "session/transport.h"
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

// A data message of the first end with any counter and any plaintext.
Packet sealAny(Pair& pair, uint64_t counter, const Packet& plaintext) {
  Packet in = test::withRoom(plaintext);
  Packet out(kHeadroom + plaintext.size() + 32);
  Keypair* keypair = pair.one.tables.sessions().find(100);
  sealMessage(*keypair, counter, in.data() + kHeadroom, plaintext.size(), plaintext.size(),
              out.data() + kHeadroom);
  return Packet(out.begin() + kHeadroom, out.end());
}

Packet udp(uint8_t source, size_t payload, Family family = Family::ipv4) {
  Fields fields{.family = family, .protocol = kProtocolUdp, .source = source};
  fields.payload = test::randomPayload(payload);
  return test::makePacket(fields);
}

Packet initiation(std::span<const uint8_t, 32> key) {
  Packet message = test::randomPayload(148);
  storeLe32(message.data(), 1);
  Blake2s hash(16, key);
  hash.update({message.data(), 116});
  hash.final(message.data() + 116);
  return message;
}

}  // namespace

TEST("inbound: hands up handshakes with a right mac1, and no others") {
  Pair pair;
  End& end = pair.two;
  std::array<uint8_t, 32> key;
  key.fill(3);
  Packet message = initiation(std::span<const uint8_t, 32>(key));
  end.datagram(message, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.drops(Drop::mac1), uint64_t{1});  // no key yet
  end.tables.setMac1Key(std::span<const uint8_t, 32>(key));
  end.datagram(message, test::endpointAt(9), kStart);
  EXPECT(end.events.handshakes == (std::vector<Packet>{message}));
  Packet forged = message;
  forged[120] = static_cast<uint8_t>(forged[120] ^ 1);
  end.datagram(forged, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.drops(Drop::mac1), uint64_t{2});
  Packet cookie(64);
  cookie[0] = 3;
  end.datagram(cookie, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.count(Counter::handshakeUp), uint64_t{2});
  end.events.isFull = true;
  end.datagram(message, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.drops(Drop::handshakeOverflow), uint64_t{1});
  EXPECT_EQUAL(end.count(Counter::handshakeUp), uint64_t{2});
}

TEST("inbound: takes handshakes to either of our keys while there are two") {
  Pair pair;
  End& end = pair.two;
  std::array<uint8_t, 32> first;
  first.fill(3);
  std::array<uint8_t, 32> other;
  other.fill(4);
  const Packet toFirst = initiation(std::span<const uint8_t, 32>(first));
  const Packet toOther = initiation(std::span<const uint8_t, 32>(other));
  end.tables.setMac1Key(std::span<const uint8_t, 32>(first), other);
  end.datagram(toFirst, test::endpointAt(9), kStart);
  end.datagram(toOther, test::endpointAt(9), kStart);
  EXPECT(end.events.handshakes == (std::vector<Packet>{toFirst, toOther}));
  EXPECT_EQUAL(end.drops(Drop::mac1), uint64_t{0});
  end.tables.setMac1Key(std::span<const uint8_t, 32>(other));
  end.datagram(toFirst, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.drops(Drop::mac1), uint64_t{1});
  end.datagram(toOther, test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.count(Counter::handshakeUp), uint64_t{3});
}

TEST("inbound: drops data by the first reason that holds") {
  Pair pair;
  pair.connect(kStart);
  End& end = pair.two;
  Packet good = sealAny(pair, 0, udp(1, 4));
  Packet other = good;
  other[4] = static_cast<uint8_t>(other[4] ^ 1);
  end.datagram(other, test::endpointAt(1), kStart);
  EXPECT_EQUAL(end.drops(Drop::unknownIndex), uint64_t{1});
  end.datagram(sealAny(pair, kRejectAfterMessages, udp(1, 4)), test::endpointAt(1), kStart);
  EXPECT_EQUAL(end.drops(Drop::counterLimit), uint64_t{1});
  end.datagram(good, test::endpointAt(1), kStart + seconds(180));
  EXPECT_EQUAL(end.drops(Drop::keypairExpired), uint64_t{1});
  for (size_t bit = 8 * 8; bit < 8 * good.size(); bit++) {  // counter, ciphertext and tag
    Packet forged = good;
    forged[bit / 8] = static_cast<uint8_t>(forged[bit / 8] ^ (1 << (bit % 8)));
    end.datagram(forged, test::endpointAt(1), kStart);
  }
  EXPECT_EQUAL(end.drops(Drop::tag) + end.drops(Drop::counterLimit) - 1, 8 * (good.size() - 8));
  EXPECT(end.events.raised.empty());
  end.datagram(good, test::endpointAt(1), kStart);
  end.datagram(good, test::endpointAt(1), kStart);
  EXPECT_EQUAL(end.drops(Drop::replay), uint64_t{1});
  EXPECT_EQUAL(end.count(Counter::opened), uint64_t{1});
  EXPECT_EQUAL(end.delivered.packets.size(), size_t{1});
  pair.two.tables.removeKeypair(101);
  end.datagram(sealAny(pair, 1, udp(1, 4)), test::endpointAt(1), kStart);
  EXPECT_EQUAL(end.drops(Drop::unknownIndex), uint64_t{2});
}

TEST("inbound: authenticated messages must hold a whole packet from the peer's own address") {
  Pair pair;
  pair.connect(kStart);
  End& end = pair.two;
  uint64_t counter = 0;
  auto deliver = [&](const Packet& plaintext) {
    end.datagram(sealAny(pair, counter++, plaintext), test::endpointAt(1), kStart);
  };
  deliver({});
  EXPECT_EQUAL(end.count(Counter::keepaliveIn), uint64_t{1});
  deliver(Packet(16, 0x00));
  deliver(Packet(16, 0x10));
  EXPECT_EQUAL(end.drops(Drop::openedProtocol), uint64_t{2});
  deliver(Packet(16, 0x45));
  Packet shortened = udp(1, 100);
  shortened.pop_back();
  deliver(shortened);
  deliver(Packet(39, 0x60));
  EXPECT_EQUAL(end.drops(Drop::openedMalformed), uint64_t{3});
  deliver(udp(3, 10));
  deliver(udp(3, 10, Family::ipv6));
  EXPECT_EQUAL(end.drops(Drop::openedSource), uint64_t{2});
  EXPECT_EQUAL(end.count(Counter::opened), uint64_t{8});
  Packet packet = udp(1, 9, Family::ipv6);
  Packet padded = packet;
  padded.resize(64);
  deliver(padded);
  EXPECT(end.delivered.packets == (std::vector<Packet>{packet}));
  // A more specific prefix of another peer takes the address away.
  uint8_t address[16];
  test::storeHost(Family::ipv6, address, 1);
  EXPECT(end.tables.addPeer(5));
  EXPECT(end.tables.insertPrefix(address, 128, 5));
  end.tables.publishRoutes();
  deliver(padded);
  EXPECT_EQUAL(end.drops(Drop::openedSource), uint64_t{3});
}

TEST("inbound: raises roamed, confirmed and activity once, and rekey from 165 s on") {
  Pair pair;
  pair.connect(kStart);
  End& end = pair.two;
  uint64_t counter = 0;
  auto receive = [&](const Endpoint& from, Instant now) {
    end.events.raised.clear();
    end.datagram(sealAny(pair, counter++, udp(1, 4)), from, now);
    return end.events.raised;
  };
  using Events = std::vector<Event>;
  EXPECT(receive(test::endpointAt(1), kStart + 1) == (Events{{"confirmed", 0}, {"activity", 0}}));
  EXPECT(receive(test::endpointAt(1), kStart + 2) == Events{});
  EXPECT(receive(test::endpointAt(7), kStart + 3) == (Events{{"roamed", 0}}));
  EXPECT(receive(test::endpointAt(8), kStart + 4) == Events{});
  EXPECT(end.events.lastEndpoint == test::endpointAt(7));
  end.tables.setEndpoint(0, test::endpointAt(7));
  EXPECT(receive(test::endpointAt(7), kStart + 5) == Events{});
  EXPECT(receive(test::endpointAt(7, 99), kStart + 6) == (Events{{"roamed", 0}}));
  // The local address that the peer spoke to is learned too.
  Endpoint local = test::endpointAt(7);
  local.hasLocal = true;
  local.local = {192, 0, 2, 200};
  local.interfaceIndex = 2;
  end.tables.setEndpoint(0, test::endpointAt(7));
  EXPECT(receive(local, kStart + 7) == (Events{{"roamed", 0}}));
  end.tables.setEndpoint(0, local);
  EXPECT(receive(local, kStart + 8) == Events{});
  EXPECT(receive(test::endpointAt(7), kStart + 8) == Events{});
  Activity activity;
  EXPECT(end.tables.readActivity(0, activity));
  EXPECT(activity == (Activity{0, kStart + 8, 0, kStart + 1}));
  EXPECT(receive(local, kStart + 9) == (Events{{"activity", 0}}));
  // The first end is the initiator.
  End& initiator = pair.one;
  auto answer = [&](Instant now) {
    initiator.events.raised.clear();
    end.sent.datagrams.clear();
    end.outbound.sendKeepalive(0, now);
    initiator.datagram(end.sent.datagrams.at(0), test::endpointAt(2), now);
    return initiator.events.raised;
  };
  EXPECT(answer(kStart + seconds(165) - 1) == (Events{{"confirmed", 0}}));
  EXPECT(answer(kStart + seconds(165)) == (Events{{"rekey", 0}}));
  EXPECT(answer(kStart + seconds(166)) == Events{});
  EXPECT_EQUAL(end.tables.traffic(0).rxPackets, 0u);
  end.inbound.flush();
  EXPECT_EQUAL(end.tables.traffic(0).rxPackets, counter);
}

TEST("inbound: a drop is counted for the peer whose session it was, and for nobody else") {
  Pair pair;
  pair.connect(kStart);
  pair.two.addPeer(1, 9);
  Packet message = sealAny(pair, 0, udp(1, 4));
  Packet forged = message;
  forged.at(20) ^= 1;
  pair.two.datagram(forged, test::endpointAt(1), kStart);
  pair.two.datagram(message, test::endpointAt(1), kStart);
  pair.two.datagram(message, test::endpointAt(1), kStart);
  auto drops = [&](uint32_t peer, Drop reason) {
    return pair.two.tables.traffic(peer).drops[static_cast<size_t>(reason)];
  };
  EXPECT_EQUAL(drops(0, Drop::tag), 1u);
  EXPECT_EQUAL(drops(0, Drop::replay), 1u);
  EXPECT_EQUAL(drops(1, Drop::tag), 0u);
}

TEST("inbound: a confirmed responder's keypair sends at once, before anybody answers") {
  Pair pair;
  pair.connect(kStart, 100);
  auto [initiator, responder] = test::sessionAt(kStart + 1, 300);
  EXPECT(pair.one.tables.installKeypair(0, initiator));
  EXPECT(pair.two.tables.installKeypair(0, responder));
  EXPECT(pair.one.tables.useKeypair(0, 300));
  auto receiverOfNext = [&] {
    pair.two.sent.datagrams.clear();
    pair.two.outbound.sendKeepalive(0, kStart);
    return loadLe32(pair.two.sent.datagrams.at(0).data() + 4);
  };
  EXPECT_EQUAL(receiverOfNext(), 100u);
  pair.one.packet(udp(2, 4), kStart);
  pair.carry(kStart);
  EXPECT_EQUAL(receiverOfNext(), 300u);
  EXPECT(pair.two.tables.useKeypair(0, 301));
  EXPECT_EQUAL(receiverOfNext(), 300u);
  // Confirmed late, when a later session is in use already: it stays in the background.
  auto [older, olderAnswer] = test::sessionAt(kStart, 400);
  EXPECT(pair.one.tables.installKeypair(0, older));
  EXPECT(pair.two.tables.installKeypair(0, olderAnswer));
  EXPECT(pair.one.tables.useKeypair(0, 400));
  pair.one.packet(udp(2, 4), kStart);
  pair.carry(kStart);
  EXPECT_EQUAL(receiverOfNext(), 300u);
  // Gone before it was answered for: back to what was in use.
  auto [again, answer] = test::sessionAt(kStart + 2, 500);
  EXPECT(pair.one.tables.installKeypair(0, again));
  EXPECT(pair.two.tables.installKeypair(0, answer));
  EXPECT(pair.one.tables.useKeypair(0, 500));
  pair.one.packet(udp(2, 4), kStart);
  pair.carry(kStart);
  EXPECT(pair.two.tables.removeKeypair(501));
  EXPECT_EQUAL(receiverOfNext(), 300u);
}

TEST("inbound: the next packet follows a peer that roamed, before anybody answers") {
  Pair pair;
  pair.connect(kStart);
  End& end = pair.two;
  auto sentTo = [&] {
    end.sent.to.clear();
    end.outbound.sendKeepalive(0, kStart);
    return end.sent.to.at(0);
  };
  end.events.isFull = true;
  end.datagram(sealAny(pair, 0, udp(1, 4)), test::endpointAt(7), kStart);
  EXPECT(sentTo() == test::endpointAt(7));
  end.events.isFull = false;
  // The event that nobody took comes with the next message, wherever that came from.
  end.datagram(sealAny(pair, 1, udp(1, 4)), test::endpointAt(8), kStart);
  EXPECT_EQUAL(end.events.count("roamed"), size_t{1});
  EXPECT(end.events.lastEndpoint == test::endpointAt(7));
  EXPECT(sentTo() == test::endpointAt(7));
  end.tables.setEndpoint(0, test::endpointAt(9));
  EXPECT(sentTo() == test::endpointAt(9));
  end.datagram(sealAny(pair, 2, udp(1, 4)), test::endpointAt(9), kStart);
  EXPECT_EQUAL(end.events.count("roamed"), size_t{1});
  // A forgery moves nothing.
  Packet forged = sealAny(pair, 3, udp(1, 4));
  forged.back() = static_cast<uint8_t>(forged.back() ^ 1);
  end.datagram(forged, test::endpointAt(8), kStart);
  EXPECT(sentTo() == test::endpointAt(9));
}

TEST("inbound: what the walk delivers is what went in, coalesced or not") {
  for (bool isCoalescing : {false, true}) {
    Pair pair({.tcp = isCoalescing, .udp = isCoalescing});
    pair.connect(kStart);
    std::vector<Packet> packets;
    Fields fields;
    for (int i = 0; i < 400; i++) {
      if (test::random(8) == 0) fields.sourcePort = static_cast<uint16_t>(test::random(3));
      fields.payload = test::randomPayload(test::random(3) == 0 ? test::random(1300) : 1300);
      packets.push_back(test::makePacket(fields));
      fields.sequence += static_cast<uint32_t>(fields.payload.size());
      pair.one.packet(packets.back(), kStart);
      if (test::random(20) == 0) pair.carry(kStart);
      // A forgery between them changes nothing.
      Packet forged = test::randomPayload(1452);
      storeLe32(forged.data(), 4);
      storeLe32(forged.data() + 4, 101);
      storeLe64(forged.data() + 8, 1u << 20);
      pair.two.datagram(forged, test::endpointAt(1), kStart);
    }
    pair.carry(kStart);
    EXPECT_EQUAL(pair.two.count(Counter::innerOut), packets.size());
    EXPECT_EQUAL(pair.two.delivered.count, packets.size());
    if (isCoalescing) {
      EXPECT(pair.two.delivered.frames.size() < packets.size());
      EXPECT(pair.two.count(Counter::tunSuperOut) > 0);
    } else {
      EXPECT(pair.two.delivered.packets == packets);
    }
    EXPECT_EQUAL(pair.two.drops(Drop::tag), uint64_t{400});
    EXPECT_EQUAL(pair.two.allDrops(), uint64_t{400});
  }
}

}  // namespace heddle
