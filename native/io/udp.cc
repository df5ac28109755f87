#include "io/udp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace heddle {

namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr int kPortTries = 16;
constexpr int kHandshakeTrafficClass =
    0x88;  // AF41, as the kernel's WireGuard marks handshakes (messages.h)
constexpr int kSendTimeoutMilliseconds = 100;
constexpr size_t kStreak = 16;

// Debian 12's netinet/udp.h lacks neither, but older ones do (Linux 4.18 and 5.0,
// include/uapi/linux/udp.h).
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

void setInt(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// Asks for `kBufferBytes` past net.core.?mem_max, which root may; true when the kernel gave less.
bool growBuffer(int fd, int forced, int plain) {
  int wanted = kBufferBytes;
  if (setsockopt(fd, SOL_SOCKET, forced, &wanted, sizeof wanted) < 0) {
    setsockopt(fd, SOL_SOCKET, plain, &wanted, sizeof wanted);
  }
  int given = 0;
  socklen_t size = sizeof given;
  getsockopt(fd, SOL_SOCKET, plain, &given, &size);
  return given / 2 < wanted;  // the kernel doubles what it is asked for (socket(7))
}

void prepare(int fd, int family, bool offload, std::vector<std::string>& remarks) {
  bool clamped = growBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  clamped = growBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF) || clamped;
  if (clamped) {
    remarks.push_back(
        "UDP socket buffers are clamped below 8 MiB: raise net.core.rmem_max and "
        "net.core.wmem_max");
  }
  timeval timeout{.tv_sec = 0, .tv_usec = kSendTimeoutMilliseconds * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  setInt(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  // The path MTU that ICMP reports may be forged, so it never shrinks what we send (ip(7),
  // IP_PMTUDISC_OMIT).
  if (family == AF_INET) {
    setInt(fd, IPPROTO_IP, IP_PKTINFO, 1);
    setInt(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  } else {
    setInt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    setInt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  }
  int on = 1;
  if (offload && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) < 0) {
    remarks.push_back("this kernel has no UDP_GRO: datagrams are received one by one");
  }
}

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

// An address of one family as the kernel takes it.
socklen_t toSockaddr(const Endpoint& endpoint, sockaddr_storage& storage) {
  if (endpoint.family == 4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(endpoint.port);
    std::memcpy(&to.sin_addr, endpoint.address.data(), 4);
    std::memcpy(&storage, &to, sizeof to);
    return sizeof to;
  }
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(endpoint.port);
  std::memcpy(&to.sin6_addr, endpoint.address.data(), 16);
  // A link-local address needs the interface it was seen on (RFC 4007 §6).
  if (IN6_IS_ADDR_LINKLOCAL(&to.sin6_addr)) to.sin6_scope_id = endpoint.interfaceIndex;
  std::memcpy(&storage, &to, sizeof to);
  return sizeof to;
}

void fromSockaddr(const sockaddr_storage& storage, Endpoint& endpoint) {
  endpoint = Endpoint{};
  if (storage.ss_family == AF_INET) {
    sockaddr_in from{};
    std::memcpy(&from, &storage, sizeof from);
    endpoint.family = 4;
    endpoint.port = ntohs(from.sin_port);
    std::memcpy(endpoint.address.data(), &from.sin_addr, 4);
  } else {
    sockaddr_in6 from{};
    std::memcpy(&from, &storage, sizeof from);
    endpoint.family = 6;
    endpoint.port = ntohs(from.sin6_port);
    std::memcpy(endpoint.address.data(), &from.sin6_addr, 16);
  }
}

// Control messages of one send, built in place.
class Control {
 public:
  explicit Control(msghdr& message) : message_(message) {
    message_.msg_control = bytes_.data();
    message_.msg_controllen = 0;
  }
  template <typename T>
  void add(int level, int type, const T& value) {
    // CMSG_NXTHDR would need the length that is only known at the end, so the headers are laid out
    // by hand (cmsg(3)).
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    uint8_t* at = bytes_.data() + message_.msg_controllen;
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }

 private:
  msghdr& message_;
  alignas(cmsghdr) std::array<uint8_t, 128> bytes_{};
};

void addLocal(Control& control, const Endpoint& to) {
  if (!to.hasLocal) return;
  if (to.family == 4) {
    in_pktinfo local{};
    std::memcpy(&local.ipi_spec_dst, to.local.data(), 4);
    control.add(IPPROTO_IP, IP_PKTINFO, local);
  } else {
    in6_pktinfo local{};
    std::memcpy(&local.ipi6_addr, to.local.data(), 16);
    if (IN6_IS_ADDR_LINKLOCAL(&local.ipi6_addr)) local.ipi6_ifindex = to.interfaceIndex;
    control.add(IPPROTO_IPV6, IPV6_PKTINFO, local);
  }
}

void readControl(msghdr& message, Received& received, uint32_t& overflows) {
  Endpoint& source = received.source;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const uint8_t* data = CMSG_DATA(c);
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, data, sizeof segment);
      if (segment > 0) received.segment = static_cast<size_t>(segment);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&overflows, data, sizeof overflows);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo local{};
      std::memcpy(&local, data, sizeof local);
      std::memcpy(source.local.data(), &local.ipi_addr, 4);
      source.interfaceIndex = static_cast<uint32_t>(local.ipi_ifindex);
      source.hasLocal = true;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo local{};
      std::memcpy(&local, data, sizeof local);
      std::memcpy(source.local.data(), &local.ipi6_addr, 16);
      source.interfaceIndex = local.ipi6_ifindex;
      source.hasLocal = true;
    }
  }
}

