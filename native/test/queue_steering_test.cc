// The program that picks a TUN queue, in the kernel: packets are given to a device of several
// queues, in a namespace of its own, and read back.
#include "io/queue_steering.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>

#include <cerrno>
#include <optional>
#include <set>

#include "test/own_namespace.h"
#include "test/packets.h"
#include "test/test.h"
#include "wire/virtio_net.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr size_t kQueues = 4;

// A device whose every queue is steered to by the program.
struct Device {
  std::vector<Fd> queues;
  Fd sender;
  sockaddr_ll to{};

  // Undefined where this host lets nobody have one, and then the test is skipped.
  static std::optional<Device> open(const char* name) {
    if (!test::inOwnNamespace()) return std::nullopt;
    Device device;
    for (size_t i = 0; i < kQueues; i++) {
      Fd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
      ifreq request{};
      std::strcpy(request.ifr_name, name);
      request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
      if (ioctl(fd.get(), TUNSETIFF, &request) < 0) {
        test::skipped = "needs /dev/net/tun";
        return std::nullopt;
      }
      device.queues.push_back(std::move(fd));
    }
    int error = steerQueues(device.queues[0].get());
    if (error != 0) {
      EXPECT(error == EPERM || error == ENOSYS || error == EINVAL);
      test::skipped = "the kernel refuses bpf(2) or TUNSETSTEERINGEBPF";
      return std::nullopt;
    }
    EXPECT(test::setLinkUp(name, true));
    device.sender = Fd(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    device.to.sll_family = AF_PACKET;
    device.to.sll_ifindex = static_cast<int>(if_nametoindex(name));
    return device;
  }

  // Which queue the host's packet comes out of; kQueues where of none.
  size_t queueOf(const Packet& packet) {
    to.sll_protocol = htons((packet[0] >> 4) == 4 ? ETH_P_IP : ETH_P_IPV6);
    ssize_t sent = sendto(sender.get(), packet.data(), packet.size(), 0,
                          reinterpret_cast<sockaddr*>(&to), sizeof to);
    EXPECT_EQUAL(sent, static_cast<ssize_t>(packet.size()));
    for (int tries = 0; tries < 100; tries++) {
      for (size_t i = 0; i < kQueues; i++) {
        // The host's own packets, as a solicitation of routers, come in between.
        while (std::optional<Packet> got = read(i)) {
          if (*got == packet) return i;
        }
      }
      poll(nullptr, 0, 10);
    }
    return kQueues;
  }
  std::optional<Packet> read(size_t queue) {
    Packet frame(kVirtioNetHeader + 65535);
    ssize_t length = ::read(queues[queue].get(), frame.data(), frame.size());
    if (length < static_cast<ssize_t>(kVirtioNetHeader)) return std::nullopt;
    return Packet(frame.begin() + kVirtioNetHeader, frame.begin() + length);
  }
};

Packet packetOf(Fields fields) {
  fields.payload = test::randomPayload(40);
  return test::makePacket(fields);
}

Fields reversed(Fields fields) {
  std::swap(fields.source, fields.destination);
  std::swap(fields.sourcePort, fields.destinationPort);
  return fields;
}

}  // namespace

TEST("queue steering: a flow keeps its queue, both ways, and flows spread over all queues") {
  std::optional<Device> device = Device::open("steer0");
  if (!device) return;
  for (Family family : {Family::ipv4, Family::ipv6}) {
    for (uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      std::set<size_t> used;
      for (uint16_t flow = 0; flow < 64; flow++) {
        Fields fields{.family = family, .protocol = protocol};
        fields.sourcePort = static_cast<uint16_t>(40000 + flow);
        fields.destinationPort = 5201;
        size_t queue = device->queueOf(packetOf(fields));
        EXPECT(queue < kQueues);
        EXPECT_EQUAL(device->queueOf(packetOf(fields)), queue);
        EXPECT_EQUAL(device->queueOf(packetOf(reversed(fields))), queue);
        used.insert(queue);
      }
      EXPECT_EQUAL(used.size(), kQueues);
    }
  }
}

TEST("queue steering: what answers say to another queue moves no flow") {
  std::optional<Device> device = Device::open("steer1");
  if (!device) return;
  Fields fields{.protocol = kProtocolUdp};
  size_t queue = device->queueOf(packetOf(fields));
  Packet answer(kVirtioNetHeader);
  Packet bytes = packetOf(reversed(fields));
  answer.insert(answer.end(), bytes.begin(), bytes.end());
  for (size_t other = 0; other < kQueues; other++) {
    ssize_t written = write(device->queues[other].get(), answer.data(), answer.size());
    EXPECT_EQUAL(written, static_cast<ssize_t>(answer.size()));
    EXPECT_EQUAL(device->queueOf(packetOf(fields)), queue);
  }
}

TEST("queue steering: fragments and other protocols go by their addresses alone") {
  std::optional<Device> device = Device::open("steer2");
  if (!device) return;
  std::set<size_t> used;
  for (uint8_t host = 1; host <= 64; host++) {
    Fields first{.protocol = kProtocolUdp, .source = host, .fragment = 0x2000};
    Fields later{.protocol = kProtocolUdp, .source = host, .fragment = 0x2005};
    size_t queue = device->queueOf(packetOf(first));
    first.sourcePort = host;
    later.sourcePort = static_cast<uint16_t>(test::random());
    EXPECT_EQUAL(device->queueOf(packetOf(first)), queue);
    EXPECT_EQUAL(device->queueOf(packetOf(later)), queue);
    constexpr uint8_t icmp = 1;
    Fields echo{.protocol = icmp, .source = host};
    size_t ofEcho = device->queueOf(packetOf(echo));
    EXPECT_EQUAL(device->queueOf(packetOf(reversed(echo))), ofEcho);
    used.insert(ofEcho);
  }
  EXPECT_EQUAL(used.size(), kQueues);
}

TEST("queue steering: IPv4 options move the ports") {
  std::optional<Device> device = Device::open("steer3");
  if (!device) return;
  std::set<size_t> used;
  for (uint16_t port = 0; port < 64; port++) {
    Fields fields{.protocol = kProtocolUdp, .sourcePort = port};
    Packet packet = packetOf(fields);
    packet.insert(packet.begin() + kIpv4Header, 4, 1);  // four of "no operation"
    packet[0] = 0x46;
    setIpv4TotalLength(packet.data(), static_cast<uint16_t>(packet.size()));
    setIpv4Checksum(packet.data());
    size_t queue = device->queueOf(packet);
    EXPECT_EQUAL(queue, device->queueOf(packetOf(fields)));
    used.insert(queue);
  }
  EXPECT_EQUAL(used.size(), kQueues);
}

TEST("queue steering: a packet cut short goes to the first queue") {
  std::optional<Device> device = Device::open("steer4");
  if (!device) return;
  Packet whole = packetOf({.family = Family::ipv6});
  for (size_t length : {1, 4, 8, 39, 41, 43}) {
    EXPECT_EQUAL(
        device->queueOf(Packet(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))),
        size_t{0});
  }
}

}  // namespace heddle
