// The outer UDP ports against real sockets, over the loopback of a namespace of its own.
#include "io/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>

#include <cerrno>
#include <set>
#include <thread>

#include "base/check.h"
#include "test/own_namespace.h"
#include "test/packets.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Packet;

constexpr uint16_t kListen = 51820;
constexpr uint16_t kVxlan = 4789;
constexpr uint16_t kUdp = 8285;
constexpr size_t kUdpHeader = 8;
constexpr Via kViaUdp{.kind = PortKind::udp};

Endpoint loopback(uint8_t family, uint16_t port) {
  Endpoint endpoint;
  endpoint.family = family;
  endpoint.port = port;
  if (family == 4) endpoint.address = {127, 0, 0, 1};
  if (family == 6) endpoint.address[15] = 1;
  return endpoint;
}

Via flow(uint16_t number) { return {.kind = PortKind::vxlan, .flow = number}; }

// One that other programs would have.
struct Stranger {
  Fd fd;
  uint16_t port = 0;

  explicit Stranger(uint8_t family, uint16_t wanted = 0) {
    fd = Fd(socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 own{};
    own.sin6_family = family == 4 ? AF_INET : AF_INET6;
    own.sin6_port = htons(wanted);
    socklen_t size = family == 4 ? sizeof(sockaddr_in) : sizeof own;
    EXPECT(bind(fd.get(), reinterpret_cast<sockaddr*>(&own), size) == 0);
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size);
    port = ntohs(own.sin6_port);
  }
};

// Waits at most a second for what the loopback brings.
bool isReadable(std::span<const int> fds, int milliseconds = 1000) {
  std::vector<pollfd> waits;
  for (int fd : fds) waits.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  return poll(waits.data(), waits.size(), milliseconds) > 0;
}

struct Got {
  Endpoint source;
  Arrival arrival;
  Packet bytes;
};

struct Rig {
  UdpSockets sockets;
  Packet buffer = Packet(65536);

  explicit Rig(uint16_t port = kListen, uint32_t lanes = 1) {
    UdpSockets::Opened opened = sockets.open(port, true, lanes);
    EXPECT_EQUAL(opened.error, 0);
  }
  int setClearPorts(std::vector<ClearPort> ports) { return sockets.setClearPorts(ports); }
  int send(const Endpoint& to, const Packet& bytes, const Via& via = {}, size_t lane = 0) {
    return sockets.ofLane(lane).send(to, bytes, bytes.size(), via);
  }
  bool receiveNow(Got& got, size_t lane = 0) {
    Received received;
    int error = 0;
    if (!sockets.ofLane(lane).receive(buffer, received, error)) return false;
    got = {received.source, received.arrival, {received.bytes.begin(), received.bytes.end()}};
    return true;
  }
  std::span<const int> descriptors() { return sockets.ofLane(0).descriptors(); }
  bool receive(Got& got, size_t lane = 0) {
    return isReadable(sockets.ofLane(lane).descriptors()) && receiveNow(got, lane);
  }
};

// A UDP datagram from port 5 with this checksum, put on the loopback by hand.
void sendRaw(uint8_t family, uint16_t port, const Packet& payload, uint16_t checksum) {
  Packet datagram(kUdpHeader);
  storeBe16(datagram.data(), 5);
  storeBe16(datagram.data() + 2, port);
  storeBe16(datagram.data() + 4, static_cast<uint16_t>(kUdpHeader + payload.size()));
  storeBe16(datagram.data() + 6, checksum);
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  Fd fd(socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP));
  sockaddr_in6 to6{};
  to6.sin6_family = AF_INET6;
  to6.sin6_addr = in6addr_loopback;
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ssize_t sent = family == 4 ? sendto(fd.get(), datagram.data(), datagram.size(), 0,
                                      reinterpret_cast<sockaddr*>(&to4), sizeof to4)
                             : sendto(fd.get(), datagram.data(), datagram.size(), 0,
                                      reinterpret_cast<sockaddr*>(&to6), sizeof to6);
  EXPECT_EQUAL(sent, static_cast<ssize_t>(datagram.size()));
}

