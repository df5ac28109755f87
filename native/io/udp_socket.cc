#include "io/udp_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "io/socket_steering.h"

namespace heddle {

namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr int kPortTries = 16;
constexpr int kSendTimeoutMilliseconds = 100;
// The dynamic ports (RFC 6335 §6), which RFC 7348 §5 recommends for the source.
constexpr uint16_t kFirstDynamicPort = 49152;
constexpr uint16_t kDynamicPorts = 16384;

// Older headers lack these (Linux 3.16 and 5.0, include/uapi/linux/udp.h).
#ifndef UDP_NO_CHECK6_RX
#define UDP_NO_CHECK6_RX 102
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

void setInt(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// The kernel doubles what it is asked for, for its own upkeep (socket(7)).
int bufferOf(int fd, int option) {
  int given = 0;
  socklen_t size = sizeof given;
  getsockopt(fd, SOL_SOCKET, option, &given, &size);
  return given / 2;
}

// Asks for `kBufferBytes` past net.core.?mem_max, which root may; true when the kernel gave less.
bool growBuffer(int fd, int forced, int plain) {
  int wanted = kBufferBytes;
  if (setsockopt(fd, SOL_SOCKET, forced, &wanted, sizeof wanted) < 0) {
    setsockopt(fd, SOL_SOCKET, plain, &wanted, sizeof wanted);
  }
  return bufferOf(fd, plain) < wanted;
}

// The path MTU that ICMP reports may be forged, so it never shrinks what we send (ip(7)). Sealed
// messages may be fragmented on the way; VXLAN frames may not (RFC 7348 §4.3): they leave with DF.
void setFragmenting(int fd, int family, bool isWhole) {
  if (family == AF_INET) {
    setInt(fd, IPPROTO_IP, IP_MTU_DISCOVER, isWhole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT);
  } else {
    setInt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, isWhole ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_OMIT);
  }
}

void applyKind(int fd, int family, PortKind kind) {
  setFragmenting(fd, family, kind == PortKind::vxlan);
  // Without it the kernel drops IPv6 datagrams whose checksum is zero, which tunnels may send
  // (RFC 6935 §5).
  if (family == AF_INET6) setInt(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, kind == PortKind::vxlan);
}

void setSendTimeout(int fd) {
  timeval timeout{.tv_sec = 0, .tv_usec = kSendTimeoutMilliseconds * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

// 0 or a positive errno.
int markSocket(int fd, uint32_t mark) {
  return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0 ? errno : 0;
}

// From what the host has for all.
void lowerHops(int fd, int family, uint32_t by) {
  int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  int option = family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS;
  int hops = 0;
  socklen_t size = sizeof hops;
  if (getsockopt(fd, level, option, &hops, &size) < 0) return;
  setInt(fd, level, option, std::max(hops - static_cast<int>(by), 1));
}

// 0 or a positive errno.
int prepare(int fd, int family, const UdpMode& mode, std::vector<std::string>& remarks) {
  bool clamped = growBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  clamped = growBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF) || clamped;
  if (clamped) {
    remarks.push_back(
        "UDP socket buffers are clamped below 8 MiB: raise net.core.rmem_max and "
        "net.core.wmem_max");
  }
  setSendTimeout(fd);
  setInt(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  applyKind(fd, family, mode.kind);
  if (family == AF_INET) {
    setInt(fd, IPPROTO_IP, IP_PKTINFO, 1);
  } else {
    setInt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    setInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
  if (mode.gro) setInt(fd, IPPROTO_UDP, UDP_GRO, 1);
  if (mode.lane != 0) {
    setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    lowerHops(fd, family, mode.lane);
  }
  return mode.mark == 0 ? 0 : markSocket(fd, mode.mark);
}

// 0 or a positive errno; `port` becomes the one that was given.
int bindTo(int fd, int family, uint16_t& port) {
  sockaddr_storage storage{};
  socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  storage.ss_family = static_cast<sa_family_t>(family);
  uint16_t wirePort = htons(port);
  // sin_port and sin6_port are both the two bytes behind the family.
  std::memcpy(reinterpret_cast<uint8_t*>(&storage) + 2, &wirePort, sizeof wirePort);
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), size) < 0) return errno;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) < 0) return errno;
  std::memcpy(&wirePort, reinterpret_cast<uint8_t*>(&storage) + 2, sizeof wirePort);
  port = ntohs(wirePort);
  return 0;
}

// A dynamic port that is free, or else any. 0 or a positive errno.
int bindToDynamicPort(int fd, int family) {
  for (int attempt = 0; attempt < kPortTries; attempt++) {
    uint16_t drawn = 0;
    if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != sizeof drawn) break;
    auto port = static_cast<uint16_t>(kFirstDynamicPort + drawn % kDynamicPorts);
    if (bindTo(fd, family, port) == 0) return 0;
  }
  uint16_t any = 0;
  return bindTo(fd, family, any);
}

}  // namespace

