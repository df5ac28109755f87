// Sends that fail, each errno over the channel backend: what is sent singly, what is dropped, and
// when GSO is tried again.
#include "io/udp_sender.h"

#include <cerrno>

#include "io/channel.h"
#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::endpointAt;
using test::Packet;

constexpr Instant kStart = seconds(1000);
constexpr int kAlways = 1 << 20;
constexpr size_t kSegment = 100;

struct Rig {
  Reclaimer reclaimer;
  Tables tables{reclaimer};
  CounterBlock counters;
  UdpSender sender{tables, counters};
  ChannelUdp port;

  Rig() { EXPECT(tables.addPeer(3)); }

  // A batch of `count` messages, the last one shorter; the datagrams that left, none altered.
  size_t send(size_t count, const Endpoint& to, Instant now) {
    Packet bytes = test::randomPayload(count * kSegment - kSegment / 2);
    sender.send(port, {.bytes = bytes, .segment = kSegment, .count = count, .peer = 3, .to = to},
                now);
    size_t sent = 0;
    for (ChannelDatagram each; port.fromWalk.take(each); sent++) {
      auto expected = std::span(bytes).subspan(sent * kSegment);
      expected = expected.first(std::min(kSegment, expected.size()));
      EXPECT(each.bytes == Packet(expected.begin(), expected.end()));
      EXPECT_EQUAL(each.endpoint, to);
    }
    return sent;
  }
  uint64_t count(Counter name) { return counters.counters[static_cast<size_t>(name)].get(); }
  uint64_t calls() { return count(Counter::udpSends); }
  uint64_t drops(Drop reason) {
    auto at = static_cast<size_t>(reason);
    EXPECT_EQUAL(tables.traffic(3).drops[at], counters.drops[at].get());
    return counters.drops[at].get();
  }
};

}  // namespace

TEST("udp sender: a batch is one send") {
  Rig rig;
  EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
  EXPECT_EQUAL(rig.calls(), 1u);
  EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 8u);
}

TEST("udp sender: with GSO switched off each datagram is one send") {
  Rig rig;
  rig.sender.useGso(false);
  EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
  EXPECT_EQUAL(rig.calls(), 8u);
  EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 0u);
}

TEST("udp sender: EIO, EINVAL and EMSGSIZE of a batch cost no packet, and GSO rests for 60 s") {
  for (int error : {EIO, EINVAL, EMSGSIZE}) {
    Rig rig;
    rig.port.failSends({.error = error, .count = kAlways, .isOfSeveral = true});
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
    EXPECT_EQUAL(rig.calls(), 9u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoFallback), 1u);
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart + seconds(59)), size_t{8});
    EXPECT_EQUAL(rig.calls(), 17u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 0u);
    // Then it is tried again, and rests again where it still fails.
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart + seconds(60)), size_t{8});
    EXPECT_EQUAL(rig.calls(), 26u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoFallback), 2u);
    rig.port.failSends({});
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart + seconds(120)), size_t{8});
    EXPECT_EQUAL(rig.calls(), 27u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 8u);
  }
}

TEST("udp sender: a destination that cannot take GSO leaves it to the others") {
  Rig rig;
  rig.port.failSends({.error = EIO, .count = kAlways, .isOfSeveral = true, .to = endpointAt(1)});
  for (int round = 0; round < 3; round++) {
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
    EXPECT_EQUAL(rig.send(8, endpointAt(2), kStart), size_t{8});
  }
  EXPECT_EQUAL(rig.count(Counter::udpGsoFallback), 1u);
  EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 24u);
  EXPECT_EQUAL(rig.calls(), 1u + 24u + 3u);
}

TEST("udp sender: what is refused singly, too, says nothing of GSO and is counted") {
  const std::pair<int, Drop> rows[] = {
      {EIO, Drop::sendFailed}, {EINVAL, Drop::sendUnreachable}, {EMSGSIZE, Drop::sendTooBig}};
  for (auto [error, reason] : rows) {
    Rig rig;
    // The batch and all but its last.
    rig.port.failSends({.error = error, .count = 8});
    EXPECT(rig.sender.fallback().isOff(endpointAt(1), kStart) == false);
    Packet bytes = test::randomPayload(8 * kSegment);
    rig.sender.send(
        rig.port, {.bytes = bytes, .segment = kSegment, .count = 8, .peer = 3, .to = endpointAt(1)},
        kStart);
    ChannelDatagram last;
    EXPECT(rig.port.fromWalk.take(last));
    EXPECT(!rig.port.fromWalk.take(last));
    EXPECT_EQUAL(rig.drops(reason), 7u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoFallback), 0u);
    EXPECT(!rig.sender.fallback().isOff(endpointAt(1), kStart));
  }
}

TEST("udp sender: short of memory, it goes on at the first unsent, and GSO stays on") {
  for (int error : {ENOBUFS, ENOMEM}) {
    Rig rig;
    rig.port.failSends({.error = error, .count = 5});
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
    EXPECT_EQUAL(rig.calls(), 1u + 4u + 8u);
    EXPECT_EQUAL(rig.count(Counter::udpGsoFallback), 0u);
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{8});
    EXPECT_EQUAL(rig.count(Counter::udpGsoSegments), 8u);
  }
}

TEST("udp sender: short of memory for long, it drops the batch after a few tries") {
  Rig rig;
  rig.port.failSends({.error = ENOBUFS, .count = kAlways});
  EXPECT_EQUAL(rig.send(63, endpointAt(1), kStart), size_t{0});
  EXPECT_EQUAL(rig.drops(Drop::sendNoBuffer), 63u);
  EXPECT(rig.calls() <= 12);
}

TEST("udp sender: a socket that took nothing for its time limit is waited for once a batch") {
  Rig rig;
  rig.port.failSends({.error = EAGAIN, .count = kAlways});
  EXPECT_EQUAL(rig.send(63, endpointAt(1), kStart), size_t{0});
  EXPECT_EQUAL(rig.calls(), 1u);
  rig.sender.useGso(false);
  EXPECT_EQUAL(rig.send(63, endpointAt(1), kStart), size_t{0});
  EXPECT_EQUAL(rig.calls(), 2u);
  EXPECT_EQUAL(rig.drops(Drop::sendNoBuffer), 126u);
}

TEST("udp sender: any other error drops the batch as a whole, counted by reason") {
  const std::pair<int, Drop> rows[] = {
      {ENETUNREACH, Drop::sendUnreachable}, {EPERM, Drop::sendRefused}, {EBADF, Drop::sendFailed}};
  for (auto [error, reason] : rows) {
    Rig rig;
    rig.port.failSends({.error = error, .count = 1});
    EXPECT_EQUAL(rig.send(8, endpointAt(1), kStart), size_t{0});
    EXPECT_EQUAL(rig.drops(reason), 8u);
    EXPECT_EQUAL(rig.calls(), 1u);
  }
}

}  // namespace heddle
