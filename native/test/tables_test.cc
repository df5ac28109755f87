#include "datapath/tables.h"

#include <deque>
#include <mutex>
#include <thread>

#include "test/clear.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr Instant kStart = seconds(1000);

KeypairMaterial materialOf(uint32_t index) {
  KeypairMaterial material;
  material.localIndex = index;
  material.remoteIndex = index;
  material.sendKey.fill(static_cast<uint8_t>(index));
  material.receiveKey = material.sendKey;
  material.createdAt = kStart;
  return material;
}

// A datagram on its way, as the receiver of the same tables would get it: from where it was sent
// to.
struct InFlight {
  Packet datagram;
  Endpoint source;
  Arrival arrival;
};

// Carries datagrams from the sending to the receiving thread.
class Wire : public BatchSender {
 public:
  void refuse(std::span<const uint8_t>) override {}
  void send(const SendBatch& batch) override {
    std::lock_guard lock(mutex_);
    Arrival arrival{.kind = batch.via.kind, .port = batch.to.port};
    for (size_t at = 0; at < batch.bytes.size(); at += batch.segment) {
      auto bytes = batch.bytes.subspan(at, std::min(batch.segment, batch.bytes.size() - at));
      if (inFlight_.size() >= 256) return;
      inFlight_.push_back({{bytes.begin(), bytes.end()}, batch.to, arrival});
    }
  }
  bool take(InFlight& next) {
    std::lock_guard lock(mutex_);
    if (inFlight_.empty()) return false;
    next = std::move(inFlight_.front());
    inFlight_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<InFlight> inFlight_;
};

struct Discard : PacketWriter, Answerer {
  size_t packets = 0;
  size_t answers = 0;
  void write(std::span<uint8_t>, size_t count) override { packets += count; }
  void answer(const Endpoint&, std::span<const uint8_t>, const Via&) override { answers++; }
};

struct Ignore : EventSink {
  bool handshake(std::span<const uint8_t>, const Endpoint&) override { return true; }
  bool sessionNeeded(uint32_t, SessionNeed) override { return true; }
  bool confirmed(uint32_t, uint32_t) override { return true; }
  bool roamed(uint32_t, const Endpoint&) override { return true; }
  bool activity(uint32_t, const Activity&) override { return true; }
  bool control(uint32_t, uint32_t, std::span<const uint8_t>) override { return true; }
};

constexpr uint32_t kPeers = 8;

// One of the ways of a peer. All VTEPs have our own address, so that we receive what we send.
Encapsulation anyEncapsulation(uint32_t slot) {
  auto host = static_cast<uint8_t>(10 + slot + test::random(2));
  Encapsulation chosen = test::random(2) == 0 ? test::vxlanTo(host) : test::udpTo(host);
  if (test::random(3) == 0) chosen = {};
  chosen.mac = test::kOwnMac;
  return chosen;
}

// Everything that the control plane may do to a peer, at random.
void writeSomething(Tables& tables, uint32_t& nextIndex) {
  auto slot = static_cast<uint32_t>(test::random(kPeers));
  uint8_t address[16];
  test::storeHost(Family::ipv4, address, static_cast<uint8_t>(slot + 1));
  Activity activity;
  switch (test::random(10)) {
    case 5:
      tables.setEncapsulation(slot, anyEncapsulation(slot));
      break;
    case 6:
      tables.setVtepMac(test::kOwnMac);
      tables.setOwnAddresses({{Family::ipv4, loadAddress4(address)}});
      break;
    case 0:
      tables.removePeer(slot);
      break;
    case 1:
      tables.setEndpoint(slot, test::endpointAt(static_cast<uint8_t>(test::random(4))));
      break;
    case 2:
      tables.removeKeypair(nextIndex - static_cast<uint32_t>(test::random(3 * kPeers)));
      break;
    case 3:
      tables.readActivity(slot, activity);
      tables.noteHandshake(slot, true, 148, kStart);
      break;
    case 4:
      tables.removePrefix({address, 4}, 32);
      tables.publishRoutes();
      break;
    default:
      tables.addPeer(slot);
      tables.setEndpoint(slot, test::endpointAt(1));
      tables.insertPrefix({address, 4}, 32, slot);
      tables.publishRoutes();
      tables.installKeypair(slot, materialOf(++nextIndex));
      tables.useKeypair(slot, nextIndex);
      break;
  }
}

// Packets to every peer, from the peer's own address, so that what is sent can be received by the
// same tables.
void sendUntil(std::atomic<bool>& isOver, Reclaimer& reclaimer, Outbound& outbound) {
  std::vector<Packet> packets;
  for (uint8_t host = 1; host <= kPeers; host++) {
    Fields fields{.source = host, .destination = host};
    fields.payload.resize(100);
    packets.push_back(test::withRoom(test::makePacket(fields)));
  }
  Reclaimer::Reader& reader = reclaimer.claim();
  reader.online();
  for (uint32_t turn = 0; !isOver.load(std::memory_order_relaxed); turn++) {
    reader.quiescent();
    for (Packet& packet : packets) {
      outbound.packet({packet.data() + kHeadroom, packet.size() - kHeadroom - kTailroom}, kStart);
    }
    uint32_t slot = turn % kPeers;
    outbound.forget(slot);
    outbound.flushStaged(slot, turn % 3 == 0, kStart);
    if (turn % 5 == 0) outbound.dropStaged(slot);
    outbound.flush();
  }
  reclaimer.release(reader);
}

void receiveUntil(std::atomic<bool>& isOver, Reclaimer& reclaimer, Wire& wire, Inbound& inbound) {
  Reclaimer::Reader& reader = reclaimer.claim();
  for (uint8_t turn = 0; !isOver.load(std::memory_order_relaxed); turn++) {
    reader.online();
    uint8_t host = 1 + turn % kPeers;
    Packet question =
        test::inFrame({.from = test::kOwnMac, .type = kEtherTypeArp}, test::arpRequest(host, host));
    inbound.datagram(question, test::vxlanTo(static_cast<uint8_t>(9 + host)).endpoint,
                     test::kOnVxlan, kStart);
    InFlight next;
    for (int i = 0; i < 16 && wire.take(next); i++) {
      inbound.datagram(next.datagram, next.source, next.arrival, kStart);
    }
    inbound.flush();
    reader.offline();
  }
  reclaimer.release(reader);
}

}  // namespace