void setLoopbackMtu(int mtu) {
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_mtu = mtu;
  EXPECT(ioctl(fd.get(), SIOCSIFMTU, &request) == 0);
}

// Every UDP socket of this process.
std::vector<int> udpDescriptors() {
  std::vector<int> found;
  for (int fd = 3; fd < 256; fd++) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0) continue;
    if (protocol == IPPROTO_UDP) found.push_back(fd);
  }
  return found;
}

std::vector<int> marks() {
  std::vector<int> found;
  for (int fd : udpDescriptors()) {
    int mark = 0;
    socklen_t size = sizeof mark;
    getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size);
    found.push_back(mark);
  }
  return found;
}

}  // namespace

TEST("udp: what arrives says on which port, in both families") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.setClearPorts({{kVxlan, PortKind::vxlan}, {kUdp, PortKind::udp}}), 0);
  Rig other(0);
  const std::pair<uint16_t, PortKind> rows[] = {
      {kListen, PortKind::sealed}, {kVxlan, PortKind::vxlan}, {kUdp, PortKind::udp}};
  for (uint8_t family : {uint8_t{4}, uint8_t{6}}) {
    for (auto [port, kind] : rows) {
      EXPECT_EQUAL(other.send(loopback(family, port), {family, 1, 2}), 0);
      Got got;
      EXPECT(rig.receive(got));
      EXPECT(got.arrival.kind == kind);
      EXPECT_EQUAL(got.arrival.port, kind == PortKind::sealed ? 0 : port);
      EXPECT(got.bytes == (Packet{family, 1, 2}));
      EXPECT_EQUAL(got.source.port, other.sockets.port());
      EXPECT(got.source.hasLocal);
    }
  }
}

TEST("udp: clear ports are opened all or none, and those that stay keep what they received") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.setClearPorts({{kVxlan, PortKind::vxlan}}), 0);
  Rig other(0);
  EXPECT_EQUAL(other.send(loopback(4, kVxlan), {1}), 0);
  Stranger taken(4, 9000);
  Stranger taken6(6, 9001);
  for (uint16_t port : {uint16_t{9000}, uint16_t{9001}, kListen}) {
    EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::udp}, {port, PortKind::vxlan}}), -EADDRINUSE);
  }
  { Stranger free(4, kUdp); }  // what failed left nothing open
  EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::udp}, {kVxlan, PortKind::vxlan}}), 0);
  Got got;
  EXPECT(rig.receive(got));
  EXPECT(got.bytes == Packet{1});
  EXPECT_EQUAL(rig.descriptors().size(), size_t{6});
  EXPECT_EQUAL(rig.setClearPorts({}), 0);
  EXPECT_EQUAL(rig.descriptors().size(), size_t{2});
  { Stranger free(4, kVxlan); }
}

TEST("udp: a clear port becomes one of the other kind where it is") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::vxlan}, {kUdp, PortKind::vxlan}}), 0);
  EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::udp}}), 0);
  EXPECT_EQUAL(rig.descriptors().size(), size_t{4});
  Rig other(0);
  EXPECT_EQUAL(other.send(loopback(6, kUdp), {1}), 0);
  Got got;
  EXPECT(rig.receive(got));
  EXPECT(got.arrival.kind == PortKind::udp);
}

TEST("udp: the listen port moves; what the old one received is walked first") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  Rig other(0);
  for (uint8_t i = 0; i < 5; i++) EXPECT_EQUAL(other.send(loopback(4, kListen), {i}), 0);
  std::vector<Packet> drained;
  auto drain = [&] {
    for (Got got; rig.receiveNow(got);) drained.push_back(got.bytes);
  };
  EXPECT_EQUAL(rig.sockets.setListenPort(7000, drain), 0);
  EXPECT(drained == (std::vector<Packet>{{0}, {1}, {2}, {3}, {4}}));
  EXPECT_EQUAL(rig.sockets.port(), 7000);
  { Stranger free(4, kListen); }
  EXPECT_EQUAL(other.send(loopback(6, 7000), {9}), 0);
  Got got;
  EXPECT(rig.receive(got));
  EXPECT_EQUAL(rig.sockets.setListenPort(0, drain), 0);
  EXPECT(rig.sockets.port() != 0 && rig.sockets.port() != 7000);
}

