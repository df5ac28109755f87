// A lane between ports that fail: what the kernel refuses as a whole goes out one by one.
#include "io/lane.h"

#include <unistd.h>

#include <cerrno>

#include "io/channel.h"
#include "io/clock.h"
#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr Instant kStart = seconds(1000);

// A TUN that takes no super-packets.
struct OldTun : TunPort {
  std::vector<Packet> toRead;
  std::vector<Packet> written;
  bool takesSuperPackets = false;

  ssize_t read(std::span<uint8_t> buffer) override {
    if (toRead.empty()) return -EAGAIN;
    Packet frame = toRead.front();
    toRead.erase(toRead.begin());
    std::memcpy(buffer.data(), frame.data(), frame.size());
    return static_cast<ssize_t>(frame.size());
  }
  int write(std::span<const uint8_t> frame) override {
    bool isSuper = parseVirtioNet(frame.data()).gsoType != kVirtioGsoNone;
    if (isSuper && !takesSuperPackets) return -EINVAL;
    written.emplace_back(frame.begin(), frame.end());
    return 0;
  }
  int descriptor() const override { return -1; }
};

// A UDP port whose sends of more than one datagram, or of any, fail with an errno.
struct OldUdp : UdpPort {
  std::vector<std::pair<Packet, size_t>> toReceive;  // datagrams back to back, and their length
  std::vector<Packet> sent;
  int gsoError = 0;
  int error = 0;
  size_t largest = SIZE_MAX;  // EMSGSIZE beyond
  size_t calls = 0;

  int send(const Endpoint&, std::span<const uint8_t> bytes, size_t segment, const Via&) override {
    calls++;
    if (error != 0) return -error;
    if (bytes.size() > segment && gsoError != 0) return -gsoError;
    if (std::min(bytes.size(), segment) > largest) return -EMSGSIZE;
    for (size_t at = 0; at < bytes.size(); at += segment) {
      auto one = bytes.subspan(at, std::min(segment, bytes.size() - at));
      sent.emplace_back(one.begin(), one.end());
    }
    return 0;
  }
  bool receive(std::span<uint8_t> buffer, Received& received, int& failed) override {
    failed = 0;
    if (toReceive.empty()) return false;
    auto [bytes, segment] = toReceive.front();
    toReceive.erase(toReceive.begin());
    std::memcpy(buffer.data(), bytes.data(), bytes.size());
    received = {test::endpointAt(1), buffer.first(bytes.size()), segment, {}};
    return true;
  }
  std::span<const int> descriptors() const override { return {}; }
};

// `count` segments of one TCP flow, as the first end of a pair would send them.
std::vector<Packet> segments(size_t count) {
  std::vector<Packet> packets;
  for (size_t i = 0; i < count; i++) {
    Fields fields;
    fields.source = 1;
    fields.destination = 2;
    fields.sequence = static_cast<uint32_t>(1 + 1000 * i);
    fields.identifier = static_cast<uint16_t>(i);
    fields.payload = test::randomPayload(1000);
    packets.push_back(test::makePacket(fields));
  }
  return packets;
}

struct Rig {
  test::Pair pair;
  OldTun tun;
  OldUdp udp;
  Lane lane{pair.two.reclaimer, pair.two.tables, pair.two.events, tun, udp, CoalesceOptions{}};

  Rig() { pair.connect(kStart); }

  // What the first end seals of these packets arrives in one receive.
  void arrive(const std::vector<Packet>& packets) {
    for (const Packet& packet : packets) pair.one.packet(packet, kStart);
    pair.one.outbound.flush();
    Packet bytes;
    for (const Packet& message : pair.one.sent.datagrams) {
      bytes.insert(bytes.end(), message.begin(), message.end());
    }
    udp.toReceive.emplace_back(bytes, pair.one.sent.datagrams.at(0).size());
    lane.pump(kStart);
  }
  uint64_t outboundCount(Counter name) {
    return lane.outboundCounters().counters[static_cast<size_t>(name)].get();
  }
  uint64_t inboundCount(Counter name) {
    return lane.inboundCounters().counters[static_cast<size_t>(name)].get();
  }
};

