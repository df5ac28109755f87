#include "io/offload_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "io/tun.h"
#include "io/udp_message.h"
#include "wire/virtio_net.h"

#include <linux/if_tun.h>

namespace heddle {

namespace {

// Older headers lack these (Linux 4.18 and 5.0, include/uapi/linux/udp.h).
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

using Outcome = SelfTest::Outcome;

constexpr size_t kSegment = 200;
constexpr size_t kShort = 77;
constexpr size_t kSegments = 4;
constexpr size_t kBytes = (kSegments - 1) * kSegment + kShort;
constexpr int kWaitMilliseconds = 20;

SelfTest failed(std::string why) { return {.outcome = Outcome::failed, .why = std::move(why)}; }
SelfTest untested(std::string why) { return {.outcome = Outcome::untested, .why = std::move(why)}; }

std::string errnoText(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "errno " + std::to_string(error);
}

// Two sockets of ours on the loopback.
class Loopback {
 public:
  // 0 or a positive errno.
  int open() {
    sender_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    receiver_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!sender_.valid() || !receiver_.valid()) return errno;
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    auto* address = reinterpret_cast<sockaddr*>(&own);
    if (bind(receiver_.get(), address, size) < 0) return errno;
    if (getsockname(receiver_.get(), address, &size) < 0) return errno;
    to_.family = 4;
    to_.port = ntohs(own.sin_port);
    std::memcpy(to_.address.data(), &own.sin_addr, 4);
    return 0;
  }
  int sender() const { return sender_.get(); }
  int receiver() const { return receiver_.get(); }

  // 0 or a negative errno.
  int send(std::span<const uint8_t> bytes, size_t segment) const {
    return sendDatagrams(sender_.get(), to_, bytes, segment, {});
  }
  // False when nothing came in time.
  bool receive(std::span<uint8_t> buffer, Received& received) const {
    pollfd wait{.fd = receiver_.get(), .events = POLLIN, .revents = 0};
    poll(&wait, 1, kWaitMilliseconds);
    uint32_t overflows = 0;
    return receiveDatagrams(receiver_.get(), buffer, received, overflows) == 0;
  }

 private:
  Fd sender_;
  Fd receiver_;
  Endpoint to_;
};

std::array<uint8_t, kBytes> pattern() {
  std::array<uint8_t, kBytes> bytes;
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i * 31 + i / 256);
  return bytes;
}

bool isEqual(std::span<const uint8_t> received, std::span<const uint8_t> sent) {
  return received.size() == sent.size() &&
         std::memcmp(received.data(), sent.data(), sent.size()) == 0;
}

// Whether one datagram alone gets through: where it does not, nothing can be said of many.
SelfTest tryLoopback(Loopback& loopback) {
  int error = loopback.open();
  if (error != 0) return untested("no socket on the loopback: " + errnoText(error));
  auto sent = pattern();
  error = loopback.send(std::span(sent).first(kShort), kShort);
  if (error != 0) return untested("the loopback takes nothing: " + errnoText(-error));
  std::array<uint8_t, kBytes> buffer;
  Received received;
  if (!loopback.receive(buffer, received)) return untested("the loopback brings nothing");
  return {};
}

SelfTest tryTun(int tun, unsigned setting, const char* what) {
  int length = 0;
  if (ioctl(tun, TUNGETVNETHDRSZ, &length) < 0 || length != static_cast<int>(kVirtioNetHeader)) {
    return failed("the virtio-net header has " + std::to_string(length) + " bytes, not 10");
  }
  int error = setTunOffloads(tun, setting);
  return error == 0 ? SelfTest{} : failed("TUNSETOFFLOAD refuses " + (what + errnoText(error)));
}

}  // namespace

SelfTest testUdpGso() {
  Loopback loopback;
  SelfTest plain = tryLoopback(loopback);
  int none = 0;
  if (loopback.sender() >= 0 &&
      setsockopt(loopback.sender(), IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none) < 0) {
    return failed("this kernel has no UDP_SEGMENT (Linux 4.18): " + errnoText(errno));
  }
  if (plain.outcome != Outcome::passed) return plain;
  auto sent = pattern();
  int error = loopback.send(sent, kSegment);
  if (error != 0) return failed("a send of several datagrams is refused: " + errnoText(-error));
  for (size_t at = 0; at < kBytes; at += kSegment) {
    std::array<uint8_t, kBytes> buffer;
    Received received;
    if (!loopback.receive(buffer, received)) return failed("not all datagrams of a send arrive");
    auto expected = std::span(sent).subspan(at, std::min(kSegment, kBytes - at));
    if (!isEqual(received.bytes, expected)) return failed("datagrams arrive altered");
  }
  return {};
}

SelfTest testUdpGro() {
  Loopback loopback;
  SelfTest plain = tryLoopback(loopback);
  int on = 1;
  if (loopback.receiver() >= 0 &&
      setsockopt(loopback.receiver(), IPPROTO_UDP, UDP_GRO, &on, sizeof on) < 0) {
    return failed("this kernel has no UDP_GRO (Linux 5.0): " + errnoText(errno));
  }
  if (plain.outcome != Outcome::passed) return plain;
  auto sent = pattern();
  int error = loopback.send(sent, kSegment);
  if (error != 0) return untested("no send of several datagrams: " + errnoText(-error));
  std::array<uint8_t, kBytes> buffer;
  Received received;
  if (!loopback.receive(buffer, received)) return failed("datagrams of one send do not arrive");
  if (received.bytes.size() < kBytes) return untested("the loopback does not keep them together");
  if (!isEqual(received.bytes, sent)) return failed("datagrams arrive altered");
  if (received.segment != kSegment) return failed("the length of the datagrams is missing");
  return {};
}

SelfTest testTunTcp(int tun) { return tryTun(tun, kTunTcp, "TSO: "); }

SelfTest testTunUdp(int tun) { return tryTun(tun, kTunUdp, "USO (Linux 6.2): "); }

SelfTest testTunChecksums(int tun) { return tryTun(tun, kTunChecksums, "checksums: "); }

}  // namespace heddle