TEST("udp: the listen port stays where it is when the new one is taken, in either family") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  Stranger taken(4, 9000);
  Stranger taken6(6, 9001);
  bool isDrained = false;
  for (uint16_t port : {uint16_t{9000}, uint16_t{9001}}) {
    EXPECT_EQUAL(rig.sockets.setListenPort(port, [&] { isDrained = true; }), -EADDRINUSE);
  }
  EXPECT_EQUAL(rig.sockets.setListenPort(kListen, [&] { isDrained = true; }), 0);
  EXPECT(!isDrained);
  Rig other(0);
  EXPECT_EQUAL(other.send(loopback(4, kListen), {1}), 0);
  Got got;
  EXPECT(rig.receive(got));
}

TEST("udp: vxlan leaves from sixteen dynamic ports, by flow, and hears nothing there") {
  if (!test::inOwnNamespace()) return;
  for (uint8_t family : {uint8_t{4}, uint8_t{6}}) {
    Rig rig(0);
    Rig other;
    EXPECT_EQUAL(other.setClearPorts({{kVxlan, PortKind::vxlan}}), 0);
    std::vector<uint16_t> sources;
    for (uint16_t i = 0; i < 64; i++) {
      EXPECT_EQUAL(rig.send(loopback(family, kVxlan), {1}, flow(i)), 0);
      Got got;
      EXPECT(other.receive(got));
      sources.push_back(got.source.port);
      EXPECT(got.source.port >= 49152);
      EXPECT_EQUAL(got.source.port, sources[i % 16]);
      EXPECT_EQUAL(other.send(got.source, {1}), 0);
    }
    EXPECT_EQUAL(std::set<uint16_t>(sources.begin(), sources.end()).size(), size_t{16});
    std::vector<int> all = udpDescriptors();
    for (int fd : all) EXPECT(!isReadable({&fd, 1}, 0));
  }
}

TEST("udp: two threads open the source ports together") {
  if (!test::inOwnNamespace()) return;
  for (int round = 0; round < 20; round++) {
    Rig rig(0);
    auto work = [&rig] {
      for (uint16_t i = 0; i < 16; i++) CHECK(rig.send(loopback(4, kVxlan), {1}, flow(i)) == 0);
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQUAL(udpDescriptors().size(), size_t{2 + 16});
  }
}

TEST("udp: vxlan is never fragmented: DF is set, and what is too big for the link is refused") {
  if (!test::inOwnNamespace()) return;
  setLoopbackMtu(1500);
  Rig rig(0);
  Fd capture(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP));
  Packet packet(2000);
  EXPECT_EQUAL(rig.send(loopback(4, kVxlan), Packet(1472), flow(1)), 0);
  EXPECT(recv(capture.get(), packet.data(), packet.size(), 0) == 1500);
  EXPECT((loadBe16(packet.data() + 6) & IP_DF) != 0);
  EXPECT_EQUAL(rig.send(loopback(6, kVxlan), Packet(1452), flow(1)), 0);
  EXPECT_EQUAL(rig.send(loopback(4, kVxlan), Packet(1473), flow(1)), -EMSGSIZE);
  EXPECT_EQUAL(rig.send(loopback(6, kVxlan), Packet(1453), flow(1)), -EMSGSIZE);
  // Many at once are cut by the kernel, not by the network.
  EXPECT_EQUAL(rig.sockets.ofLane(0).send(loopback(4, kVxlan), Packet(5000), 1000, flow(1)), 0);
  // A sealed message may be.
  EXPECT_EQUAL(rig.send(loopback(4, kVxlan), Packet(1473)), 0);
  EXPECT_EQUAL(rig.send(loopback(6, kVxlan), Packet(1473)), 0);
  setLoopbackMtu(65536);
}

