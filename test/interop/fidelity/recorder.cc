// Records what passes an interface, as the packets that would be on a wire: super-packets are cut
// and checksums finished as Linux does it (net/ipv4/tcp_offload.c, udp_offload.c), here once more
// and apart from the product, which is what is tested with it.
//
//   recorder INTERFACE OUT IN      until SIGTERM; says "ready" when it listens
//
// OUT takes what left by the interface, IN what came in, a record of 40 bytes each, little-endian:
//   flow(8) packet(8): hashes; length(4) sequence(4) identifier(2) ports(2, 2) protocol(1)
//   family(1) wrong(1) zero(7)
// It ends with a line of JSON: packets, super-packets, bytes, and what the kernel could not keep
// for it. The IPv4 identifier of a packet with DF means nothing (RFC 6864 §4.1) and is taken as 0.

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr size_t kVirtioHeader = 10;
constexpr size_t kRoom = kVirtioHeader + 65535 + 64;
constexpr int kBatch = 32;
constexpr int kBuffer = 1 << 29;
constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint8_t kFin = 0x01, kPush = 0x08, kCwr = 0x80;

volatile sig_atomic_t ending = 0;

uint16_t be16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
uint32_t be32(const uint8_t* at) { return uint32_t{be16(at)} << 16 | be16(at + 2); }
uint16_t le16(const uint8_t* at) { return static_cast<uint16_t>(at[1] << 8 | at[0]); }
void put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
void put32(uint8_t* at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

uint64_t sum(const uint8_t* at, size_t length) {
  uint64_t total = 0;
  for (; length > 1; at += 2, length -= 2) total += be16(at);
  return length == 1 ? total + (uint64_t{at[0]} << 8) : total;
}
uint16_t fold(uint64_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(total);
}

uint64_t hash(const uint8_t* at, size_t length, uint64_t seed) {
  uint64_t state = seed ^ length * 0x9e3779b97f4a7c15;
  while (length > 0) {
    uint64_t word = 0;
    size_t taken = length < 8 ? length : 8;
    std::memcpy(&word, at, taken);
    state = (state ^ word) * 0xff51afd7ed558ccd;
    state ^= state >> 32;
    at += taken;
    length -= taken;
  }
  return state * 0xc4ceb9fe1a85ec53;
}

struct Record {
  uint64_t flow, packet;
  uint32_t length, sequence;
  uint16_t identifier, sourcePort, destinationPort;
  uint8_t protocol, family, wrong;
  uint8_t zero[7];
};
static_assert(sizeof(Record) == 40);

struct Offload {
  bool isPartial = false;
  uint8_t type = 0;
  size_t segment = 0, start = 0, offset = 0;
};

struct Shape {
  bool isIpv4 = false;
  bool isFragment = false;
  uint8_t protocol = 0;  // the first next header in IPv6
  size_t transport = 0;  // 0: none that we know
  size_t addresses = 0, addressBytes = 0;
};

class Recorder {
 public:
  explicit Recorder(const char* path) : file_(std::fopen(path, "wb")) {
    if (file_ == nullptr) std::abort();
    std::setvbuf(file_, nullptr, _IOFBF, 1 << 20);
  }
  ~Recorder() { std::fclose(file_); }
  uint64_t packets = 0, supers = 0, bytes = 0, wrong = 0;

  void take(uint8_t* packet, size_t length, const Offload& offload) {
    if (length < 20 || isForTheLink(packet, length)) return;
    Shape shape = shapeOf(packet, length, offload);
    if (offload.type == 0) {
      if (offload.isPartial) finish(packet, length, offload.start, offload.offset);
      return record(packet, length, shape);
    }
    supers++;
    cut(packet, length, shape, offload);
  }

 private:
  // What a host tells its link alone: multicast listeners, routers.
  static bool isForTheLink(const uint8_t* packet, size_t length) {
    return packet[0] >> 4 == 6 ? length < 40 || packet[24] == 0xff : packet[16] >= 224;
  }
  static Shape shapeOf(const uint8_t* packet, size_t length, const Offload& offload) {
    Shape shape;
    shape.isIpv4 = packet[0] >> 4 == 4;
    shape.addresses = shape.isIpv4 ? 12 : 8;
    shape.addressBytes = shape.isIpv4 ? 8 : 32;
    if (shape.isIpv4) {
      shape.protocol = packet[9];
      shape.isFragment = (be16(packet + 6) & 0x3fff) != 0;
      if (!shape.isFragment) shape.transport = size_t{4} * (packet[0] & 15u);
    } else if (length >= 40) {
      shape.protocol = packet[6];
      if (shape.protocol == kTcp || shape.protocol == kUdp)
        shape.transport = 40;
      else if (offload.isPartial)
        shape.transport = offload.start;
    }
    return shape;
  }

  // The checksum that was left to the hardware.
  static void finish(uint8_t* packet, size_t length, size_t start, size_t offset) {
    if (start + offset + 2 > length) return;
    auto checksum = static_cast<uint16_t>(~fold(sum(packet + start, length - start)));
    bool isUdp = offset == 6;
    put16(packet + start + offset, checksum == 0 && isUdp ? 0xffff : checksum);
  }

  void cut(uint8_t* packet, size_t length, const Shape& shape, const Offload& offload) {
    bool isTcp = (offload.type & 0x7f) != 5;
    size_t transport = shape.transport;
    size_t header = transport + (isTcp ? size_t{4} * (packet[transport + 12] >> 4) : 8);
    uint8_t flags = isTcp ? packet[transport + 13] : 0;
    uint32_t sequence = isTcp ? be32(packet + transport + 4) : 0;
    uint16_t identifier = shape.isIpv4 ? be16(packet + 4) : 0;
    std::vector<uint8_t> one;
    for (size_t at = header, index = 0; at < length; at += offload.segment, index++) {
      size_t payload = length - at < offload.segment ? length - at : offload.segment;
      bool isLast = at + payload == length;
      one.assign(packet, packet + header);
      one.insert(one.end(), packet + at, packet + at + payload);
      uint8_t* segment = one.data();
      if (shape.isIpv4) {
        put16(segment + 2, static_cast<uint32_t>(one.size()));
        put16(segment + 4, identifier + static_cast<uint32_t>(index));
        put16(segment + 10, 0);
        put16(segment + 10,
              static_cast<uint16_t>(~fold(sum(segment, size_t{4} * (segment[0] & 15u)))));
      } else {
        put16(segment + 4, static_cast<uint32_t>(one.size() - 40));
      }
      uint8_t* inner = segment + transport;
      auto innerLength = static_cast<uint32_t>(one.size() - transport);
      if (isTcp) {
        put32(inner + 4, sequence + static_cast<uint32_t>(at - header));
        uint8_t kept = flags;
        if (!isLast) kept = static_cast<uint8_t>(kept & ~(kFin | kPush));
        if (index > 0) kept = static_cast<uint8_t>(kept & ~kCwr);
        inner[13] = kept;
      } else {
        put16(inner + 4, innerLength);
      }
      uint64_t pseudo =
          sum(segment + shape.addresses, shape.addressBytes) + innerLength + (isTcp ? kTcp : kUdp);
      put16(inner + (isTcp ? 16 : 6), fold(pseudo));
      finish(segment, one.size(), transport, isTcp ? 16 : 6);
      record(segment, one.size(), shape);
    }
  }

  void record(uint8_t* packet, size_t length, const Shape& shape) {
    Record entry{};
    entry.length = static_cast<uint32_t>(length);
    entry.protocol = shape.protocol;
    entry.family = shape.isIpv4 ? 4 : 6;
    entry.wrong = isRight(packet, length, shape) ? 0 : 1;
    bool hasPorts = (shape.protocol == kTcp || shape.protocol == kUdp) && shape.transport != 0 &&
                    shape.transport + 8 <= length;
    uint8_t key[40] = {entry.protocol, static_cast<uint8_t>(hasPorts)};
    std::memcpy(key + 8, packet + shape.addresses, shape.addressBytes);
    if (hasPorts) {
      const uint8_t* transport = packet + shape.transport;
      std::memcpy(key + 2, transport, 4);
      entry.sourcePort = be16(transport);
      entry.destinationPort = be16(transport + 2);
      if (shape.protocol == kTcp) entry.sequence = be32(transport + 4);
    }
    entry.flow = hash(key, sizeof key, 1);
    if (shape.isIpv4) entry.identifier = be16(packet + 4);
    if (shape.isIpv4 && (be16(packet + 6) & 0x4000) != 0 && entry.wrong == 0) {
      put16(packet + 4, 0);
      put16(packet + 10, 0);
    }
    if (shape.protocol == kTcp && shape.transport != 0 && entry.wrong == 0) {
      // Zero has two forms in ones' complement; Linux takes either (skb_checksum_help).
      uint8_t* checksum = packet + shape.transport + 16;
      if (be16(checksum) == 0xffff) put16(checksum, 0);
    }
    entry.packet = hash(packet, length, 2);
    packets++;
    bytes += length;
    wrong += entry.wrong;
    std::fwrite(&entry, sizeof entry, 1, file_);
  }

  static bool isRight(const uint8_t* packet, size_t length, const Shape& shape) {
    if (shape.isIpv4 && fold(sum(packet, size_t{4} * (packet[0] & 15u))) != 0xffff) return false;
    if (shape.transport == 0) return true;
    bool isUdp = shape.protocol == kUdp;
    if (!isUdp && shape.protocol != kTcp) return true;
    const uint8_t* transport = packet + shape.transport;
    if (isUdp && be16(transport + 6) == 0) return shape.isIpv4;
    size_t rest = length - shape.transport;
    uint64_t pseudo = sum(packet + shape.addresses, shape.addressBytes) + rest + shape.protocol;
    return fold(pseudo + sum(transport, rest)) == 0xffff;
  }

  FILE* file_;
};

int openSocket(const char* interface) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  int on = 1, size = kBuffer;
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
    return -1;
  }
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ALL);
  where.sll_ifindex = static_cast<int>(if_nametoindex(interface));
  return bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) < 0 ? -1 : fd;
}

