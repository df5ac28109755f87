// Small UDP packets as fast as they can be made and taken, so that neither end is what limits a
// tunnel between them.
//
//   flood send ADDRESS PORT BYTES MILLISECONDS single|batch
//     Sends payloads of BYTES for that long: each a datagram of its own, many a system call; or
//     many in one buffer that the kernel, or whoever takes super-packets, cuts (UDP_SEGMENT).
//     Prints "ready" when it begins, then how many it sent and in which time, as JSON.
//
//   flood sink ADDRESS PORT BYTES WARM WINDOW
//     Prints "ready"; from the first datagram on waits WARM milliseconds, then counts for WINDOW
//     milliseconds and prints the count, as JSON. Takes super-packets whole (UDP_GRO), with a
//     buffer that holds what arrives while it does not run.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMessages = 64;
/** The kernel takes 64 segments a send before Linux 6.9. */
constexpr std::size_t kSegments = 60;
constexpr std::size_t kLongest = 65536;
constexpr int kSinkBuffer = 64 << 20;
constexpr int kLongestMilliseconds = 60'000;
/** A sink whom nobody sends anything gives up. */
constexpr timeval kPatience{5, 0};
/** Once there is a flood the sink looks at its clock so often, whatever arrives. */
constexpr timeval kGlance{0, 20'000};

[[noreturn]] void fail(const char* action) {
  std::perror(action);
  std::exit(1);
}

std::size_t number(const char* word, int greatest) {
  const int value = std::atoi(word);
  if (value >= 1 && value <= greatest) return static_cast<std::size_t>(value);
  std::fprintf(stderr, "\"%s\" is not a number from 1 to %d\n", word, greatest);
  std::exit(2);
}

sockaddr_in parseAddress(const char* address, const char* port) {
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  parsed.sin_port = htons(static_cast<uint16_t>(number(port, 65535)));
  if (inet_pton(AF_INET, address, &parsed.sin_addr) == 1) return parsed;
  std::fprintf(stderr, "\"%s\" is not an IPv4 address\n", address);
  std::exit(2);
}

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void print(uint64_t packets, double seconds) {
  std::printf("{\"packets\":%llu,\"seconds\":%.6f}\n", static_cast<unsigned long long>(packets),
              seconds);
}

void sayReady() {
  std::printf("ready\n");
  std::fflush(stdout);
}

int flood(const sockaddr_in& to, std::size_t bytes, std::size_t time, bool isBatch) {
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  if (udp < 0) fail("socket");
  if (connect(udp, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) fail("connect");
  const std::size_t segments = isBatch ? std::min(kSegments, (kLongest - 64) / bytes) : 1;
  const std::size_t messages = isBatch ? 4 : kMessages;
  const int segmentBytes = static_cast<int>(bytes);
  if (isBatch && setsockopt(udp, SOL_UDP, UDP_SEGMENT, &segmentBytes, sizeof segmentBytes) < 0) {
    fail("UDP_SEGMENT");
  }
  std::vector<char> payload(bytes * segments, 'x');
  iovec part{payload.data(), payload.size()};
  std::vector<mmsghdr> batch(messages);
  for (mmsghdr& message : batch) {
    message.msg_hdr.msg_iov = &part;
    message.msg_hdr.msg_iovlen = 1;
  }
  sayReady();
  uint64_t sent = 0;
  const auto start = Clock::now();
  const auto end = start + milliseconds(time);
  while (Clock::now() < end) {
    const int taken = sendmmsg(udp, batch.data(), static_cast<unsigned>(messages), 0);
    if (taken > 0) sent += static_cast<uint64_t>(taken) * segments;
  }
  print(sent, secondsSince(start));
  return 0;
}

/** Bytes that one call brings, all super-packets together; 0 when none come in time. */
uint64_t receive(int udp, std::vector<mmsghdr>& batch) {
  const int count =
      recvmmsg(udp, batch.data(), static_cast<unsigned>(batch.size()), MSG_WAITFORONE, nullptr);
  if (count < 0 && errno != EAGAIN && errno != EINTR) fail("recvmmsg");
  uint64_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += batch[static_cast<std::size_t>(i)].msg_len;
  return bytes;
}

int sink(const sockaddr_in& at, std::size_t bytes, std::size_t warm, std::size_t window) {
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  if (udp < 0) fail("socket");
  const int on = 1;
  (void)setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &kSinkBuffer, sizeof kSinkBuffer);
  (void)setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  (void)setsockopt(udp, SOL_UDP, UDP_GRO, &on, sizeof on);
  if (bind(udp, reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) fail("bind");
  std::vector<char> memory(kMessages * kLongest);
  std::array<iovec, kMessages> parts;
  std::vector<mmsghdr> batch(kMessages);
  for (std::size_t i = 0; i < kMessages; i++) {
    parts[i] = {memory.data() + i * kLongest, kLongest};
    batch[i].msg_hdr.msg_iov = &parts[i];
    batch[i].msg_hdr.msg_iovlen = 1;
  }
  sayReady();
  if (receive(udp, batch) == 0) fail("no packet arrives");
  (void)setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &kGlance, sizeof kGlance);
  const auto first = Clock::now();
  while (Clock::now() < first + milliseconds(warm)) (void)receive(udp, batch);
  const auto start = Clock::now();
  uint64_t received = 0;
  while (Clock::now() < start + milliseconds(window)) received += receive(udp, batch);
  print(received / bytes, secondsSince(start));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count == 7) {
    const sockaddr_in address = parseAddress(words[2], words[3]);
    const std::size_t bytes = number(words[4], 1400);
    const std::size_t time = number(words[5], kLongestMilliseconds);
    if (std::strcmp(words[1], "send") == 0) {
      return flood(address, bytes, time, std::strcmp(words[6], "batch") == 0);
    }
    if (std::strcmp(words[1], "sink") == 0) {
      return sink(address, bytes, time, number(words[6], kLongestMilliseconds));
    }
  }
  std::fprintf(stderr,
               "flood send ADDRESS PORT BYTES MILLISECONDS single|batch\n"
               "flood sink ADDRESS PORT BYTES WARM WINDOW\n");
  return 2;
}
