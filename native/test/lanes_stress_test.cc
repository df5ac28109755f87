// Nodes of several lanes with all their threads in one process, while the control plane does
// everything it ever does: sessions are renewed, peers come and go, endpoints move, the lanes are
// paused. Each packet must arrive once and in the order of its flow. Meant for ThreadSanitizer.
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "io/clock.h"
#include "io/engine.h"
#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr uint32_t kFlows = 12;  // each way
constexpr uint32_t kPacketsPerFlow = 3000;
constexpr uint32_t kWindow = 64;  // packets of a flow under way
constexpr Duration kLimit = seconds(60);
constexpr uint32_t kFirstIndex = 0x1000;
constexpr uint32_t kSecondIndex = 16;  // more is the other side's
constexpr uint32_t kIndexStep = 32;    // to the next session's

struct Case {
  uint32_t lanesOfOne;
  uint32_t lanesOfTwo;
  bool hasLaneKeypairs = false;  // as between heddle peers
  bool isMisdirected = false;    // some datagrams come in at another lane than their own
};

using Counts = std::array<uint32_t, kFlows>;

// The packets of one direction: each flow's next number on either side.
struct Flows {
  std::array<std::atomic<uint32_t>, kFlows> sent{};
  std::array<std::atomic<uint32_t>, kFlows> arrived{};              // all before have
  std::array<std::array<bool, kPacketsPerFlow>, kFlows> hasCome{};  // their receiver's
  std::atomic<bool> isBroken{false};

  Counts countSent() const {
    Counts counts{};
    for (size_t flow = 0; flow < kFlows; flow++) counts[flow] = sent[flow].load();
    return counts;
  }
  bool hasArrived(const Counts& counts) const {
    for (size_t flow = 0; flow < kFlows; flow++) {
      if (arrived[flow].load() < counts[flow]) return false;
    }
    return true;
  }
  bool isDone() const {
    Counts all;
    all.fill(kPacketsPerFlow);
    return hasArrived(all);
  }
};

struct Side {
  std::unique_ptr<Engine> engine;
  uint8_t host;
  Flows* outgoing;
  Flows* incoming;
};

// Whose lane a message is for, as the kernel's program says (socket_steering.h).
uint32_t laneOf(const Packet& message, uint32_t lanes) {
  return message.size() < 8 ? 0 : (message[4] & 7u) % lanes;
}

struct Rig {
  Case form;
  Flows there;
  Flows back;
  std::atomic<int> wakes{0};
  std::atomic<bool> isOver{false};
  std::atomic<uint16_t> portOfOne{1000};  // where two sees one
  Side one{nullptr, 1, &there, &back};
  Side two{nullptr, 2, &back, &there};
  uint32_t carried = 0;          // wire
  uint32_t generation = 0;       // sessions made
  uint32_t confirmedNumber = 0;  // the second side sends with this one or a later
  uint32_t retiring = 0;         // those before go as soon as what is awaited has arrived
  uint32_t removed = 0;          // those before are gone
  std::array<Counts, 2> awaited{};
  Instant end = bootTime() + kLimit;

  explicit Rig(Case given) : form(given) {
    open(one, form.lanesOfOne, two.host);
    open(two, form.lanesOfTwo, one.host);
  }

  void open(Side& side, uint32_t lanes, uint8_t peer) {
    Engine::Options options;
    options.offloads.fill(OffloadSwitch::off);
    options.lanes = lanes;
    Engine::Opened opened;
    side.engine = Engine::open(
        options, [this] { wakes++; }, opened);
    addPeer(*side.engine, 0, peer);
  }

  static void addPeer(Engine& engine, uint32_t slot, uint8_t host) {
    uint8_t address[4];
    test::storeHost(Family::ipv4, address, host);
    EXPECT(engine.tables().addPeer(slot));
    EXPECT(engine.tables().insertPrefix({address, 4}, 32, slot));
    engine.tables().publishRoutes();
    engine.tables().setEndpoint(slot, test::endpointAt(host));
  }