TEST("udp: bare packets leave from the clear port itself, and from nowhere without it") {
  if (!test::inOwnNamespace()) return;
  Rig rig(0);
  for (uint8_t family : {uint8_t{4}, uint8_t{6}}) {
    EXPECT_EQUAL(rig.setClearPorts({}), 0);
    EXPECT_EQUAL(rig.send(loopback(family, kUdp), {1}, kViaUdp), -ENETUNREACH);
    EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::udp}}), 0);
    EXPECT_EQUAL(rig.send(loopback(family, kUdp), {1}, kViaUdp), 0);
    Got got;
    EXPECT(rig.receive(got));
    EXPECT_EQUAL(got.source.port, kUdp);
  }
}

TEST("udp: checksums of zero are taken on vxlan ports, wrong ones nowhere") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.setClearPorts({{kUdp, PortKind::vxlan}, {kVxlan, PortKind::udp}}), 0);
  EXPECT_EQUAL(rig.setClearPorts({{kVxlan, PortKind::vxlan}, {kUdp, PortKind::udp}}), 0);
  struct Row {
    uint8_t family;
    uint16_t port;
    uint16_t checksum;
    bool isTaken;
  };
  const Row rows[] = {{4, kVxlan, 0, true},       {6, kVxlan, 0, true},
                      {4, kListen, 0, true},      {6, kListen, 0, false},
                      {6, kUdp, 0, false},        {4, kVxlan, 0x1234, false},
                      {6, kVxlan, 0x1234, false}, {4, kUdp, 0x1234, false}};
  for (const Row& row : rows) {
    sendRaw(row.family, row.port, {row.family, 2, 3}, row.checksum);
    // What is sent behind it arrives, so it is known when it will not come any more.
    Rig other(0);
    EXPECT_EQUAL(other.send(loopback(row.family, row.port), {9}), 0);
    Got got;
    EXPECT(rig.receive(got));
    bool isTaken = got.bytes == Packet{row.family, 2, 3};
    EXPECT_EQUAL(isTaken, row.isTaken);
    if (isTaken) EXPECT(rig.receive(got));
    EXPECT(got.bytes == Packet{9});
  }
}

TEST("udp: a mark is on every socket, those opened later too") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.send(loopback(4, kVxlan), {1}, flow(1)), 0);
  for (uint32_t mark : {51820u, 7u}) {
    EXPECT_EQUAL(rig.sockets.setMark(mark), 0);
    EXPECT_EQUAL(rig.send(loopback(6, kVxlan), {1}, flow(static_cast<uint16_t>(mark))), 0);
    EXPECT_EQUAL(rig.setClearPorts({{static_cast<uint16_t>(8000 + mark % 100), PortKind::udp}}), 0);
    EXPECT_EQUAL(rig.sockets.setListenPort(0, [] {}), 0);
    EXPECT(marks() == std::vector<int>(marks().size(), static_cast<int>(mark)));
  }
  EXPECT(marks().size() >= 7);
}

TEST("udp: a flood on one port does not keep the others waiting") {
  if (!test::inOwnNamespace()) return;
  Rig rig;
  EXPECT_EQUAL(rig.setClearPorts({{kVxlan, PortKind::vxlan}, {kUdp, PortKind::udp}}), 0);
  Rig other(0);
  for (int i = 0; i < 400; i++) EXPECT_EQUAL(other.send(loopback(4, kVxlan), {1}), 0);
  EXPECT_EQUAL(other.send(loopback(4, kListen), {2}), 0);
  EXPECT_EQUAL(other.send(loopback(6, kUdp), {3}), 0);
  std::vector<uint8_t> order;
  for (Got got; rig.receiveNow(got);) order.push_back(got.bytes.at(0));
  EXPECT_EQUAL(order.size(), size_t{402});
  EXPECT(std::find(order.begin(), order.end(), 2) - order.begin() < 64);
  EXPECT(std::find(order.begin(), order.end(), 3) - order.begin() < 64);
}

}  // namespace heddle
