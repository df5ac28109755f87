#include "io/netlink_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace heddle {

namespace {

constexpr size_t kNoticeBytes = 32 << 10;  // more than any notice; a longer one counts as lost
constexpr int kFailurePauseMilliseconds = 1000;
constexpr uint32_t kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                             RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE |
                             (1u << (RTNLGRP_IPV6_RULE - 1));

uint32_t changeOf(uint16_t type) {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return NetlinkWatch::kLink;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return NetlinkWatch::kAddress;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return NetlinkWatch::kRoute;
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return NetlinkWatch::kRule;
    case NLMSG_OVERRUN:
      return NetlinkWatch::kOverrun;
    default:
      return 0;
  }
}

// The kinds of all whole messages in `bytes`.
uint32_t changesIn(std::span<const uint8_t> bytes) {
  uint32_t changes = 0;
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    size_t length = NLMSG_ALIGN(header.nlmsg_len);
    if (length < sizeof header) break;
    changes |= changeOf(header.nlmsg_type);
    if (length >= bytes.size()) break;
    bytes = bytes.subspan(length);
  }
  return changes;
}

}  // namespace

std::unique_ptr<NetlinkWatch> NetlinkWatch::open(std::function<void()> wake, int& error,
                                                 int receiveBuffer) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  own.nl_groups = kGroups;
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) < 0) {
    error = errno;
    return nullptr;
  }
  // Past net.core.rmem_max where we may.
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receiveBuffer, sizeof receiveBuffer) < 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
  }
  return std::unique_ptr<NetlinkWatch>(new NetlinkWatch(std::move(fd), std::move(wake)));
}

NetlinkWatch::NetlinkWatch(Fd fd, std::function<void()> wake)
    : fd_(std::move(fd)), wake_(std::move(wake)), thread_([this] { loop(); }) {
  pthread_setname_np(thread_.native_handle(), "heddle-netlink");
}

NetlinkWatch::~NetlinkWatch() {
  stopping_.store(true, std::memory_order_release);
  wakeup_.signal();
  thread_.join();
}

uint32_t NetlinkWatch::take() {
  // Armed first: a change that comes in between is taken now and wakes once too often, rather than
  // never.
  isArmed_.store(true);
  return changes_.exchange(0);
}

void NetlinkWatch::loop() {
  while (!stopping_.load(std::memory_order_acquire)) {
    bool isFailing = false;
    uint32_t changes = receive(isFailing);
    if (changes != 0) {
      changes_.fetch_or(changes);
      if (isArmed_.exchange(false)) wake_();
      // An error that stays would turn the loop into a spin: pause, and try again.
      if (!isFailing) continue;
    }
    pollfd waits[2] = {{.fd = wakeup_.descriptor(), .events = POLLIN, .revents = 0},
                       {.fd = isFailing ? -1 : fd_.get(), .events = POLLIN, .revents = 0}};
    poll(waits, 2, isFailing ? kFailurePauseMilliseconds : -1);
  }
}

// What one datagram tells; 0 when none waits.
uint32_t NetlinkWatch::receive(bool& isFailing) const {
  alignas(nlmsghdr) std::array<uint8_t, kNoticeBytes> buffer;
  sockaddr_nl from{};
  socklen_t size = sizeof from;
  ssize_t got = recvfrom(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                         reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    isFailing = errno != ENOBUFS;
    return kOverrun;
  }
  if (from.nl_pid != 0) return 0;  // not the kernel
  if (static_cast<size_t>(got) > buffer.size()) return kOverrun;
  return changesIn({buffer.data(), static_cast<size_t>(got)});
}

}  // namespace heddle