TEST("tables: refuse unknown peers, taken slots and taken indices") {
  Reclaimer reclaimer;
  Tables tables(reclaimer);
  const uint8_t address[4] = {10, 0, 0, 1};
  EXPECT(!tables.insertPrefix(address, 32, 3));
  EXPECT(!tables.setEndpoint(3, test::endpointAt(1)));
  EXPECT(!tables.installKeypair(3, materialOf(1)));
  EXPECT(!tables.removePeer(3));
  EXPECT(!tables.addPeer(kMaxPeers));
  EXPECT(tables.addPeer(3));
  EXPECT(!tables.addPeer(3));
  EXPECT(tables.addPeer(kMaxPeers - 1));
  EXPECT(tables.installKeypair(3, materialOf(1)));
  EXPECT(!tables.installKeypair(3, materialOf(1)));
  EXPECT(!tables.useKeypair(kMaxPeers - 1, 1));
  EXPECT(!tables.useKeypair(3, 2));
  EXPECT(tables.useKeypair(3, 1));
  EXPECT(tables.peer(3)->sending[0].load() == tables.sessions().find(1));
  EXPECT(tables.removeKeypair(1));
  EXPECT(!tables.removeKeypair(1));
  EXPECT(tables.peer(3)->sending[0].load() == nullptr);
  EXPECT(!tables.removePrefix(address, 32));
}

TEST("tables: a removed peer takes its prefixes and keypairs along") {
  Reclaimer reclaimer;
  Tables tables(reclaimer);
  const uint8_t address[4] = {10, 0, 0, 1};
  tables.addPeer(0);
  tables.addPeer(1);
  tables.insertPrefix(address, 32, 0);
  tables.insertPrefix(address, 24, 1);
  tables.publishRoutes();
  for (uint32_t index = 0; index < 3; index++) tables.installKeypair(0, materialOf(index));
  tables.installKeypair(1, materialOf(9));
  EXPECT(tables.removePeer(0));
  EXPECT(tables.peer(0) == nullptr);
  EXPECT_EQUAL(tables.keypairCount(), size_t{1});
  EXPECT_EQUAL(tables.prefixCount(), size_t{1});
  EXPECT(tables.routes().lookup(Family::ipv4, loadAddress4(address)) == tables.peer(1));
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
}

