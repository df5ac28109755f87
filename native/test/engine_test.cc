// Two whole engines with their threads in one process: traffic flows over the channel backend while
// this thread, as JavaScript's would, renews sessions, moves endpoints and reads counters. Meant
// for ThreadSanitizer as much as for its own checks.
#include "io/engine.h"
#include "io/clock.h"

#include <unistd.h>

#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr int kRounds = 40;
constexpr uint32_t kPacketsPerRound = 200;

std::unique_ptr<Engine> openEngine(std::atomic<int>& wakes) {
  Engine::Options options;
  options.offloads.fill(OffloadSwitch::off);
  Engine::Opened opened;
  return Engine::open(
      options, [&wakes] { wakes++; }, opened);
}

void addPeer(Engine& engine, uint8_t host) {
  uint8_t address[4];
  test::storeHost(Family::ipv4, address, host);
  EXPECT(engine.tables().addPeer(0));
  EXPECT(engine.tables().insertPrefix({address, 4}, 32, 0));
  engine.tables().publishRoutes();
  engine.tables().setEndpoint(0, test::endpointAt(host));
}

// A packet from host 1 to host 2 whose payload says which one it is.
Packet numbered(uint32_t number) {
  Fields fields;
  fields.protocol = kProtocolUdp;
  fields.payload.resize(4);
  storeBe32(fields.payload.data(), number);
  return test::makePacket(fields);
}

uint32_t numberOf(const Packet& packet) { return loadBe32(packet.data() + packet.size() - 4); }

struct Rig {
  std::atomic<int> wakes{0};
  std::unique_ptr<Engine> one = openEngine(wakes);
  std::unique_ptr<Engine> two = openEngine(wakes);
  std::vector<uint32_t> arrived;
  uint32_t index = 100;
  uint32_t sent = 0;

  Rig() {
    addPeer(*one, 2);
    addPeer(*two, 1);
  }

  // Both ends get a new session and use it; the third last goes.
  void renew() {
    auto [initiator, responder] = test::sessionAt(bootTime(), index);
    EXPECT(two->tables().installKeypair(0, responder));
    EXPECT(one->tables().installKeypair(0, initiator));
    EXPECT(one->tables().useKeypair(0, index));
    EXPECT(two->tables().useKeypair(0, index + 1));
    if (index >= 130) {
      one->tables().removeKeypair(index - 30);
      two->tables().removeKeypair(index - 29);
    }
    one->flushStaged(0, true);
    one->collect();
    two->collect();
    index += 10;
  }

  // Moves what is on the wire and takes what arrived; true when anything moved.
  bool carry() {
    bool moved = false;
    ChannelDatagram datagram;
    while (one->channelUdp()->fromWalk.take(datagram)) {
      datagram.endpoint = test::endpointAt(1, static_cast<uint16_t>(1000 + index));
      two->channelUdp()->toWalk.put(datagram);
      moved = true;
    }
    while (two->channelUdp()->fromWalk.take(datagram)) moved = true;
    Packet packet;
    while (two->channelTun()->fromWalk.take(packet)) {
      arrived.push_back(numberOf(packet));
      moved = true;
    }
    return moved;
  }

  // Carries until `count` packets arrived, or nothing moved for 2 s.
  void settle(uint32_t count) {
    for (int quiet = 0; quiet < 2000 && arrived.size() < count;) {
      quiet = carry() ? 0 : quiet + 1;
      usleep(1000);
    }
  }

  void answerEvents() {
    one->events().take(64);
    two->events().take(64);
    two->tables().setEndpoint(0, test::endpointAt(1, static_cast<uint16_t>(1000 + index)));
    one->readActivity(0);
    two->readActivity(0);
    two->sendKeepalive(0);
  }
};

}  // namespace