std::vector<Packet> withoutHeaders(const std::vector<Packet>& frames) {
  std::vector<Packet> packets;
  for (const Packet& frame : frames) packets.emplace_back(frame.begin() + 10, frame.end());
  return packets;
}

// A TUN that always says it is readable, and whose every read fails.
struct BrokenTun : OldTun {
  Wakeup always;
  std::atomic<int> reads{0};

  BrokenTun() { always.signal(); }
  ssize_t read(std::span<uint8_t>) override {
    reads++;
    return -EIO;
  }
  int descriptor() const override { return always.descriptor(); }
};

// Reads EBADFD, as from a device that was deleted.
struct DeletedTun : BrokenTun {
  ssize_t read(std::span<uint8_t>) override {
    reads++;
    return -EBADFD;
  }
  int write(std::span<const uint8_t>) override { return -EBADFD; }
};

// A packet from host 2 to host 1 with its number as payload, as a TUN with offload hands it over.
Packet numberedFrame(uint32_t number) {
  Fields fields;
  fields.source = 2;
  fields.destination = 1;
  fields.protocol = kProtocolUdp;
  fields.payload.resize(4);
  storeBe32(fields.payload.data(), number);
  Packet packet = test::makePacket(fields);
  Packet frame(kVirtioNetHeader);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

// Until `done` or two seconds have gone.
template <typename Done>
bool await(Done done) {
  for (int i = 0; i < 2000; i++) {
    if (done()) return true;
    usleep(1000);
  }
  return false;
}

// Two ends with a lane each over channels: what the second sends arrives at the first.
struct ChannelRig {
  test::Pair pair;
  ChannelTun sendingTun{true};
  ChannelUdp sendingUdp;
  ChannelTun receivingTun{true};
  ChannelUdp receivingUdp;
  Lane sending{pair.two.reclaimer, pair.two.tables, pair.two.events,
               sendingTun,         sendingUdp,      CoalesceOptions{}};
  Lane receiving{pair.one.reclaimer, pair.one.tables, pair.one.events,
                 receivingTun,       receivingUdp,    {.tcp = false, .udp = false}};
  std::vector<uint32_t> arrived;
  uint32_t put = 0;

  void carry() {
    for (ChannelDatagram datagram; sendingUdp.fromWalk.take(datagram);) {
      datagram.endpoint = test::endpointAt(2);
      receivingUdp.toWalk.put(datagram);
    }
    for (Packet frame; receivingTun.fromWalk.take(frame);) {
      arrived.push_back(loadBe32(frame.data() + frame.size() - 4));
    }
  }
  bool arrivedInOrder() const {
    for (size_t i = 0; i < arrived.size(); i++) {
      if (arrived[i] != i) return false;
    }
    return arrived.size() == put;
  }
};

// `count` packets from host 2 to host 1, as a TUN with offload hands them over.
void putFrames(Rig& rig, size_t count) {
  for (size_t i = 0; i < count; i++) {
    Packet frame(kVirtioNetHeader);
    Fields fields;
    fields.source = 2;
    fields.destination = 1;
    fields.payload = test::randomPayload(500);
    Packet packet = test::makePacket(fields);
    frame.insert(frame.end(), packet.begin(), packet.end());
    rig.tun.toRead.push_back(frame);
  }
}

}  // namespace

TEST("lane: paused and resumed under traffic, it loses nothing and keeps the order") {
  ChannelRig rig;
  rig.pair.connect(bootTime());
  rig.sending.start();
  rig.receiving.start();
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 50; i++) rig.sendingTun.toWalk.put(numberedFrame(rig.put++));
    rig.sending.pause();
    rig.carry();
    rig.receiving.pause();
    for (int i = 0; i < 5; i++) rig.sendingTun.toWalk.put(numberedFrame(rig.put++));
    rig.receiving.resume(rig.receivingTun);
    rig.sending.resume(rig.sendingTun);
  }
  EXPECT(await([&] {
    rig.carry();
    return rig.arrived.size() >= rig.put;
  }));
  EXPECT(rig.arrivedInOrder());
  rig.sending.stop();
  rig.receiving.stop();
}

