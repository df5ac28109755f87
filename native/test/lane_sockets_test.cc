// The listen port of several lanes against real sockets, over the loopback of a namespace of its
// own.
#include "io/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>

#include "base/endian.h"
#include "test/own_namespace.h"
#include "test/packets.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Packet;

constexpr uint16_t kListen = 51820;
constexpr uint16_t kVxlan = 4789;
constexpr uint32_t kLanes = 4;

Endpoint loopback(uint8_t family, uint16_t port = kListen) {
  Endpoint endpoint;
  endpoint.family = family;
  endpoint.port = port;
  if (family == 4) endpoint.address = {127, 0, 0, 1};
  if (family == 6) endpoint.address[15] = 1;
  return endpoint;
}

// A data message of a lane's keypair, with `mark` at its end.
Packet messageTo(uint32_t lane, uint8_t mark = 0) {
  Packet message(40);
  storeLe32(message.data(), 0x48);
  storeLe32(message.data() + 4, 0x12345670u | 8 | lane);
  message.back() = mark;
  return message;
}

struct Got {
  uint16_t port = 0;  // of the sender
  Arrival arrival;
  Packet bytes;
};

struct Rig {
  UdpSockets sockets;
  int error;

  explicit Rig(uint16_t port, uint32_t lanes = kLanes)
      : error(sockets.open(port, true, lanes).error) {}

  int send(size_t lane, const Endpoint& to, const Packet& bytes, const Via& via = {}) {
    return sockets.ofLane(lane).send(to, bytes, bytes.size(), via);
  }
  // Waits at most a second.
  bool receive(size_t lane, Got& got) {
    std::vector<pollfd> waits;
    for (int fd : sockets.ofLane(lane).descriptors()) {
      waits.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
    return poll(waits.data(), waits.size(), 1000) > 0 && receiveNow(lane, got);
  }
  bool receiveNow(size_t lane, Got& got) {
    Packet buffer(65536);
    Received received;
    int failed = 0;
    if (!sockets.ofLane(lane).receive(buffer, received, failed)) return false;
    got = {received.source.port, received.arrival, {received.bytes.begin(), received.bytes.end()}};
    return true;
  }
};

// Of the IPv4 datagrams that arrive here from now on, in order.
struct HopWatch {
  Fd fd{socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP)};

  int next() {
    Packet packet(2000);
    pollfd wait{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, 1000) <= 0) return -1;
    return recv(fd.get(), packet.data(), packet.size(), 0) > 20 ? packet[8] : -1;
  }
};

// The socket's own, for what is sent.
int hopsOfSocket(int fd, uint8_t family) {
  int hops = 0;
  socklen_t size = sizeof hops;
  if (family == 4) getsockopt(fd, IPPROTO_IP, IP_TTL, &hops, &size);
  if (family == 6) getsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, &size);
  return hops;
}

}  // namespace

TEST("lane sockets: each lane sends from the one port and receives what is its own") {
  if (!test::inOwnNamespace()) return;
  Rig rig(kListen);
  Rig other(0);
  EXPECT_EQUAL(rig.error, 0);
  for (uint8_t family : {uint8_t{4}, uint8_t{6}}) {
    for (uint32_t from = 0; from < kLanes; from++) {
      for (uint32_t to = 0; to < kLanes; to++) {
        EXPECT_EQUAL(other.send(from, loopback(family), messageTo(to)), 0);
        Got got;
        EXPECT(rig.receive(to, got));
        EXPECT(got.bytes == messageTo(to));
        EXPECT_EQUAL(got.port, other.sockets.port());
        EXPECT(got.arrival.kind == PortKind::sealed);
      }
    }
  }
}

TEST("lane sockets: what is in the clear comes in at the first lane and leaves from any") {
  if (!test::inOwnNamespace()) return;
  Rig rig(kListen);
  Rig other(0);
  const ClearPort ports[] = {{kVxlan, PortKind::vxlan}};
  EXPECT_EQUAL(rig.sockets.setClearPorts(ports), 0);
  for (uint32_t from = 0; from < kLanes; from++) {
    Via via{.kind = PortKind::vxlan, .flow = 3};
    EXPECT_EQUAL(other.send(from, loopback(4, kVxlan), messageTo(2), via), 0);
    Got got;
    EXPECT(rig.receive(0, got));
    EXPECT(got.arrival.kind == PortKind::vxlan);
    EXPECT_EQUAL(got.arrival.port, kVxlan);
  }
  EXPECT_EQUAL(rig.sockets.ofLane(1).descriptors().size(), size_t{2});
}