TEST("tables: know clear peers by place and Ethernet address, the last of several") {
  Reclaimer reclaimer;
  Tables tables(reclaimer);
  EXPECT(!tables.setEncapsulation(3, test::vxlanTo(3)));
  EXPECT(tables.fdb() == nullptr);
  auto find = [&](uint32_t vni) {
    const Fdb* fdb = tables.fdb();
    Endpoint source = test::endpointAt(3, 1);
    return fdb == nullptr ? nullptr : fdb->find(test::kOnVxlan, source, vni);
  };
  for (uint32_t slot : {3, 4, 5}) tables.addPeer(slot);
  EXPECT(tables.setEncapsulation(3, test::vxlanTo(3)));
  EXPECT(find(1) == tables.peer(3));
  const Fdb* before = tables.fdb();
  EXPECT(tables.setEncapsulation(3, test::vxlanTo(3, 1, kStart)));  // only its end
  EXPECT(tables.fdb() == before);
  EXPECT_EQUAL(tables.peer(3)->encapsulation.load()->until, kStart);
  EXPECT(tables.setEncapsulation(4, test::vxlanTo(3)));
  EXPECT(find(1) == tables.peer(4));
  EXPECT(tables.setEncapsulation(5, test::vxlanTo(3, 2)));
  EXPECT(find(2) == tables.peer(5));
  EXPECT(!tables.fdb()->isOfAnother(test::vxlanTo(3), test::macOf(3)));
  EXPECT(tables.fdb()->isOfAnother(test::vxlanTo(4), test::macOf(3)));
  EXPECT(!tables.fdb()->isOfAnother(test::vxlanTo(4), test::macOf(9)));
  EXPECT(tables.removePeer(4));
  EXPECT(find(1) == tables.peer(3));
  EXPECT(tables.setEncapsulation(3, {}));
  EXPECT(find(1) == nullptr);
  EXPECT(tables.removePeer(5));
  EXPECT(tables.fdb() == nullptr);
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
}

TEST("tables: both threads walk while everything is replaced under them") {
  Reclaimer reclaimer;
  Tables tables(reclaimer);
  Ignore events;
  Wire wire;
  Discard written;
  CounterBlock outboundCounters;
  CounterBlock inboundCounters;
  Outbound outbound(tables, events, wire, outboundCounters);
  Inbound inbound(tables, events, written, written, inboundCounters, {});
  std::atomic<bool> isOver{false};
  std::thread sender([&] { sendUntil(isOver, reclaimer, outbound); });
  std::thread receiver([&] { receiveUntil(isOver, reclaimer, wire, inbound); });
  uint32_t nextIndex = 1000;
  auto inboundCount = [&](Counter name) {
    return inboundCounters.counters[static_cast<size_t>(name)].get();
  };
  auto isEnough = [&] {
    return inboundCount(Counter::innerOut) > 1000 && inboundCount(Counter::opened) > 100 &&
           inboundCount(Counter::plaintextInBytes) > 10'000 &&
           inboundCount(Counter::neighbourAnswers) > 0;
  };
  for (int i = 0; i < 20'000 || !isEnough(); i++) {
    writeSomething(tables, nextIndex);
    if (i % 16 == 0) reclaimer.collect();
    if (i % 64 == 0) std::this_thread::yield();
  }
  isOver = true;
  sender.join();
  receiver.join();
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
  EXPECT_EQUAL(written.packets, inboundCount(Counter::innerOut));
  EXPECT_EQUAL(written.answers, inboundCount(Counter::neighbourAnswers));
  EXPECT_EQUAL(inboundCounters.drops[static_cast<size_t>(Drop::tag)].get(), uint64_t{0});
}

}  // namespace heddle