  // ---- a host: puts packets to its queues and takes what arrives ----

  void runHost(Side& side) {
    auto lanes = static_cast<uint32_t>(side.engine->lanes());
    while (!isOver.load()) {
      bool moved = false;
      for (uint32_t flow = 0; flow < kFlows; flow++) {
        uint32_t number = side.outgoing->sent[flow].load();
        if (number == kPacketsPerFlow) continue;
        if (number - side.outgoing->arrived[flow].load() >= kWindow) continue;
        // First, so that who reads it knows of every packet that is under way.
        side.outgoing->sent[flow].store(number + 1);
        side.engine->channelTun(flow % lanes)->toWalk.put(packetOf(side, flow, number));
        moved = true;
      }
      Packet packet;
      for (uint32_t lane = 0; lane < lanes; lane++) {
        while (side.engine->channelTun(lane)->fromWalk.take(packet)) {
          arrive(*side.incoming, packet);
          moved = true;
        }
      }
      if (!moved) usleep(100);
    }
  }

  static Packet packetOf(const Side& side, uint32_t flow, uint32_t number) {
    Fields fields;
    fields.protocol = kProtocolUdp;
    fields.source = side.host;
    fields.destination = static_cast<uint8_t>(3 - side.host);
    fields.sourcePort = static_cast<uint16_t>(flow);
    fields.payload.resize(8 + number % 200);
    storeBe32(fields.payload.data(), flow);
    storeBe32(fields.payload.data() + 4, number);
    return test::makePacket(fields);
  }

  void arrive(Flows& flows, const Packet& packet) const {
    if (ipv4Protocol(packet.data()) != kProtocolUdp) return;  // noise that goes nowhere is refused
    const uint8_t* payload = packet.data() + kIpv4Header + 8;
    uint32_t flow = loadBe32(payload);
    uint32_t number = loadBe32(payload + 4);
    if (flow >= kFlows || number >= kPacketsPerFlow) {
      flows.isBroken = true;
      return;
    }
    auto& hasCome = flows.hasCome[flow];
    uint32_t next = flows.arrived[flow].load();
    bool isNext = number == next || form.isMisdirected;
    if (hasCome[number] || !isNext) flows.isBroken = true;
    hasCome[number] = true;
    while (next < kPacketsPerFlow && hasCome[next]) next++;
    flows.arrived[flow].store(next);
  }

  // ---- the wire ----

  void runWire() {
    while (!isOver.load()) {
      bool moved = carry(*one.engine, *two.engine, true);
      moved = carry(*two.engine, *one.engine, false) || moved;
      if (!moved) usleep(100);
    }
  }

  bool carry(Engine& from, Engine& to, bool isFromOne) {
    bool moved = false;
    auto lanes = static_cast<uint32_t>(to.lanes());
    for (size_t lane = 0; lane < from.lanes(); lane++) {
      ChannelDatagram datagram;
      while (from.channelUdp(lane)->fromWalk.take(datagram)) {
        datagram.endpoint = isFromOne ? test::endpointAt(1, portOfOne.load()) : test::endpointAt(2);
        uint32_t target = laneOf(datagram.bytes, lanes);
        if (form.isMisdirected && ++carried % 7 == 0) target = carried % lanes;
        to.channelUdp(target)->toWalk.put(std::move(datagram));
        moved = true;
      }
    }
    return moved;
  }

  // ---- the control plane, on the caller's thread ----

  void renew() {
    uint32_t index = kFirstIndex + kIndexStep * generation++;
    Instant now = bootTime();
    install(index, kAnyLane, now);
    if (form.hasLaneKeypairs) {
      for (uint32_t i = 0; i < std::max(form.lanesOfOne, form.lanesOfTwo); i++) {
        install(index, i, now);
      }
    }
    use(one, index);
    one.engine->flushStaged(0, true);
  }

