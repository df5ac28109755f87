#include "io/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/fd.h"

namespace heddle {

namespace {

constexpr size_t kReplyBytes = 64 << 10;  // more than the 32 KiB a dump's datagram takes
constexpr time_t kTimeoutSeconds = 2;

nlmsghdr headerAt(const uint8_t* at) {
  nlmsghdr header{};
  std::memcpy(&header, at, sizeof header);
  return header;
}

// How many messages lie back to back in `bytes`; SIZE_MAX when their lengths do not add up.
size_t countMessages(std::span<const uint8_t> bytes) {
  size_t count = 0;
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(nlmsghdr)) return SIZE_MAX;
    size_t length = NLMSG_ALIGN(headerAt(bytes.data()).nlmsg_len);
    if (length < sizeof(nlmsghdr) || length > bytes.size()) return SIZE_MAX;
    bytes = bytes.subspan(length);
    count++;
  }
  return count;
}

// How many of the messages end the answer to a request.
size_t countEnds(std::span<const uint8_t> bytes) {
  size_t ends = 0;
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header = headerAt(bytes.data());
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) ends++;
    size_t length = NLMSG_ALIGN(header.nlmsg_len);
    if (length < sizeof(nlmsghdr) || length >= bytes.size()) break;
    bytes = bytes.subspan(length);
  }
  return ends;
}

}  // namespace

int netlinkExchange(std::span<const uint8_t> requests, std::vector<uint8_t>& replies) {
  size_t expected = countMessages(requests);
  if (expected == SIZE_MAX || expected == 0) return -EINVAL;
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return -errno;
  timeval timeout{.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  // One message a send: the kernel's answers to many at once could overrun the receive buffer.
  // Not zeroed: a configuration may ask for a hundred thousand routes, one exchange each.
  auto buffer = std::make_unique_for_overwrite<uint8_t[]>(kReplyBytes);
  while (!requests.empty()) {
    size_t length = NLMSG_ALIGN(headerAt(requests.data()).nlmsg_len);
    if (sendto(fd.get(), requests.data(), length, 0, reinterpret_cast<sockaddr*>(&kernel),
               sizeof kernel) < 0) {
      return -errno;
    }
    requests = requests.subspan(length);
    for (bool ended = false; !ended;) {
      ssize_t got = recv(fd.get(), buffer.get(), kReplyBytes, MSG_TRUNC);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
      if (static_cast<size_t>(got) > kReplyBytes) return -EMSGSIZE;
      std::span<const uint8_t> part(buffer.get(), static_cast<size_t>(got));
      replies.insert(replies.end(), part.begin(), part.end());
      // Messages are aligned to four bytes within a datagram, so the next one must be too.
      replies.resize(NLMSG_ALIGN(replies.size()));
      ended = countEnds(part) > 0;
    }
  }
  return 0;
}

}  // namespace heddle
