#include "io/udp_message.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace heddle {

namespace {

// Older headers lack these (Linux 4.18 and 5.0, include/uapi/linux/udp.h).
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

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

int sendDatagrams(int fd, const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                  const SendOptions& options) {
  sockaddr_storage name{};
  iovec part{.iov_base = const_cast<uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = toSockaddr(to, name);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control(message);
  if (bytes.size() > segment) control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(segment));
  if (options.trafficClass != 0) {
    if (to.family == 4) control.add(IPPROTO_IP, IP_TOS, options.trafficClass);
    if (to.family == 6) control.add(IPPROTO_IPV6, IPV6_TCLASS, options.trafficClass);
  }
  if (options.hops != 0) {
    if (to.family == 4) control.add(IPPROTO_IP, IP_TTL, options.hops);
    if (to.family == 6) control.add(IPPROTO_IPV6, IPV6_HOPLIMIT, options.hops);
  }
  addLocal(control, to);
  while (sendmsg(fd, &message, options.flags | MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    int error = errno;
    if (!to.hasLocal || !sourceIsAtFault(error)) return -error;
    // The address it used to leave from may be gone: let the kernel choose (WireGuard's socket.c
    // does the same).
    Endpoint anySource = to;
    anySource.hasLocal = false;
    return sendDatagrams(fd, anySource, bytes, segment, options);
  }
  return 0;
}

int receiveDatagrams(int fd, std::span<uint8_t> buffer, Received& received, uint32_t& overflows) {
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
  ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
  if (length < 0) return -errno;
  fromSockaddr(name, received.source);
  received.bytes = buffer.first(static_cast<size_t>(length));
  received.segment = received.bytes.size();
  readControl(message, received, overflows);
  return 0;
}

}  // namespace heddle
