#include "datapath/coalesce.h"

#include <cstring>

#include "base/check.h"
#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

namespace {

constexpr size_t kMaxPacket = 65535;
// What opening may write behind the room of a whole packet: padding.
constexpr size_t kBehind = 1024;
constexpr size_t kMaxUdpSegments = 63;  // kernels before 6.9 take 64

// Nested tunnels: their drivers lose super-packets (VXLAN, VXLAN on Linux's port, Geneve).
bool isTunnelPort(uint16_t port) { return port == 4789 || port == 8472 || port == 6081; }

bool isTransportSumRight(const Flow& flow, const uint8_t* packet, size_t length) {
  const uint8_t* transport = packet + flow.transportAt;
  size_t transportLength = length - flow.transportAt;
  if (flow.protocol == kProtocolUdp && udpChecksum(transport) == 0) {
    return flow.family == Family::ipv4;
  }
  return isSumRight(sumPseudoHeader(flow.family, packet, flow.protocol) +
                    sumBe16(static_cast<uint16_t>(transportLength)) +
                    sumBytes(transport, transportLength));
}

bool areSumsRight(const Flow& flow, const uint8_t* packet, size_t length, bool isPartial) {
  if (flow.family == Family::ipv4 && !isIpv4ChecksumRight(packet)) return false;
  return isPartial || isTransportSumRight(flow, packet, length);
}

// Whether the IP headers differ only as cutting makes them differ. `count` packets are there before
// `packet`.
bool ipFollows(Family family, const uint8_t* first, const uint8_t* packet, size_t count) {
  if (family == Family::ipv6) {
    return std::memcmp(first, packet, 4) == 0 && first[7] == packet[7];
  }
  if (first[1] != packet[1] || first[8] != packet[8]) return false;
  if (ipv4Fragment(first) != ipv4Fragment(packet)) return false;
  if ((ipv4Fragment(packet) & kIpv4DontFragment) != 0) return true;
  auto expected = static_cast<uint16_t>(ipv4Identifier(first) + count);
  return ipv4Identifier(packet) == expected;
}

// Whether the TCP headers differ only in the sequence number, PSH and the checksum. `sent` payload
// bytes are there before.
bool tcpFollows(const uint8_t* first, const uint8_t* tcp, size_t sent) {
  if (tcpSequence(tcp) != tcpSequence(first) + static_cast<uint32_t>(sent)) return false;
  if (tcpAcknowledgement(tcp) != tcpAcknowledgement(first)) return false;
  if (first[12] != tcp[12] || loadLe16(first + 14) != loadLe16(tcp + 14)) return false;
  if ((first[13] | kTcpPush) != (tcp[13] | kTcpPush)) return false;
  if (loadLe16(first + 18) != loadLe16(tcp + 18)) return false;
  return std::memcmp(first + kTcpHeader, tcp + kTcpHeader, tcpHeaderLength(tcp) - kTcpHeader) == 0;
}

bool isPush(const Flow& flow, const uint8_t* packet) {
  return flow.protocol == kProtocolTcp && (tcpFlags(packet + flow.transportAt) & kTcpPush) != 0;
}

}  // namespace

Coalescer::Coalescer(PacketWriter& writer, CounterBlock& counters, CoalesceOptions options)
    : writer_(writer), counters_(counters), options_(options) {
  for (Slot& slot : slots_) {
    slot.buffer = std::make_unique_for_overwrite<uint8_t[]>(kFront + kMaxPacket + kBehind);
  }
}

uint8_t* Coalescer::place(size_t length) {
  CHECK(length < kMaxPacket + kBehind);
  // Nothing may follow a packet that fails, and it cannot be checked while another's header lies
  // over it.
  if (last_ != nullptr && !isChecked(*last_)) last_ = nullptr;
  if (last_ != nullptr) {
    size_t header = last_->flow.payloadAt;
    uint8_t* at = last_->packet() + last_->length - header;
    // The first packet's headers must stay readable: what follows is compared with them.
    if (last_->length >= 2 * header && last_->length - header + length <= kMaxPacket) {
      place_ = last_;
      overlaid_ = header;
      std::memcpy(saved_.data(), at, header);
      return at;
    }
  }
  place_ = &freeSlot();
  overlaid_ = 0;
  return place_->packet();
}

void Coalescer::cancel() {
  if (overlaid_ == 0) return;
  std::memcpy(place_->packet() + place_->length - overlaid_, saved_.data(), overlaid_);
  overlaid_ = 0;
}