int openUdpPair(uint16_t port, const UdpMode& mode, UdpPair& opened,
                std::vector<std::string>& remarks) {
  int error = 0;
  for (int attempt = 0; attempt < kPortTries; attempt++) {
    opened = UdpPair{};
    opened.port = port;
    opened.kind = mode.kind;
    std::vector<std::string> said;
    Fd& v4 = opened.v4.fd = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!v4.valid()) return errno;
    error = prepare(v4.get(), AF_INET, mode, said);
    if (error == 0) error = bindTo(v4.get(), AF_INET, opened.port);
    if (error != 0) return error;
    Fd& v6 = opened.v6.fd = Fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (v6.valid()) {
      std::vector<std::string> same;  // what holds for one socket holds for the other
      error = prepare(v6.get(), AF_INET6, mode, same);
      if (error == 0) error = bindTo(v6.get(), AF_INET6, opened.port);
    } else {
      said.push_back("this host has no IPv6: only IPv4 endpoints can be reached");
    }
    // A port that the kernel chose for IPv4 may be taken for IPv6: choose again.
    if (error == EADDRINUSE && port == 0) continue;
    if (error == 0) remarks.insert(remarks.end(), said.begin(), said.end());
    return error;
  }
  return error;
}

int openUdpPairs(uint16_t port, const UdpMode& mode, uint32_t lanes, std::vector<UdpPair>& opened,
                 std::vector<std::string>& remarks) {
  opened.clear();
  opened.emplace_back();
  // Bound alone, so that it fails where any other program has the port; the others join it then.
  int error = openUdpPair(port, mode, opened[0], remarks);
  if (error != 0 || lanes == 1) return error;
  for (const Fd* fd : {&opened[0].v4.fd, &opened[0].v6.fd}) {
    if (fd->valid()) setInt(fd->get(), SOL_SOCKET, SO_REUSEPORT, 1);
  }
  for (uint32_t lane = 1; lane < lanes && error == 0; lane++) {
    std::vector<std::string> same;
    UdpMode other = mode;
    other.lane = lane;
    opened.emplace_back();
    error = openUdpPair(opened[0].port, other, opened.back(), same);
  }
  for (const Fd* fd : {&opened[0].v4.fd, &opened[0].v6.fd}) {
    if (error == 0 && fd->valid()) error = steerSockets(fd->get(), lanes);
  }
  return error;
}

int setMark(const UdpPair& pair, uint32_t mark) {
  for (int fd : {pair.v4.fd.get(), pair.v6.fd.get()}) {
    int error = fd < 0 ? 0 : markSocket(fd, mark);
    if (error != 0) return -error;
  }
  return 0;
}

int setGro(const UdpPair& pair, bool isOn) {
  int value = isOn ? 1 : 0;
  for (int fd : {pair.v4.fd.get(), pair.v6.fd.get()}) {
    if (fd >= 0 && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &value, sizeof value) < 0) return -errno;
  }
  return 0;
}

SocketBuffers buffersOf(const UdpPair& pair) {
  SocketBuffers found{.asked = kBufferBytes, .receive = INT_MAX, .send = INT_MAX};
  for (int fd : {pair.v4.fd.get(), pair.v6.fd.get()}) {
    if (fd < 0) continue;
    found.receive = std::min(found.receive, bufferOf(fd, SO_RCVBUF));
    found.send = std::min(found.send, bufferOf(fd, SO_SNDBUF));
  }
  return found;
}

void setWhole(UdpSocket& socket, uint8_t family, bool isWhole) {
  if (socket.isWhole == isWhole || !socket.fd.valid()) return;
  socket.isWhole = isWhole;
  setFragmenting(socket.fd.get(), family == 4 ? AF_INET : AF_INET6, isWhole);
}

void setPortKind(UdpPair& pair, PortKind kind) {
  pair.kind = kind;
  applyKind(pair.v4.fd.get(), AF_INET, kind);
  if (pair.v6.fd.valid()) applyKind(pair.v6.fd.get(), AF_INET6, kind);
}

int openVxlanSource(int family, uint32_t mark) {
  Fd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return -errno;
  sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  sock_fprog program{.len = 1, .filter = &nothing};
  if (setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) {
    return -errno;
  }
  setInt(fd.get(), SOL_SOCKET, SO_RCVBUF, 0);  // the kernel's least
  growBuffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  setSendTimeout(fd.get());
  setFragmenting(fd.get(), family, true);
  if (family == AF_INET6) setInt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  int error = mark == 0 ? 0 : markSocket(fd.get(), mark);
  if (error == 0) error = bindToDynamicPort(fd.get(), family);
  return error == 0 ? fd.release() : -error;
}

}  // namespace heddle