bool sourceIsAtFault(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH;
}

}  // namespace

Drop sendDrop(int negativeErrno) {
  switch (-negativeErrno) {
    case ENOBUFS:
    case EAGAIN:
    case ENOMEM:
      return Drop::sendNoBuffer;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EINVAL:
    case ENODEV:
      return Drop::sendUnreachable;
    case EPERM:
    case EACCES:
    case ECONNREFUSED:
      return Drop::sendRefused;
    case EMSGSIZE:
      return Drop::sendTooBig;
    default:
      return Drop::sendFailed;
  }
}

UdpSockets::Opened UdpSockets::open(uint16_t port, bool offload) {
  Opened opened;
  for (int attempt = 0; attempt < kPortTries; attempt++) {
    opened = Opened{};
    opened.port = port;
    v4_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    v6_ = Fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!v4_.valid()) {
      opened.error = errno;
      return opened;
    }
    prepare(v4_.get(), AF_INET, offload, opened.remarks);
    opened.error = bindTo(v4_.get(), AF_INET, opened.port);
    if (opened.error != 0) return opened;
    if (!v6_.valid()) {
      opened.remarks.push_back("this host has no IPv6: only IPv4 endpoints can be reached");
      return opened;
    }
    std::vector<std::string> same;  // what holds for one socket holds for the other
    prepare(v6_.get(), AF_INET6, offload, same);
    setInt(v6_.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    opened.error = bindTo(v6_.get(), AF_INET6, opened.port);
    // A port that the kernel chose for IPv4 may be taken for IPv6: choose again.
    if (opened.error != EADDRINUSE || port != 0) return opened;
  }
  return opened;
}

int UdpSockets::send(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                     const Via&) {
  return sendMessage(to, bytes, segment, 0, 0);
}

int UdpSockets::sendHandshake(const Endpoint& to, std::span<const uint8_t> bytes) {
  return sendMessage(to, bytes, bytes.size(), MSG_DONTWAIT, kHandshakeTrafficClass);
}

int UdpSockets::sendMessage(const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                            int flags, int trafficClass) {
  const Fd& fd = to.family == 4 ? v4_ : v6_;
  if (!fd.valid()) return -ENETUNREACH;
  sockaddr_storage name{};
  iovec part{.iov_base = const_cast<uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = toSockaddr(to, name);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control(message);
  if (bytes.size() > segment) control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(segment));
  if (trafficClass != 0 && to.family == 4) control.add(IPPROTO_IP, IP_TOS, trafficClass);
  if (trafficClass != 0 && to.family == 6) control.add(IPPROTO_IPV6, IPV6_TCLASS, trafficClass);
  addLocal(control, to);
  while (sendmsg(fd.get(), &message, flags | MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    int error = errno;
    if (!to.hasLocal || !sourceIsAtFault(error)) return -error;
    // The address it used to leave from may be gone: let the kernel choose (WireGuard's socket.c
    // does the same).
    Endpoint anySource = to;
    anySource.hasLocal = false;
    return sendMessage(anySource, bytes, segment, flags, trafficClass);
  }
  return 0;
}

bool UdpSockets::receive(std::span<uint8_t> buffer, Received& received, int& error) {
  error = 0;
  for (int tries = 0; tries < 2; tries++) {
    size_t which = turn_;
    turn_ = 1 - turn_;
    const Fd& fd = which == 0 ? v4_ : v6_;
    if (!fd.valid()) continue;
    sockaddr_storage name{};
    alignas(cmsghdr) std::array<uint8_t, 256> control{};
    iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t length = recvmsg(fd.get(), &message, MSG_DONTWAIT);
    if (length < 0) {
      if (errno != EAGAIN && errno != EINTR) error = -errno;
      continue;
    }
    fromSockaddr(name, received.source);
    received.bytes = buffer.first(static_cast<size_t>(length));
    received.segment = received.bytes.size();
    readControl(message, received, overflows_[which]);
    // Stay with a busy socket, but not so long that the other family starves.
    streak_ = (streak_ + 1) % kStreak;
    if (streak_ != 0) turn_ = which;
    return true;
  }
  return false;
}

int UdpSockets::setMark(uint32_t mark) {
  for (const Fd* fd : {&v4_, &v6_}) {
    if (fd->valid() && setsockopt(fd->get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) {
      return -errno;
    }
  }
  return 0;
}

}  // namespace heddle