void Coalescer::add(size_t length, bool isPartial) {
  add(classify(placed(), length), length, isPartial);
}

void Coalescer::add(const Flow& flow, size_t length, bool isPartial) {
  const uint8_t* packet = placed();
  bool isWanted = wants(flow, packet, length);
  Slot* open = isWanted ? find(flow) : nullptr;
  if (open != nullptr && follows(*open, flow, packet, length, isPartial)) {
    append(*open, packet, length);
    return;
  }
  Slot* slot = place_;
  if (overlaid_ != 0) {
    slot = &freeSlot();
    std::memcpy(slot->packet(), packet, length);
    cancel();
  }
  if (open != nullptr) write(*open);
  if (!isWanted) release(flow);
  start(*slot, flow, length, isPartial);
  if (!isWanted || isPush(flow, slot->packet())) return write(*slot);
  last_ = slot;
  makeRoom();
}

const uint8_t* Coalescer::placed() const {
  return place_->packet() + (overlaid_ == 0 ? 0 : place_->length - overlaid_);
}

template <typename Chosen>
Coalescer::Slot* Coalescer::oldestSlot(Chosen chosen) {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (slot.count == 0 || !chosen(slot)) continue;
    if (oldest == nullptr || slot.order < oldest->order) oldest = &slot;
  }
  return oldest;
}

void Coalescer::flush() {
  auto any = [](const Slot&) { return true; };
  for (Slot* slot = oldestSlot(any); slot != nullptr; slot = oldestSlot(any)) write(*slot);
}

bool Coalescer::wants(const Flow& flow, const uint8_t* packet, size_t length) const {
  if (flow.protocol == 0 || flow.payloadAt == length) return false;
  if (flow.protocol == kProtocolUdp) {
    return options_.udp && !isTunnelPort(flow.sourcePort) && !isTunnelPort(flow.destinationPort);
  }
  uint8_t flags = tcpFlags(packet + flow.transportAt);
  return options_.tcp && (flags & ~(kTcpPush | kTcpEce)) == kTcpAck;
}

Coalescer::Slot* Coalescer::find(const Flow& flow) {
  if (last_ != nullptr && sameFlow(last_->flow, flow)) return last_;
  for (Slot& slot : slots_) {
    if (slot.count != 0 && sameFlow(slot.flow, flow)) return &slot;
  }
  return nullptr;
}

// There always is one: makeRoom() sees to it.
Coalescer::Slot& Coalescer::freeSlot() {
  for (Slot& slot : slots_) {
    if (slot.count == 0) return slot;
  }
  CHECK(!"a free slot");
  return slots_[0];
}

// Whether the packet may go behind the slot's. Its checksums must be right, because the kernel will
// make new ones for it.
bool Coalescer::follows(Slot& slot, const Flow& flow, const uint8_t* packet, size_t length,
                        bool isPartial) {
  const uint8_t* first = slot.packet();
  size_t payload = length - flow.payloadAt;
  if (flow.payloadAt != slot.flow.payloadAt || payload > slot.segment) return false;
  if (isPartial != slot.isPartial) return false;
  if (slot.length + payload > kMaxPacket) return false;
  if (!ipFollows(flow.family, first, packet, slot.count)) return false;
  const uint8_t* firstTransport = first + flow.transportAt;
  const uint8_t* transport = packet + flow.transportAt;
  if (flow.protocol == kProtocolTcp) {
    if (!tcpFollows(firstTransport, transport, slot.length - flow.payloadAt)) return false;
  } else {
    if (slot.count >= kMaxUdpSegments) return false;
    bool isFirstUnsummed = !isPartial && udpChecksum(firstTransport) == 0;
    if (isFirstUnsummed != (!isPartial && udpChecksum(transport) == 0)) return false;
  }
  return isChecked(slot) && areSumsRight(flow, packet, length, isPartial);
}

// Whether the packets of the slot have right checksums; those behind the first were checked before
// they went there.
bool Coalescer::isChecked(Slot& slot) {
  if (!slot.isChecked) {
    slot.isChecked = areSumsRight(slot.flow, slot.packet(), slot.length, slot.isPartial);
  }
  return slot.isChecked;
}

