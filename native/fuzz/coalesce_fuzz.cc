// Puts packets together as they might come out of a tunnel, honest and forged: the input is a
// script of flows that send, with everything about a packet that can differ from the one before;
// some have left their checksum to the kernel.
// Whatever is written, cut again as Linux would cut it, must be the packets that went in, byte for
// byte, each flow's in its order.

#include "datapath/coalesce.h"

#include <cstring>
#include <map>
#include <vector>

#include "datapath/segment.h"
#include "fuzz/script.h"
#include "test/packets.h"

namespace heddle {

namespace {

using test::Fields;
using test::Packet;

constexpr size_t kFlows = 10;  // more than are put together at once
constexpr size_t kMostPackets = 400;

// Cuts what is written, and keeps the packets by who sent them to whom.
struct Written : PacketWriter {
  std::map<Packet, std::vector<Packet>> flows;

  // Its addresses, and its ports where it has some.
  static Packet keyOf(const Packet& packet) {
    Flow flow = classify(packet.data(), packet.size());
    bool isIpv4 = flow.family == Family::ipv4;
    const uint8_t* addresses = packet.data() + (isIpv4 ? 12 : 8);
    Packet key(addresses, addresses + (isIpv4 ? 8 : 32));
    key.push_back(flow.protocol);
    if (flow.protocol == 0) return key;
    const uint8_t* ports = packet.data() + flow.transportAt;
    key.insert(key.end(), ports, ports + 4);
    return key;
  }
  // The identifier of a packet that is never cut says nothing (RFC 6864 §4.1).
  static void forgetIdentifier(Packet& packet) {
    if (innerFamily(packet.data()) != Family::ipv4) return;
    if (ipv4Fragment(packet.data()) != kIpv4DontFragment || !isIpv4ChecksumRight(packet.data())) {
      return;
    }
    setIpv4Identifier(packet.data(), 0);
    setIpv4Checksum(packet.data());
  }
  void keep(std::span<const uint8_t> packet) {
    Packet bytes(packet.begin(), packet.end());
    forgetIdentifier(bytes);
    flows[keyOf(bytes)].push_back(bytes);
  }
  // As Linux does (skb_checksum_help), but with TCP's zero as cutting has it.
  static void finish(const VirtioNetHeader& header, std::span<uint8_t> packet) {
    MUST(completeChecksum(header, packet));
    uint8_t* field = packet.data() + header.checksumStart + header.checksumOffset;
    if (header.checksumOffset == kTcpChecksumAt && loadBe16(field) == 0xffff) storeBe16(field, 0);
  }
  void write(std::span<uint8_t> frame, size_t count) override {
    VirtioNetHeader header = parseVirtioNet(frame.data());
    std::span<uint8_t> packet = frame.subspan(kVirtioNetHeader);
    if (header.gsoType == kVirtioGsoNone) {
      MUST(count == 1);
      bool isPartial = header.flags == kVirtioNeedsChecksum;
      if (isPartial) finish(header, packet);
      MUST(isPartial || header == VirtioNetHeader{});
      return keep(packet);
    }
    MUST(count > 1 && header.flags == kVirtioNeedsChecksum);
    Segmenter segmenter;
    MUST(segmenter.begin(header, packet));
    MUST(segmenter.count() == count);
    for (auto each = segmenter.next(); !each.empty(); each = segmenter.next()) keep(each);
  }
};

struct Sender {
  Fields fields;
  bool isOdd = false;      // IPv4 identifiers that jump
  bool isPartial = false;  // checksums are left to the kernel

  explicit Sender(size_t number) {
    fields.family = number % 3 == 2 ? Family::ipv6 : Family::ipv4;
    fields.protocol = number % 2 == 0 ? kProtocolTcp : kProtocolUdp;
    fields.source = static_cast<uint8_t>(1 + number / 4);
    fields.sourcePort = static_cast<uint16_t>(1000 + number);
    if (number == 7) fields.destinationPort = 4789;
    if (number % 5 == 0) fields.fragment = 0;
  }

  Packet next(size_t length) {
    fields.payload.assign(length, static_cast<uint8_t>(fields.identifier));
    Packet packet = test::makePacket(fields);
    fields.sequence += static_cast<uint32_t>(length);
    fields.identifier = static_cast<uint16_t>(fields.identifier + (isOdd ? 3 : 1));
    return packet;
  }
};

// Changes one thing about the flow, for the next packets or for good.
void vary(Sender& sender, fuzz::Script& script) {
  switch (script.byte() % 11) {
    case 0:
      sender.fields.flags = script.byte();
      return;
    case 1:
      sender.fields.trafficClass = script.byte();
      return;
    case 2:
      sender.fields.hopLimit = script.byte();
      return;
    case 3:
      sender.fields.acknowledgement += script.byte();
      return;
    case 4:
      sender.fields.window = script.word();
      return;
    case 5:
      sender.fields.options = Packet(4 * (script.byte() % 11u), script.byte());
      return;
    case 6:
      sender.fields.sequence -= script.word();
      return;
    case 7:
      sender.fields.fragment = script.byte() % 2 == 0 ? kIpv4DontFragment : script.word();
      return;
    case 8:
      sender.isOdd = !sender.isOdd;
      return;
    case 9:
      sender.isPartial = !sender.isPartial;
      return;
    default:
      sender.fields.identifier = script.word();
  }
}

class Tunnel {
 public:
  Tunnel() : coalescer_(written_, counters_, {}) {
    for (size_t i = 0; i < kFlows; i++) senders_.emplace_back(i);
  }

  void play(fuzz::Script script) {
    for (size_t sent = 0; !script.isOver() && sent < kMostPackets; sent++) step(script);
    coalescer_.flush();
    MUST(written_.flows == given_.flows);
  }

 private:
  void step(fuzz::Script& script) {
    uint8_t what = script.byte();
    Sender& sender = senders_[(what >> 4) % kFlows];
    switch (what % 8) {
      case 0:
        vary(sender, script);
        return;
      case 1: {
        Packet packet = sender.next(script.byte());
        packet[script.word() % packet.size()] ^= script.byte();
        return open(packet, script.byte(), false);
      }
      case 2:
        return open(script.bytes(script.byte()), 0, false);
      case 3:
        std::memset(coalescer_.place(script.word() % 2000), 0xee, 1);
        return coalescer_.cancel();
      case 4:
        return coalescer_.flush();
      case 5:
        return open(sender.next(script.word() % 9000u), 0, sender.isPartial);
      default:
        return open(sender.next(size_t{8} * script.byte()), 15, sender.isPartial);
    }
  }

  // As the walk opens it: only whole packets get this far, padding lies behind.
  void open(const Packet& packet, uint8_t padding, bool isPartial) {
    if (packet.empty()) return;
    size_t length = innerLength(packet.data(), packet.size());
    if (length == 0) return;
    uint8_t* at = coalescer_.place(packet.size() + padding % 16u);
    std::memcpy(at, packet.data(), packet.size());
    std::memset(at + packet.size(), 0, padding % 16u);
    given_.keep({packet.data(), length});
    Flow flow = classify(packet.data(), length);
    isPartial = isPartial && flow.protocol != 0;
    bool isTcp = flow.protocol == kProtocolTcp;
    if (isPartial) storeBe16(at + flow.transportAt + (isTcp ? 16 : 6), 0xbeef);
    coalescer_.add(length, isPartial);
  }

  Written written_;
  Written given_;
  CounterBlock counters_;
  Coalescer coalescer_;
  std::vector<Sender> senders_;
};

}  // namespace

}  // namespace heddle

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  heddle::Tunnel().play({data, size});
  return 0;
}
