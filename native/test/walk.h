// Two ends of a tunnel without ports or threads, for the tests of the walk: tables, both halves,
// and what came out of them.
#pragma once

#include <map>

#include "datapath/inbound.h"
#include "datapath/outbound.h"
#include "test/packets.h"
#include "test/test.h"

namespace heddle::test {

struct Event {
  std::string kind;
  uint32_t peer = 0;
  bool operator==(const Event&) const = default;
};

struct Events : EventSink {
  std::vector<Event> raised;
  std::vector<Packet> handshakes;
  Endpoint handshakeSource;
  Activity lastActivity;
  Endpoint lastEndpoint;
  std::vector<Packet> controls;
  bool isFull = false;

  bool take(const char* kind, uint32_t peer) {
    if (isFull) return false;
    raised.push_back({kind, peer});
    return true;
  }
  bool handshake(std::span<const uint8_t> datagram, const Endpoint& source) override {
    if (!take("handshake", 0)) return false;
    handshakeSource = source;
    handshakes.emplace_back(datagram.begin(), datagram.end());
    return true;
  }
  bool sessionNeeded(uint32_t peer, SessionNeed reason) override {
    return take(reason == SessionNeed::staged ? "staged" : "rekey", peer);
  }
  bool confirmed(uint32_t peer, uint32_t) override { return take("confirmed", peer); }
  bool roamed(uint32_t peer, const Endpoint& endpoint) override {
    lastEndpoint = endpoint;
    return take("roamed", peer);
  }
  bool activity(uint32_t peer, const Activity& activity) override {
    lastActivity = activity;
    return take("activity", peer);
  }
  bool control(uint32_t peer, uint32_t, std::span<const uint8_t> message) override {
    if (!take("control", peer)) return false;
    controls.emplace_back(message.begin(), message.end());
    return true;
  }
  size_t count(const char* kind) const {
    size_t found = 0;
    for (const Event& event : raised) found += event.kind == kind ? 1 : 0;
    return found;
  }
};

struct Sent : BatchSender {
  std::vector<Packet> datagrams;
  std::vector<Endpoint> to;
  std::vector<Via> vias;
  std::vector<size_t> batches;
  std::vector<Packet> refusals;

  void send(const SendBatch& batch) override {
    size_t count = 0;
    for (size_t at = 0; at < batch.bytes.size(); at += batch.segment) {
      auto message = batch.bytes.subspan(at, std::min(batch.segment, batch.bytes.size() - at));
      datagrams.emplace_back(message.begin(), message.end());
      to.push_back(batch.to);
      vias.push_back(batch.via);
      count++;
    }
    EXPECT_EQUAL(count, batch.count);
    batches.push_back(count);
  }
  void refuse(std::span<const uint8_t> frame) override {
    refusals.emplace_back(frame.begin() + kVirtioNetHeader, frame.end());
  }
};

struct Delivered : PacketWriter {
  std::vector<Packet> frames;
  std::vector<Packet> packets;  // of frames that are no super-packets
  size_t count = 0;

  void write(std::span<uint8_t> frame, size_t packetsInIt) override {
    frames.emplace_back(frame.begin(), frame.end());
    packets.emplace_back(frame.begin() + kVirtioNetHeader, frame.end());
    count += packetsInIt;
  }
};

struct Answers : Answerer {
  std::vector<Packet> datagrams;
  std::vector<Endpoint> to;

  void answer(const Endpoint& endpoint, std::span<const uint8_t> datagram,
              const Via& via) override {
    EXPECT(via.kind == PortKind::udp);
    datagrams.emplace_back(datagram.begin(), datagram.end());
    to.push_back(endpoint);
  }
};

inline Endpoint endpointAt(uint8_t host, uint16_t port = 51820) {
  Endpoint endpoint;
  endpoint.family = 4;
  endpoint.port = port;
  endpoint.address = {192, 0, 2, host};
  return endpoint;
}

// With kHeadroom bytes before it and kTailroom behind it.
inline Packet withRoom(const Packet& packet) {
  Packet room;
  room.reserve(kHeadroom + packet.size() + kTailroom);
  room.resize(kHeadroom, 0xa5);
  room.insert(room.end(), packet.begin(), packet.end());
  room.resize(kHeadroom + packet.size() + kTailroom, 0xa5);
  return room;
}

struct End {
  explicit End(CoalesceOptions options = {.tcp = false, .udp = false})
      : inbound(tables, events, delivered, answers, counters, options) {}