TEST("lane: what is staged outlives a pause, and so do commands given in it") {
  ChannelRig rig;
  rig.sending.start();
  rig.receiving.start();
  for (int i = 0; i < 100; i++) rig.sendingTun.toWalk.put(numberedFrame(rig.put++));
  auto staged = [&] {
    return rig.sending.outboundCounters().counters[static_cast<size_t>(Counter::staged)].get();
  };
  EXPECT(await([&] { return staged() == rig.put; }));
  rig.sending.pause();
  rig.pair.connect(bootTime());
  rig.sending.command({.kind = LaneCommand::Kind::flushStaged, .peer = 0});
  rig.sending.resume(rig.sendingTun);
  EXPECT(await([&] {
    rig.carry();
    return rig.arrived.size() >= rig.put;
  }));
  EXPECT(rig.arrivedInOrder());
}

TEST("lane: one that was never started stays so through a pause") {
  ChannelRig rig;
  rig.pair.connect(kStart);
  rig.sending.pause();
  rig.sending.resume(rig.sendingTun);
  rig.sendingTun.toWalk.put(numberedFrame(rig.put++));
  usleep(20'000);
  ChannelDatagram datagram;
  EXPECT(!rig.sendingUdp.fromWalk.take(datagram));
  rig.sending.pump(kStart);
  EXPECT(rig.sendingUdp.fromWalk.take(datagram));
}

TEST("lane: a deleted TUN is read once, then left alone until there is another") {
  test::Pair pair;
  pair.connect(bootTime());
  DeletedTun deleted;
  ChannelTun fresh(true);
  ChannelUdp udp;
  Lane lane(pair.two.reclaimer, pair.two.tables, pair.two.events, deleted, udp, CoalesceOptions{});
  lane.start();
  EXPECT(await([&] { return deleted.reads > 0; }));
  usleep(100'000);
  EXPECT_EQUAL(deleted.reads.load(), 1);
  lane.pause();
  lane.resume(fresh);
  fresh.toWalk.put(numberedFrame(1));
  ChannelDatagram datagram;
  EXPECT(await([&] { return udp.fromWalk.take(datagram); }));
}

TEST("lane: packets for a deleted TUN are counted as tun_write") {
  test::Pair pair;
  pair.connect(bootTime());
  DeletedTun deleted;
  OldUdp udp;
  Lane lane(pair.two.reclaimer, pair.two.tables, pair.two.events, deleted, udp, CoalesceOptions{});
  for (const Packet& packet : segments(3)) pair.one.packet(packet, bootTime());
  pair.one.outbound.flush();
  for (const Packet& message : pair.one.sent.datagrams) {
    udp.toReceive.emplace_back(message, message.size());
  }
  lane.pump(bootTime());
  size_t at = static_cast<size_t>(Drop::tunWrite);
  EXPECT_EQUAL(lane.inboundCounters().drops[at].get(), 3u);
}

TEST("lane: what was received is walked by a drain, while its threads stand still") {
  ChannelRig rig;
  rig.pair.connect(bootTime());
  rig.sending.start();
  rig.receiving.start();
  rig.receiving.pause();
  for (int i = 0; i < 60; i++) rig.sendingTun.toWalk.put(numberedFrame(rig.put++));
  auto read = [&] {
    return rig.sending.outboundCounters().counters[static_cast<size_t>(Counter::innerIn)].get();
  };
  EXPECT(await([&] { return read() == rig.put; }));
  rig.sending.pause();
  rig.carry();
  EXPECT(rig.arrived.empty());
  rig.receiving.drain(bootTime());
  rig.carry();
  EXPECT(rig.arrivedInOrder());
}

TEST("lane: a TUN whose reads keep failing does not make the thread spin") {
  test::Pair pair;
  BrokenTun tun;
  OldUdp udp;
  Lane lane(pair.two.reclaimer, pair.two.tables, pair.two.events, tun, udp, CoalesceOptions{});
  lane.start();
  usleep(200'000);
  lane.stop();
  EXPECT(tun.reads >= 2);
  EXPECT(tun.reads <= 40);
}

TEST("lane: a super-packet that the TUN takes is one write") {
  Rig rig;
  rig.tun.takesSuperPackets = true;
  rig.arrive(segments(20));
  EXPECT_EQUAL(rig.tun.written.size(), size_t{1});
}

TEST("lane: a super-packet that the TUN refuses is written packet by packet, none altered") {
  Rig rig;
  std::vector<Packet> packets = segments(20);
  rig.arrive(packets);
  EXPECT(withoutHeaders(rig.tun.written) == packets);
  EXPECT_EQUAL(rig.inboundCount(Counter::tunGsoFallback), 1u);
  EXPECT_EQUAL(rig.lane.inboundCounters().drops[static_cast<size_t>(Drop::tunWrite)].get(), 0u);
}

TEST("lane: a GSO send that is refused goes out one by one at once, and none is tried for 60 s") {
  for (int error : {EIO, EINVAL, EMSGSIZE}) {
    Rig rig;
    rig.udp.gsoError = error;
    auto push = [&](Instant now) {
      putFrames(rig, 8);
      rig.udp.calls = 0;
      rig.udp.sent.clear();
      rig.lane.pump(now);
      EXPECT_EQUAL(rig.udp.sent.size(), size_t{8});
    };
    push(kStart);
    EXPECT_EQUAL(rig.udp.calls, size_t{9});
    EXPECT_EQUAL(rig.outboundCount(Counter::udpGsoFallback), 1u);
    push(kStart + seconds(59));
    EXPECT_EQUAL(rig.udp.calls, size_t{8});
    rig.udp.gsoError = 0;
    push(kStart + seconds(61));
    EXPECT_EQUAL(rig.udp.calls, size_t{1});
  }
}

TEST("lane: VXLAN frames that are too big for the link say nothing of GSO") {
  Rig rig;
  Encapsulation vxlan{.kind = EncapsulationKind::vxlan, .vni = 1, .endpoint = test::endpointAt(1)};
  EXPECT(rig.pair.two.tables.setEncapsulation(0, vxlan));
  rig.udp.largest = 500;
  for (size_t round = 1; round <= 2; round++) {
    putFrames(rig, 8);
    rig.udp.calls = 0;
    rig.lane.pump(kStart);
    EXPECT_EQUAL(rig.udp.calls, size_t{9});
    EXPECT_EQUAL(rig.lane.outboundCounters().drops[static_cast<size_t>(Drop::sendTooBig)].get(),
                 8 * round);
  }
  EXPECT_EQUAL(rig.outboundCount(Counter::udpGsoFallback), 0u);
}

TEST("lane: a send that fails is counted by reason, for all and for the peer") {
  const std::pair<int, Drop> rows[] = {
      {ENOBUFS, Drop::sendNoBuffer},        {EAGAIN, Drop::sendNoBuffer},
      {ENETUNREACH, Drop::sendUnreachable}, {EADDRNOTAVAIL, Drop::sendUnreachable},
      {EPERM, Drop::sendRefused},           {ECONNREFUSED, Drop::sendRefused},
      {EMSGSIZE, Drop::sendTooBig},         {EBADF, Drop::sendFailed}};
  for (auto [error, reason] : rows) {
    Rig rig;
    rig.udp.error = error;
    Fields fields;
    fields.source = 2;
    fields.destination = 1;
    fields.payload = test::randomPayload(100);
    Packet packet = test::makePacket(fields);
    Packet frame(kVirtioNetHeader);
    frame.insert(frame.end(), packet.begin(), packet.end());
    rig.tun.toRead.push_back(frame);
    rig.lane.pump(kStart);
    size_t at = static_cast<size_t>(reason);
    EXPECT_EQUAL(rig.lane.outboundCounters().drops[at].get(), 1u);
    EXPECT_EQUAL(rig.pair.two.tables.traffic(0).drops[at], 1u);
  }
}

}  // namespace heddle
