// What the engine asks of which lane, without threads: each lane is pumped by the test.
#include "io/clock.h"
#include "io/engine.h"
#include "test/test.h"
#include "test/walk.h"
#include "wire/wireguard.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr uint32_t kLanes = 4;
constexpr Instant kStart = seconds(1000);

// An engine of four lanes with a peer that nothing is sent to yet.
struct Rig {
  std::unique_ptr<Engine> engine;

  Rig() {
    Engine::Options options;
    options.offloads.fill(OffloadSwitch::off);
    options.threads = false;
    options.lanes = kLanes;
    Engine::Opened opened;
    engine = Engine::open(
        options, [] {}, opened);
    addPeer();
  }

  void addPeer() {
    uint8_t address[4];
    test::storeHost(Family::ipv4, address, 2);
    EXPECT(engine->tables().addPeer(0));
    EXPECT(engine->tables().insertPrefix({address, 4}, 32, 0));
    engine->tables().publishRoutes();
    engine->tables().setEndpoint(0, test::endpointAt(2));
  }
  void connect() {
    auto [ours, theirs] = test::sessionAt(kStart, 0x100);
    EXPECT(engine->tables().installKeypair(0, ours));
    EXPECT(engine->tables().useKeypair(0, ours.localIndex));
  }
  void put(std::initializer_list<size_t> lanes) {
    for (size_t lane : lanes) engine->channelTun(lane)->toWalk.put(test::makePacket({}));
  }
  // How many datagrams each lane sent.
  std::vector<size_t> pump() {
    engine->pump(kStart);
    std::vector<size_t> sent(kLanes);
    for (size_t lane = 0; lane < kLanes; lane++) {
      ChannelDatagram datagram;
      while (engine->channelUdp(lane)->fromWalk.take(datagram)) sent[lane]++;
    }
    return sent;
  }
  // In the lanes' own blocks and in JavaScript's.
  uint64_t drops(Drop reason) {
    uint64_t sum = 0;
    for (CounterBlock* block : engine->counterBlocks()) {
      sum += block->drops[static_cast<size_t>(reason)].get();
    }
    return sum;
  }
};

using Sent = std::vector<size_t>;

}  // namespace

TEST("engine lanes: a session is asked for once, whichever lanes wait for it") {
  Rig rig;
  rig.put({1, 1, 3, 0});
  EXPECT(rig.pump() == Sent({0, 0, 0, 0}));
  EXPECT_EQUAL(rig.engine->events().take(64).size(), size_t{6});
}

TEST("engine lanes: what is staged leaves from its own lane, a keepalive from the first alone") {
  for (bool orKeepalive : {true, false}) {
    Rig rig;
    rig.put({1, 3, 3});
    rig.pump();
    rig.connect();
    rig.engine->flushStaged(0, orKeepalive);
    EXPECT(rig.pump() == Sent({orKeepalive ? 1u : 0u, 1, 0, 2}));
    rig.engine->flushStaged(0, orKeepalive);
    EXPECT(rig.pump() == Sent({orKeepalive ? 1u : 0u, 0, 0, 0}));
  }
}

TEST("engine lanes: what is staged is given up in all lanes, and the next packet asks again") {
  Rig rig;
  rig.put({0, 1, 2, 3});
  rig.pump();
  EXPECT(!rig.engine->events().take(64).empty());
  rig.engine->dropStaged(0);
  rig.pump();
  EXPECT_EQUAL(rig.drops(Drop::stagedExpired), uint64_t{kLanes});
  EXPECT(rig.engine->events().take(64).empty());
  rig.put({2});
  rig.pump();
  EXPECT_EQUAL(rig.engine->events().take(64).size(), size_t{6});
}

TEST("engine lanes: a peer that goes takes along what all lanes staged for it") {
  Rig rig;
  rig.put({0, 1, 2, 3});
  rig.pump();
  rig.engine->removePeer(0);
  rig.addPeer();
  rig.connect();
  rig.engine->flushStaged(0, false);
  EXPECT(rig.pump() == Sent({0, 0, 0, 0}));
  EXPECT_EQUAL(rig.drops(Drop::stagedExpired), uint64_t{kLanes});
}

TEST("engine lanes: keepalives and handshakes leave from the first") {
  Rig rig;
  rig.connect();
  rig.engine->sendKeepalive(0);
  EXPECT(rig.pump() == Sent({1, 0, 0, 0}));
  EXPECT_EQUAL(rig.engine->sendHandshake(test::endpointAt(2), Packet(kInitiationLength)), 0);
  EXPECT(rig.pump() == Sent({1, 0, 0, 0}));
}

}  // namespace heddle