  Reclaimer reclaimer;
  Tables tables{reclaimer};
  Events events;
  CounterBlock counters;
  Sent sent;
  Delivered delivered;
  Answers answers;
  Outbound outbound{tables, events, sent, counters};
  Inbound inbound;

  // Gives 10.0.0.host and fd00::host to the slot.
  void addPeer(uint32_t slot, uint8_t host) {
    EXPECT(tables.addPeer(slot));
    uint8_t address[16];
    storeHost(Family::ipv4, address, host);
    EXPECT(tables.insertPrefix({address, 4}, 32, slot));
    storeHost(Family::ipv6, address, host);
    EXPECT(tables.insertPrefix({address, 16}, 128, slot));
    tables.publishRoutes();
  }
  void packet(const Packet& packet, Instant now) {
    Packet room = withRoom(packet);
    outbound.packet({room.data() + kHeadroom, packet.size()}, now);
  }
  void frame(const VirtioNetHeader& header, const Packet& packet, Instant now) {
    Packet frame(kVirtioNetHeader);
    emitVirtioNet(header, frame.data());
    frame.insert(frame.end(), packet.begin(), packet.end());
    Packet room = withRoom(frame);
    outbound.frame({room.data() + kHeadroom, kVirtioNetHeader + packet.size()}, now);
  }
  void datagram(const Packet& bytes, const Endpoint& source, Instant now,
                const Arrival& arrival = {}) {
    Packet own = bytes;
    inbound.datagram(own, source, arrival, now);
    // Whatever opened it, its bytes were borrowed.
  }
  uint64_t count(Counter name) const { return counters.counters[static_cast<size_t>(name)].get(); }
  uint64_t drops(Drop reason) const { return counters.drops[static_cast<size_t>(reason)].get(); }
  uint64_t allDrops() const {
    uint64_t sum = 0;
    for (const Word& word : counters.drops) sum += word.get();
    return sum;
  }
};

// The two halves of one session: the first is the initiator's.
inline std::pair<KeypairMaterial, KeypairMaterial> sessionAt(Instant createdAt,
                                                             uint32_t index = 100) {
  KeypairMaterial initiator;
  initiator.localIndex = index;
  initiator.remoteIndex = index + 1;
  for (uint8_t& byte : initiator.sendKey) byte = static_cast<uint8_t>(random());
  for (uint8_t& byte : initiator.receiveKey) byte = static_cast<uint8_t>(random());
  initiator.createdAt = createdAt;
  initiator.isInitiator = true;
  KeypairMaterial responder = initiator;
  std::swap(responder.localIndex, responder.remoteIndex);
  std::swap(responder.sendKey, responder.receiveKey);
  responder.isInitiator = false;
  return {initiator, responder};
}

// Two ends that know each other: host 1 at the first, host 2 at the second, each the other's peer
// 0.
struct Pair {
  explicit Pair(CoalesceOptions options = {.tcp = false, .udp = false})
      : one(options), two(options) {
    one.addPeer(0, 2);
    two.addPeer(0, 1);
    one.tables.setEndpoint(0, endpointAt(2));
    two.tables.setEndpoint(0, endpointAt(1));
  }

  void connect(Instant now, uint32_t index = 100) {
    auto [initiator, responder] = sessionAt(now, index);
    EXPECT(one.tables.installKeypair(0, initiator));
    EXPECT(two.tables.installKeypair(0, responder));
    EXPECT(one.tables.useKeypair(0, index));
    EXPECT(two.tables.useKeypair(0, index + 1));
  }
  // Carries what the first end sent to the second.
  void carry(Instant now) {
    one.outbound.flush();
    for (const Packet& message : one.sent.datagrams) two.datagram(message, endpointAt(1), now);
    one.sent.datagrams.clear();
    two.inbound.flush();
  }

  End one;
  End two;
};

}  // namespace heddle::test