TEST("engine: sessions renewed, endpoints moved and events taken under traffic lose nothing") {
  Rig rig;
  rig.renew();
  for (int round = 0; round < kRounds; round++) {
    for (uint32_t i = 0; i < kPacketsPerRound; i++) {
      rig.one->channelTun()->toWalk.put(numbered(rig.sent++));
      if (i == kPacketsPerRound / 2) rig.renew();
    }
    rig.carry();
    rig.answerEvents();
    // A keypair goes two rounds after its last packet was put, so no more than one round may
    // still be under way.
    rig.settle(rig.sent - kPacketsPerRound);
  }
  rig.settle(rig.sent);
  EXPECT_EQUAL(rig.arrived.size(), size_t{rig.sent});
  bool isOrdered = true;
  for (size_t i = 0; i < rig.arrived.size(); i++) isOrdered = isOrdered && rig.arrived[i] == i;
  EXPECT(isOrdered);
  EXPECT(rig.wakes > 0);
  uint64_t read = 0;
  for (CounterBlock* block : rig.one->counterBlocks()) {
    read += block->counters[static_cast<size_t>(Counter::innerIn)].get();
  }
  EXPECT_EQUAL(read, uint64_t{rig.sent});
  rig.one->stop();
  rig.two->stop();
}

TEST("engine: a peer removed under traffic takes its packets with it, and nothing else breaks") {
  Rig rig;
  rig.renew();
  for (int round = 0; round < kRounds; round++) {
    for (uint32_t i = 0; i < 50; i++) rig.one->channelTun()->toWalk.put(numbered(rig.sent++));
    rig.one->removePeer(0);
    addPeer(*rig.one, 2);
    auto [initiator, responder] = test::sessionAt(bootTime(), rig.index);
    rig.index += 10;
    EXPECT(rig.one->tables().installKeypair(0, initiator));
    EXPECT(rig.one->tables().useKeypair(0, initiator.localIndex));
    rig.carry();
  }
  EXPECT_EQUAL(rig.one->tables().keypairCount(), size_t{1});
  EXPECT_EQUAL(rig.one->tables().prefixCount(), size_t{1});
}

TEST("engine: control messages wait in bounds, each for the lane whose keypair seals it") {
  std::atomic<int> wakes{0};
  Engine::Options options;
  options.offloads.fill(OffloadSwitch::off);
  options.threads = false;
  options.lanes = 2;
  Engine::Opened opened;
  auto engine = Engine::open(
      options, [&wakes] { wakes++; }, opened);
  addPeer(*engine, 2);
  constexpr uint32_t base = 0x40;
  KeypairMaterial keypair = test::sessionAt(bootTime(), base).first;
  EXPECT(engine->tables().installKeypair(0, keypair));
  keypair.localIndex = base | kLaneMark | 1;
  keypair.suite = Suite::aes256Gcm;
  keypair.lane = 1;
  EXPECT(engine->tables().installKeypair(0, keypair));
  auto countOf = [&](auto word) {
    uint64_t sum = 0;
    for (const CounterBlock* block : engine->counterBlocks()) sum += word(*block).get();
    return sum;
  };
  auto overflow = [](const CounterBlock& block) -> const Word& {
    return block.drops[static_cast<size_t>(Drop::controlOverflow)];
  };
  auto sent = [](const CounterBlock& block) -> const Word& {
    return block.counters[static_cast<size_t>(Counter::controlOut)];
  };
  Packet message(kMaxControl, 0x10);
  for (size_t i = 0; i < kControlCommands + 3; i++) engine->sendControl(0, base, message);
  engine->sendControl(0, keypair.localIndex, message);
  engine->sendControl(0, base | kLaneMark | 2, message);
  EXPECT_EQUAL(countOf(overflow), 3u);
  engine->pump(bootTime());
  EXPECT_EQUAL(countOf(sent), uint64_t{kControlCommands} + 1);
  size_t first = 0;
  ChannelDatagram datagram;
  while (engine->channelUdp(0)->fromWalk.take(datagram)) first++;
  EXPECT_EQUAL(first, kControlCommands);
  EXPECT(engine->channelUdp(1)->fromWalk.take(datagram));
  engine->sendControl(0, base, message);
  engine->pump(bootTime());
  EXPECT_EQUAL(countOf(overflow), 3u);
  engine->stop();
}

TEST("engine: opened and stopped 200 times, it leaves no descriptor behind") {
  auto lowest = [] {
    int fd = dup(0);
    close(fd);
    return fd;
  };
  std::atomic<int> wakes{0};
  openEngine(wakes)->stop();
  int before = lowest();
  for (int i = 0; i < 200; i++) openEngine(wakes)->stop();
  EXPECT_EQUAL(lowest(), before);
}

}  // namespace heddle
