// A tunnel in the shape of Flannel's udp backend, for comparison: one thread, one poll loop, and
// two system calls a packet. It reads one packet from a TUN without a virtio header and sends it in
// one datagram, and the reverse. No cipher, no routes, no offloads: the floor that a userspace
// tunnel starts from.
//
//   proxy INTERFACE OWN-ADDRESS PEER-ADDRESS PORT

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kBufferBytes = 7 << 20;
constexpr std::size_t kLongestPacket = 65536;

[[noreturn]] void fail(const char* action) {
  std::perror(action);
  std::exit(1);
}

int openTun(const char* name) {
  const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (tun < 0) fail("open /dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(tun, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return tun;
}

sockaddr_in parseAddress(const char* address, const char* port) {
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  parsed.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  if (inet_pton(AF_INET, address, &parsed.sin_addr) != 1) {
    std::fprintf(stderr, "\"%s\" is not an IPv4 address\n", address);
    std::exit(1);
  }
  return parsed;
}

int openSocket(const sockaddr_in& own) {
  const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (udp < 0) fail("socket");
  // As large as its rivals': what is compared is the work a packet, not the queue.
  (void)setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
  (void)setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
  if (bind(udp, reinterpret_cast<const sockaddr*>(&own), sizeof own) < 0) fail("bind");
  return udp;
}

/** True when a packet was there; what cannot be sent is lost, as on any network. */
bool tunToUdp(int tun, int udp, const sockaddr_in& peer, char* packet) {
  const ssize_t length = read(tun, packet, kLongestPacket);
  if (length < 0 && errno != EAGAIN && errno != EINTR) fail("read");
  if (length <= 0) return false;
  (void)sendto(udp, packet, static_cast<std::size_t>(length), 0,
               reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
  return true;
}

bool udpToTun(int udp, int tun, char* packet) {
  const ssize_t length = recv(udp, packet, kLongestPacket, 0);
  if (length <= 0) return false;
  if (write(tun, packet, static_cast<std::size_t>(length)) < 0 && errno == EBADFD) fail("write");
  return true;
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::fprintf(stderr, "proxy INTERFACE OWN-ADDRESS PEER-ADDRESS PORT\n");
    return 2;
  }
  const int tun = openTun(words[1]);
  const int udp = openSocket(parseAddress(words[2], words[4]));
  const sockaddr_in peer = parseAddress(words[3], words[4]);
  static char packet[kLongestPacket];
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;) {
    pollfd both[] = {{tun, POLLIN, 0}, {udp, POLLIN, 0}};
    if (poll(both, 2, -1) < 0 && errno != EINTR) fail("poll");
    bool isBusy = true;
    while (isBusy) {
      const bool out = tunToUdp(tun, udp, peer, packet);
      const bool in = udpToTun(udp, tun, packet);
      isBusy = out || in;
    }
  }
}