  // At both ends, the session's own keypair or that of a lane.
  void install(uint32_t index, uint32_t lane, Instant now) {
    auto [initiator, responder] = test::sessionAt(now, index);
    uint32_t bits = lane == kAnyLane ? 0 : kLaneMark | lane;
    initiator.localIndex = responder.remoteIndex = index | bits;
    initiator.remoteIndex = responder.localIndex = (index + kSecondIndex) | bits;
    initiator.lane = responder.lane = lane;
    EXPECT(two.engine->tables().installKeypair(0, responder));
    EXPECT(one.engine->tables().installKeypair(0, initiator));
  }

  void use(Side& side, uint32_t index) {
    Tables& tables = side.engine->tables();
    if (!form.hasLaneKeypairs) {
      EXPECT(tables.useKeypair(0, index));
      return;
    }
    for (uint32_t i = 0; i < side.engine->lanes(); i++) {
      EXPECT(tables.useKeypair(0, index | kLaneMark | i));
    }
  }

  // The second side used this session for the first time, as the first has before: what is sent
  // from here on is sealed with it or a later one.
  void confirmed(uint32_t localIndex) {
    uint32_t number = ((localIndex & ~kIndexBits) - kSecondIndex - kFirstIndex) / kIndexStep;
    if (number < confirmedNumber) return;
    use(two, localIndex & ~kIndexBits);
    confirmedNumber = number;
    if (retiring > removed) return;
    retiring = number;
    awaited[0] = there.countSent();
    awaited[1] = back.countSent();
  }

  // Sessions go when nothing that they sealed is under way any more.
  void removeOld() {
    if (removed == retiring || !there.hasArrived(awaited[0]) || !back.hasArrived(awaited[1]))
      return;
    for (; removed < retiring; removed++) {
      uint32_t index = kFirstIndex + kIndexStep * removed;
      remove(*one.engine, index);
      remove(*two.engine, index + kSecondIndex);
    }
  }

  void remove(Engine& engine, uint32_t index) {
    EXPECT(engine.tables().removeKeypair(index));
    if (!form.hasLaneKeypairs) return;
    for (uint32_t i = 0; i < std::max(form.lanesOfOne, form.lanesOfTwo); i++) {
      EXPECT(engine.tables().removeKeypair(index | kLaneMark | i));
    }
  }

  void answerEvents(Side& side) {
    std::vector<uint8_t> records = side.engine->events().take(64);
    enum Kind : uint8_t { kHandshake = 1, kSessionNeeded, kConfirmed, kRoamed, kActivity };
    for (size_t at = 0; at < records.size();) {
      uint32_t peer = loadLe32(records.data() + at + 1);
      switch (records[at]) {
        case kSessionNeeded:
          at += 6;
          break;
        case kConfirmed:
          if (&side == &two) confirmed(loadLe32(records.data() + at + 5));
          at += 9;
          break;
        case kRoamed:
          side.engine->tables().setEndpoint(peer, parseEndpoint(records.data() + at + 5));
          at += 5 + kEndpointBytes;
          break;
        case kActivity:
          side.engine->readActivity(peer);
          at += 37;
          break;
        default:
          EXPECT(!"an event of another kind");
          return;
      }
    }
  }

  // Peers that nothing is sent to but noise, which is staged and given up on.
  void churn(Side& side) {
    Engine& engine = *side.engine;
    auto slot = 1 + static_cast<uint32_t>(test::random() % 4);
    auto host = static_cast<uint8_t>(100 + slot);
    if (engine.tables().peer(slot) != nullptr) {
      if (test::random() % 2 == 0) return engine.dropStaged(slot);
      return engine.removePeer(slot);
    }
    addPeer(engine, slot, host);
    for (uint32_t lane = 0; lane < engine.lanes(); lane++) {
      Fields fields;
      fields.destination = host;
      engine.channelTun(lane)->toWalk.put(test::makePacket(fields));
    }
  }

