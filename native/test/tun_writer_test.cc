// Super-packets that the TUN refuses: written packet by packet, and not made for a while where it
// refuses them again and again.
#include "io/tun_writer.h"

#include <cerrno>

#include "io/channel.h"
#include "test/packets.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr Instant kStart = seconds(1000);
constexpr int kAlways = 1 << 20;
constexpr size_t kFlow = 8;

struct Rig {
  CounterBlock counters;
  ChannelTun tun{true};
  TunWriter writer{counters, CoalesceOptions{}};

  struct Direct : PacketWriter {
    Rig& rig;
    explicit Direct(Rig& its) : rig(its) {}
    void write(std::span<uint8_t> frame, size_t packets) override {
      rig.writer.write(rig.tun, frame, packets);
    }
  } direct{*this};
  Coalescer coalescer{direct, counters, CoalesceOptions{}};

  // One receive: `kFlow` packets of a flow. How many writes they were, none altered.
  size_t receive(uint8_t protocol, Instant now) {
    coalescer.use(writer.at(now));
    std::vector<Packet> packets;
    for (size_t i = 0; i < kFlow; i++) {
      Fields fields{.protocol = protocol, .payload = test::randomPayload(500)};
      fields.identifier = static_cast<uint16_t>(i);
      fields.sequence = static_cast<uint32_t>(1 + 500 * i);
      packets.push_back(test::makePacket(fields));
      std::memcpy(coalescer.place(packets[i].size()), packets[i].data(), packets[i].size());
      coalescer.add(packets[i].size());
    }
    coalescer.flush();
    std::vector<Packet> written;
    for (Packet frame; tun.fromWalk.take(frame);) {
      if (parseVirtioNet(frame.data()).gsoType == kVirtioGsoNone) {
        frame.erase(frame.begin(), frame.begin() + kVirtioNetHeader);
        EXPECT(frame == packets.at(written.size()));
      }
      written.push_back(frame);
    }
    return written.size();
  }
  uint64_t count(Counter name) { return counters.counters[static_cast<size_t>(name)].get(); }
  uint64_t dropped() { return counters.drops[static_cast<size_t>(Drop::tunWrite)].get(); }
};

}  // namespace

TEST("tun writer: a super-packet refused with EINVAL is written packet by packet, none altered") {
  for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    Rig rig;
    rig.tun.failWrites({.error = EINVAL, .count = kAlways, .isOfSeveral = true});
    EXPECT_EQUAL(rig.receive(protocol, kStart), kFlow);
    EXPECT_EQUAL(rig.count(Counter::tunGsoFallback), 1u);
    EXPECT_EQUAL(rig.count(Counter::tunWrites), 1 + kFlow);
    EXPECT_EQUAL(rig.dropped(), 0u);
  }
}

TEST("tun writer: after three refusals in a row none of the kind is made for 60 s") {
  const std::pair<uint8_t, SuperKind> rows[] = {{kProtocolTcp, SuperKind::tcp},
                                                {kProtocolUdp, SuperKind::udp}};
  for (auto [protocol, kind] : rows) {
    Rig rig;
    rig.tun.failWrites({.error = EINVAL, .count = kAlways, .isOfSeveral = true});
    for (int i = 0; i < 3; i++) {
      EXPECT_EQUAL(rig.writer.offSince(kind, kStart), 0u);
      EXPECT_EQUAL(rig.receive(protocol, kStart), kFlow);
    }
    EXPECT_EQUAL(rig.writer.offSince(kind, kStart), kStart);
    EXPECT_EQUAL(rig.receive(protocol, kStart + seconds(59)), kFlow);
    EXPECT_EQUAL(rig.count(Counter::tunGsoFallback), 3u);
    // Then one refusal is enough.
    EXPECT_EQUAL(rig.receive(protocol, kStart + seconds(60)), kFlow);
    EXPECT_EQUAL(rig.count(Counter::tunGsoFallback), 4u);
    EXPECT_EQUAL(rig.receive(protocol, kStart + seconds(61)), kFlow);
    EXPECT_EQUAL(rig.count(Counter::tunGsoFallback), 4u);
    rig.tun.failWrites({});
    EXPECT_EQUAL(rig.receive(protocol, kStart + seconds(120)), size_t{1});
    EXPECT_EQUAL(rig.writer.offSince(kind, kStart + seconds(120)), 0u);
    EXPECT_EQUAL(rig.dropped(), 0u);
  }
}

TEST("tun writer: TCP that is refused leaves UDP together") {
  Rig rig;
  rig.tun.failWrites({.error = EINVAL, .count = 3, .isOfSeveral = true});
  for (int i = 0; i < 3; i++) rig.receive(kProtocolTcp, kStart);
  EXPECT_EQUAL(rig.receive(kProtocolTcp, kStart), kFlow);
  EXPECT_EQUAL(rig.receive(kProtocolUdp, kStart), size_t{1});
}

TEST("tun writer: one that is taken makes the refusals before it forgotten") {
  Rig rig;
  for (int i = 0; i < 5; i++) {
    rig.tun.failWrites({.error = EINVAL, .count = 2, .isOfSeveral = true});
    for (int j = 0; j < 2; j++) EXPECT_EQUAL(rig.receive(kProtocolTcp, kStart), kFlow);
    EXPECT_EQUAL(rig.receive(kProtocolTcp, kStart), size_t{1});
  }
}

TEST("tun writer: other errors are counted packet by packet, and say nothing of super-packets") {
  for (int error : {EIO, EBADFD, ENOBUFS}) {
    Rig rig;
    rig.tun.failWrites({.error = error, .count = 5});
    for (int i = 0; i < 5; i++) EXPECT_EQUAL(rig.receive(kProtocolTcp, kStart), size_t{0});
    EXPECT_EQUAL(rig.dropped(), 5 * kFlow);
    EXPECT_EQUAL(rig.receive(kProtocolTcp, kStart), size_t{1});
  }
}

TEST("tun writer: a packet whose checksum the kernel will not make is written with it") {
  Rig rig;
  Packet whole = test::makePacket({.payload = test::randomPayload(100)});
  uint8_t* checksum = whole.data() + kIpv4Header + kTcpChecksumAt;
  Packet frame(kVirtioNetHeader);
  frame.insert(frame.end(), whole.begin(), whole.end());
  auto length = static_cast<uint16_t>(whole.size() - kIpv4Header);
  Sum pseudo = sumPseudoHeader(Family::ipv4, whole.data(), kProtocolTcp) + sumBe16(length);
  uint8_t* field = frame.data() + kVirtioNetHeader + kIpv4Header + kTcpChecksumAt;
  storeLe16(field, foldSum(pseudo));
  EXPECT(loadLe16(field) != loadLe16(checksum));
  emitVirtioNet({.flags = kVirtioNeedsChecksum,
                 .checksumStart = kIpv4Header,
                 .checksumOffset = kTcpChecksumAt},
                frame.data());
  rig.tun.failWrites({.error = EINVAL, .count = 1});
  rig.writer.write(rig.tun, frame, 1);
  Packet written;
  EXPECT(rig.tun.fromWalk.take(written));
  Packet plain(kVirtioNetHeader);
  plain.insert(plain.end(), whole.begin(), whole.end());
  EXPECT(written == plain);
  EXPECT_EQUAL(rig.dropped(), 0u);
}

}  // namespace heddle
