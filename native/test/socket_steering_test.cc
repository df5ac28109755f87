// The program that picks a socket of a port, in the kernel: datagrams over the loopback of a
// namespace of its own.
#include "io/socket_steering.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>

#include <cerrno>

#include "base/endian.h"
#include "io/udp_message.h"
#include "test/own_namespace.h"
#include "test/packets.h"
#include "test/test.h"
#include "wire/vxlan.h"

namespace heddle {

namespace {

using test::Packet;

constexpr uint16_t kPort = 51820;
constexpr uint32_t kBase = 0xabcdef10;  // of an index; its low four bits are 0
constexpr size_t kNone = 99;

Endpoint loopback(uint8_t family) {
  Endpoint endpoint;
  endpoint.family = family;
  endpoint.port = kPort;
  if (family == 4) endpoint.address = {127, 0, 0, 1};
  if (family == 6) endpoint.address[15] = 1;
  return endpoint;
}

// So many sockets on one port, and one that sends to them.
struct Rig {
  std::vector<Fd> sockets;
  Fd sender;
  Endpoint to;

  Rig(uint8_t family, uint32_t lanes) : to(loopback(family)) {
    int domain = family == 4 ? AF_INET : AF_INET6;
    sender = Fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int on = 1;
    for (uint32_t i = 0; i < lanes; i++) {
      Fd fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
      setsockopt(fd.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on);
      sockaddr_in6 own{};
      own.sin6_family = static_cast<sa_family_t>(domain);
      own.sin6_port = htons(kPort);
      socklen_t size = family == 4 ? sizeof(sockaddr_in) : sizeof own;
      EXPECT_EQUAL(bind(fd.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
      sockets.push_back(std::move(fd));
    }
    EXPECT_EQUAL(steerSockets(sockets.back().get(), lanes), 0);
  }

  // Where all the datagrams arrive that lie back to back; kNone where at none, or at several.
  size_t laneOf(const Packet& bytes, size_t segment) {
    EXPECT_EQUAL(sendDatagrams(sender.get(), to, bytes, segment, {}), 0);
    size_t lane = kNone;
    for (size_t got = 0; got < bytes.size();) {
      std::vector<pollfd> waits;
      for (const Fd& fd : sockets)
        waits.push_back({.fd = fd.get(), .events = POLLIN, .revents = 0});
      if (poll(waits.data(), waits.size(), 1000) <= 0) return kNone;
      for (size_t i = 0; i < waits.size(); i++) {
        if (waits[i].revents == 0) continue;
        Packet buffer(65536);
        Received received;
        uint32_t overflows = 0;
        EXPECT_EQUAL(receiveDatagrams(waits[i].fd, buffer, received, overflows), 0);
        got += received.bytes.size();
        if (lane != kNone && lane != i) return kNone;
        lane = i;
      }
    }
    return lane;
  }
  size_t laneOf(const Packet& datagram) { return laneOf(datagram, datagram.size()); }
};

// A message of this type with the index at its place, `before` bytes of a VXLAN header before it.
Packet messageOf(uint32_t type, size_t indexAt, uint32_t index, size_t before = 0) {
  Packet message = test::randomPayload(before + 100);
  if (before != 0) emitVxlan(message.data(), 7);
  storeLe32(message.data() + before, type);
  storeLe32(message.data() + before + indexAt, index);
  return message;
}

template <typename Body>
void forEachRig(Body body) {
  if (!test::inOwnNamespace()) return;
  for (uint8_t family : {uint8_t{4}, uint8_t{6}}) {
    for (uint32_t lanes : {2, 3, 4, 8}) {
      Rig rig(family, lanes);
      body(rig, lanes);
    }
  }
}

}  // namespace

TEST("socket steering: the low bits of a data message's index name the socket, also behind VXLAN") {
  forEachRig([](Rig& rig, uint32_t lanes) {
    for (uint32_t type : {0x4u, 0x48u, 0x01000048u}) {
      for (size_t before : {size_t{0}, kVxlanHeader}) {
        EXPECT_EQUAL(rig.laneOf(messageOf(type, 4, kBase, before)), size_t{0});
        for (uint32_t lane = 0; lane < 8; lane++) {
          EXPECT_EQUAL(rig.laneOf(messageOf(type, 4, kBase | 8 | lane, before)), lane % lanes);
        }
      }
    }
  });
}

TEST("socket steering: answers to handshakes go by the index of who began") {
  forEachRig([](Rig& rig, uint32_t lanes) {
    EXPECT_EQUAL(rig.laneOf(messageOf(2, 8, kBase | 5)), 5 % lanes);
    EXPECT_EQUAL(rig.laneOf(messageOf(3, 4, kBase | 3)), 3 % lanes);
  });
}

TEST("socket steering: all else goes to the first socket") {
  forEachRig([](Rig& rig, uint32_t) {
    for (uint32_t type : {0u, 1u, 5u, 0x02000048u, 0x104u, 0x04000000u, 0x48000000u, 0xffffffffu}) {
      EXPECT_EQUAL(rig.laneOf(messageOf(type, 4, kBase | 7)), size_t{0});
    }
    Packet message = messageOf(4, 4, kBase | 9);
    Packet behind = messageOf(4, 4, kBase | 9, kVxlanHeader);
    for (ptrdiff_t length : {1, 3, 4}) {
      EXPECT_EQUAL(rig.laneOf(Packet(message.begin(), message.begin() + length)), size_t{0});
    }
    for (ptrdiff_t length : {1, 8, 11, 12}) {
      EXPECT_EQUAL(rig.laneOf(Packet(behind.begin(), behind.begin() + length)), size_t{0});
    }
  });
}

TEST("socket steering: many datagrams in one send go where the first goes, whole") {
  forEachRig([](Rig& rig, uint32_t lanes) {
    for (uint32_t lane = 0; lane < 8; lane++) {
      Packet batch;
      for (int i = 0; i < 20; i++) {
        Packet message = messageOf(0x48, 4, kBase | 8 | lane);
        batch.insert(batch.end(), message.begin(), message.end());
      }
      EXPECT_EQUAL(rig.laneOf(batch, 100), lane % lanes);
    }
  });
}

}  // namespace heddle