class Batch {
 public:
  Batch() : room_(new uint8_t[kBatch * kRoom]) {
    for (int i = 0; i < kBatch; i++) {
      pieces_[i] = {room_.get() + i * kRoom, kRoom};
      messages_[i].msg_hdr = {&senders_[i], sizeof senders_[i], &pieces_[i], 1, nullptr, 0, 0};
    }
  }
  // How many packets were taken; 0: there is none now.
  int pass(int fd, Recorder& out, Recorder& in) {
    for (auto& message : messages_) message.msg_hdr.msg_namelen = sizeof(sockaddr_ll);
    int count = recvmmsg(fd, messages_, kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; i++) {
      auto* at = static_cast<uint8_t*>(pieces_[i].iov_base);
      if (messages_[i].msg_len < kVirtioHeader) continue;
      Offload offload{.isPartial = (at[0] & 1) != 0,
                      .type = static_cast<uint8_t>(at[1]),
                      .segment = le16(at + 4),
                      .start = le16(at + 6),
                      .offset = le16(at + 8)};
      bool isOut = senders_[i].sll_pkttype == PACKET_OUTGOING;
      (isOut ? out : in).take(at + kVirtioHeader, messages_[i].msg_len - kVirtioHeader, offload);
    }
    return count;
  }

 private:
  std::unique_ptr<uint8_t[]> room_;
  iovec pieces_[kBatch];
  sockaddr_ll senders_[kBatch];
  mmsghdr messages_[kBatch]{};
};

void print(const char* name, const Recorder& recorder) {
  std::printf("\"%s\":{\"packets\":%llu,\"supers\":%llu,\"bytes\":%llu,\"wrong\":%llu},", name,
              static_cast<unsigned long long>(recorder.packets),
              static_cast<unsigned long long>(recorder.supers),
              static_cast<unsigned long long>(recorder.bytes),
              static_cast<unsigned long long>(recorder.wrong));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  int fd = openSocket(argv[1]);
  if (fd < 0) {
    std::perror("recorder");
    return 1;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { ending = 1; };
  sigaction(SIGTERM, &action, nullptr);
  Recorder out(argv[2]), in(argv[3]);
  Batch batch;
  std::puts("ready");
  std::fflush(stdout);
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  while (ending == 0) {
    if (batch.pass(fd, out, in) <= 0) poll(&wait, 1, 100);
  }
  while (batch.pass(fd, out, in) > 0) {
  }
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
  std::printf("{");
  print("out", out);
  print("in", in);
  std::printf("\"lost\":%u}\n", stats.tp_drops);
  return 0;
}