  void turn(uint64_t number) {
    Side& side = number % 2 == 0 ? one : two;
    switch (test::random() % 8) {
      case 0:
      case 1:
        renew();
        break;
      case 2:
        churn(side);
        break;
      case 3:
        portOfOne = static_cast<uint16_t>(1000 + number % 1000);
        break;
      case 4:
        side.engine->tables().setEndpoint(0, test::endpointAt(static_cast<uint8_t>(3 - side.host)));
        break;
      case 5:
        EXPECT_EQUAL(side.engine->reopenTun(), 0);
        break;
      case 6:
        side.engine->sendKeepalive(0);
        break;
      default:
        break;
    }
    removeOld();
    for (Side* each : {&one, &two}) {
      answerEvents(*each);
      each->engine->collect();
    }
  }

  bool isBroken() const { return there.isBroken.load() || back.isBroken.load(); }
  void run() {
    renew();
    std::thread wire([this] { runWire(); });
    // What is staged before there is a session overtakes nothing, but is overtaken.
    const PeerEntry* peer = two.engine->tables().peer(0);
    while (peer->sending[two.engine->lanes() - 1] == nullptr && bootTime() < end) answerEvents(two);
    std::thread hostOfOne([this] { runHost(one); });
    std::thread hostOfTwo([this] { runHost(two); });
    for (uint64_t number = 0; !there.isDone() || !back.isDone(); number++) {
      if (isBroken() || bootTime() > end) break;
      turn(number);
      usleep(500);
    }
    isOver = true;
    hostOfOne.join();
    hostOfTwo.join();
    wire.join();
  }

  uint64_t drops(Engine& engine, Drop reason) {
    uint64_t sum = 0;
    for (CounterBlock* block : engine.counterBlocks()) {
      sum += block->drops[static_cast<size_t>(reason)].get();
    }
    return sum;
  }
  // How many lanes have carried packets out.
  size_t busyLanes(Engine& engine) {
    size_t busy = 0;
    std::vector<CounterBlock*> blocks = engine.counterBlocks();
    for (size_t i = 0; i < 2 * engine.lanes(); i += 2) {
      busy += blocks[i]->counters[static_cast<size_t>(Counter::sealed)].get() > 0 ? 1 : 0;
    }
    return busy;
  }
};

void stress(Case form) {
  Rig rig(form);
  rig.run();
  EXPECT(!rig.isBroken());
  EXPECT(rig.there.isDone() && rig.back.isDone());
  EXPECT(rig.generation > 5);
  EXPECT(rig.removed > 1);
  for (Side* side : {&rig.one, &rig.two}) {
    EXPECT_EQUAL(rig.busyLanes(*side->engine), side->engine->lanes());
    for (Drop reason : {Drop::tag, Drop::replay, Drop::openedMalformed}) {
      EXPECT_EQUAL(rig.drops(*side->engine, reason), uint64_t{0});
    }
    side->engine->stop();
  }
}

}  // namespace

TEST("lanes stress: one keypair for all lanes, as with a stock peer") {
  stress({.lanesOfOne = 2, .lanesOfTwo = 2});
  stress({.lanesOfOne = 4, .lanesOfTwo = 1});
}

TEST("lanes stress: a keypair for each lane") {
  stress({.lanesOfOne = 2, .lanesOfTwo = 2, .hasLaneKeypairs = true});
  stress({.lanesOfOne = 4, .lanesOfTwo = 4, .hasLaneKeypairs = true});
}

TEST("lanes stress: what comes in at another lane than its own is taken all the same") {
  stress({.lanesOfOne = 4, .lanesOfTwo = 4, .hasLaneKeypairs = true, .isMisdirected = true});
  stress({.lanesOfOne = 2, .lanesOfTwo = 4, .isMisdirected = true});
}

TEST("lanes stress: a keypair for each lane of who has more of them") {
  stress({.lanesOfOne = 2, .lanesOfTwo = 4, .hasLaneKeypairs = true});
  stress({.lanesOfOne = 4, .lanesOfTwo = 1, .hasLaneKeypairs = true});
}

}  // namespace heddle