TEST("lane sockets: a port that another program has is refused, be it one that shares") {
  if (!test::inOwnNamespace()) return;
  for (int family : {AF_INET, AF_INET6}) {
    Fd taken(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int on = 1;
    setsockopt(taken.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (family == AF_INET6) setsockopt(taken.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_in6 own{};
    own.sin6_family = static_cast<sa_family_t>(family);
    own.sin6_port = htons(9000);
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof own;
    EXPECT_EQUAL(bind(taken.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQUAL(Rig(9000).error, EADDRINUSE);
  }
  Rig first(kListen);
  EXPECT_EQUAL(Rig(kListen).error, EADDRINUSE);
  EXPECT_EQUAL(Rig(kListen, 1).error, EADDRINUSE);
}

TEST("lane sockets: each lane's datagrams have one hop fewer left than the last one's") {
  if (!test::inOwnNamespace()) return;
  Rig rig(kListen);
  int base = hopsOfSocket(rig.sockets.ofLane(0).listen().v4.fd.get(), 4);
  int base6 = hopsOfSocket(rig.sockets.ofLane(0).listen().v6.fd.get(), 6);
  HopWatch watch;
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    int number = static_cast<int>(lane);
    EXPECT_EQUAL(rig.send(lane, loopback(4, 7), {1}), 0);
    EXPECT_EQUAL(watch.next(), base - number);
    const UdpPair& pair = rig.sockets.ofLane(lane).listen();
    EXPECT_EQUAL(hopsOfSocket(pair.v6.fd.get(), 6), base6 - number);
  }
}

TEST("lane sockets: around other tunnels, lanes stay apart and each step costs what it does") {
  if (!test::inOwnNamespace()) return;
  Rig alone(0, 1);
  Rig rig(kListen);
  HopWatch watch;
  const std::pair<uint8_t, int> rows[] = {{56, 56}, {55, 56}, {49, 56}, {48, 48}, {8, 8}, {1, 8}};
  for (auto [hops, step] : rows) {
    EXPECT_EQUAL(alone.send(0, loopback(4, 7), {1}, {.hops = hops}), 0);
    EXPECT_EQUAL(watch.next(), int{hops});
    for (uint32_t lane = 0; lane < kLanes; lane++) {
      EXPECT_EQUAL(rig.send(lane, loopback(4, 7), {1}, {.hops = hops}), 0);
      EXPECT_EQUAL(watch.next(), step - static_cast<int>(lane));
    }
  }
}

TEST("lane sockets: all lanes move to another port, and what they received is walked first") {
  if (!test::inOwnNamespace()) return;
  Rig rig(kListen);
  Rig other(0);
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    EXPECT_EQUAL(other.send(0, loopback(4), messageTo(lane)), 0);
  }
  std::map<size_t, size_t> drained;
  auto drain = [&] {
    Got got;
    for (size_t lane = 0; lane < kLanes; lane++) {
      while (rig.receiveNow(lane, got)) drained[lane]++;
    }
  };
  EXPECT_EQUAL(rig.sockets.setListenPort(7000, drain), 0);
  EXPECT_EQUAL(drained.size(), size_t{kLanes});
  EXPECT_EQUAL(rig.sockets.port(), 7000);
  EXPECT_EQUAL(Rig(kListen, 1).error, 0);
  EXPECT_EQUAL(rig.sockets.setMark(77), 0);
  for (uint32_t lane = 0; lane < kLanes; lane++) {
    EXPECT_EQUAL(other.send(0, loopback(6, 7000), messageTo(lane)), 0);
    Got got;
    EXPECT(rig.receive(lane, got));
    int mark = 0;
    socklen_t size = sizeof mark;
    getsockopt(rig.sockets.ofLane(lane).listen().v6.fd.get(), SOL_SOCKET, SO_MARK, &mark, &size);
    EXPECT_EQUAL(mark, 77);
  }
  EXPECT_EQUAL(rig.sockets.setListenPort(other.sockets.port(), drain), -EADDRINUSE);
  EXPECT_EQUAL(rig.sockets.port(), 7000);
}

}  // namespace heddle