// The packet lies at place(); a shorter one, or one that pushes, ends the super-packet.
void Coalescer::append(Slot& slot, const uint8_t* packet, size_t length) {
  size_t header = slot.flow.payloadAt;
  size_t payload = length - header;
  bool isLast = payload < slot.segment || isPush(slot.flow, packet);
  uint8_t pushed = isPush(slot.flow, packet) ? kTcpPush : 0;
  if (place_ != &slot || overlaid_ == 0) {
    std::memcpy(slot.packet() + slot.length, packet + header, payload);
  }
  cancel();
  slot.length += payload;
  slot.count++;
  if (pushed != 0) {
    uint8_t* tcp = slot.packet() + slot.flow.transportAt;
    setTcpFlags(tcp, static_cast<uint8_t>(tcpFlags(tcp) | pushed));
  }
  last_ = &slot;
  if (isLast) write(slot);
}

// The packet at the slot's beginning opens it.
void Coalescer::start(Slot& slot, const Flow& flow, size_t length, bool isPartial) {
  slot.flow = flow;
  slot.length = length;
  slot.count = 1;
  slot.segment = length - flow.payloadAt;
  slot.order = order_++;
  slot.isChecked = false;
  slot.isPartial = isPartial;
}

// Writes the oldest one where none would be free for the next packet.
void Coalescer::makeRoom() {
  size_t open = 0;
  for (const Slot& slot : slots_) open += slot.count != 0 ? 1 : 0;
  if (open == slots_.size()) write(*oldestSlot([](const Slot&) { return true; }));
}

// Writes what must not be overtaken by a packet of this flow, the oldest first; of all flows
// between its hosts where it has no ports.
void Coalescer::release(const Flow& flow) {
  auto overtakes = [&flow](const Slot& slot) {
    return flow.protocol == 0 ? sameHosts(slot.flow, flow) : sameFlow(slot.flow, flow);
  };
  for (Slot* slot = oldestSlot(overtakes); slot != nullptr; slot = oldestSlot(overtakes)) {
    write(*slot);
  }
}

void Coalescer::write(Slot& slot) {
  VirtioNetHeader header;
  if (slot.count > 1) {
    finish(slot, header);
    counters_.add(Counter::tunSuperOut, 1);
  } else if (slot.isPartial) {
    header = leaveChecksum(slot);
  }
  uint8_t* frame = slot.packet() - kVirtioNetHeader;
  emitVirtioNet(header, frame);
  size_t packets = slot.count;
  slot.count = 0;
  if (last_ == &slot) last_ = nullptr;
  writer_.write({frame, kVirtioNetHeader + slot.length}, packets);
}

// Makes the headers those of the whole; the transport checksum is left to the kernel, with the
// pseudo-header's sum in its field.
void Coalescer::finish(Slot& slot, VirtioNetHeader& header) {
  const Flow& flow = slot.flow;
  uint8_t* packet = slot.packet();
  uint8_t* transport = packet + flow.transportAt;
  bool isTcp = flow.protocol == kProtocolTcp;
  auto transportLength = static_cast<uint16_t>(slot.length - flow.transportAt);
  if (flow.family == Family::ipv4) {
    setIpv4TotalLength(packet, static_cast<uint16_t>(slot.length));
    setIpv4Checksum(packet);
  } else {
    setIpv6PayloadLength(packet, static_cast<uint16_t>(slot.length - kIpv6Header));
  }
  if (!isTcp) setUdpLength(transport, transportLength);
  uint8_t tcpType = flow.family == Family::ipv4 ? kVirtioGsoTcp4 : kVirtioGsoTcp6;
  header = leaveChecksum(slot);
  header.gsoType = isTcp ? tcpType : kVirtioGsoUdp;
  header.headerLength = flow.payloadAt;
  header.gsoSize = static_cast<uint16_t>(slot.segment);
}

// The pseudo-header's sum is ours to make: what a peer put there is not looked at.
VirtioNetHeader Coalescer::leaveChecksum(const Slot& slot) {
  const Flow& flow = slot.flow;
  bool isTcp = flow.protocol == kProtocolTcp;
  auto length = static_cast<uint16_t>(slot.length - flow.transportAt);
  Sum pseudo = sumPseudoHeader(flow.family, slot.packet(), flow.protocol) + sumBe16(length);
  uint16_t checksumAt = isTcp ? kTcpChecksumAt : kUdpChecksumAt;
  storeLe16(slot.packet() + flow.transportAt + checksumAt, foldSum(pseudo));
  return {.flags = kVirtioNeedsChecksum,
          .checksumStart = flow.transportAt,
          .checksumOffset = checksumAt};
}

}  // namespace heddle
