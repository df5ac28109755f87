#include "datapath/outbound.h"

#include "base/barrier.h"
#include "base/check.h"
#include "datapath/classify.h"
#include "datapath/loop.h"
#include "encap/udp.h"
#include "encap/vxlan.h"
#include "encap/wireguard.h"
#include "session/transport.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace heddle {

namespace {

// What one UDP datagram, and so one GSO send, may carry (65,535 less the IP and UDP headers).
constexpr size_t kLimit4 = 65507;
constexpr size_t kLimit6 = 65487;
constexpr uint64_t kMostSegments = 65535;  // of a super-packet
constexpr size_t kBuffer = kSealRoomBefore + 65536 + 1024;
// The longest inner packet: IPv6 with a full payload.
constexpr size_t kLongestInner = 40 + 65535;
static_assert(kLongestInner + 16 + kDataOverhead + kSealRoomBefore <= kBuffer);
static_assert(kHeadroom >= kSealRoomBefore && kTailroom >= kSealRoomBehind);

// Whether the peer may be left to finish the checksum of such a packet: it must find the place by
// itself.
bool mayLeaveChecksum(const Keypair& keypair, const VirtioNetHeader& header,
                      std::span<const uint8_t> inner) {
  if (!keypair.trustsChecksums || (header.flags & kVirtioNeedsChecksum) == 0) return false;
  // What may have to be staged after all is staged whole.
  uint64_t counter = keypair.sendCounter.load(std::memory_order_relaxed);
  if (counter + kMostSegments >= keypair.rejectAfterMessages) return false;
  Flow flow = classify(inner.data(), inner.size());
  if (flow.protocol == 0 || header.checksumStart != flow.transportAt) return false;
  return header.checksumOffset == (flow.protocol == kProtocolTcp ? kTcpChecksumAt : kUdpChecksumAt);
}

}  // namespace

Outbound::Outbound(const Tables& tables, EventSink& events, BatchSender& sender,
                   CounterBlock& counters, uint32_t lane)
    : tables_(tables),
      events_(events),
      sender_(sender),
      counters_(counters),
      lane_(lane),
      buffer_(std::make_unique<uint8_t[]>(kBuffer)),
      messages_(buffer_.get() + kSealRoomBefore) {}

void Outbound::packet(std::span<uint8_t> inner, Instant now) {
  single(VirtioNetHeader{}, inner, now);
}

void Outbound::frame(std::span<uint8_t> frame, Instant now) {
  CHECK(frame.size() >= kVirtioNetHeader);
  VirtioNetHeader header = parseVirtioNet(frame.data());
  std::span<uint8_t> inner = frame.subspan(kVirtioNetHeader);
  if (header.gsoType != kVirtioGsoNone) return superPacket(header, inner, now);
  single(header, inner, now);
}

void Outbound::single(const VirtioNetHeader& header, std::span<uint8_t> inner, Instant now) {
  counters_.add(Counter::innerIn, 1);
  counters_.add(Counter::innerInBytes, inner.size());
  size_t length = innerLength(inner.data(), inner.size());
  if (length == 0 || length != inner.size()) return drop(Drop::innerMalformed);
  bool isUnfinished = (header.flags & kVirtioNeedsChecksum) != 0;
  if (isUnfinished && !isChecksumInside(header, length)) return drop(Drop::innerMalformed);
  if (length > tables_.mtu()) return drop(Drop::innerTooBig);
  Target target;
  Drop reason = route(inner, now, target);
  if (reason != Drop::none) {
    drop(reason, 1, target.peer);
    return refuse(reason, inner, now);
  }
  target.isPartial = target.keypair != nullptr && mayLeaveChecksum(*target.keypair, header, inner);
  if (isUnfinished && !target.isPartial) completeChecksum(header, inner);
  takeCounters(target, 1);
  pass(target, inner);
  notePassed(target, now);
}

// One look-up for all segments; each counts as a packet.
void Outbound::superPacket(const VirtioNetHeader& header, std::span<uint8_t> inner, Instant now) {
  counters_.add(Counter::tunSuperIn, 1);
  Segmenter segmenter;
  if (!segmenter.begin(header, inner)) {
    counters_.add(Counter::innerIn, 1);
    counters_.add(Counter::innerInBytes, inner.size());
    return drop(Drop::innerMalformed);
  }
  counters_.add(Counter::innerIn, segmenter.count());
  counters_.add(Counter::innerInBytes, segmenter.bytes());
  if (segmenter.longest() > tables_.mtu()) return drop(Drop::innerTooBig, segmenter.count());
  Target target;
  Drop reason = route(inner, now, target);
  if (reason != Drop::none) {
    drop(reason, segmenter.count(), target.peer);
    return refuse(reason, inner, now);
  }
  target.isPartial = target.keypair != nullptr && mayLeaveChecksum(*target.keypair, header, inner);
  if (target.isPartial) segmenter.leaveChecksums();
  takeCounters(target, segmenter.count());
  for (auto segment = segmenter.next(); !segment.empty(); segment = segmenter.next()) {
    pass(target, segment);
  }
  notePassed(target, now);
}

void Outbound::flush() {
  if (count_ == 0) return;
  counters_.add(Counter::datagramOut, count_);
  counters_.add(Counter::datagramOutBytes, bytes_);
  SendBatch batch{.bytes = {messages_, bytes_},
                  .segment = segment_,
                  .count = count_,
                  .peer = peer_,
                  .to = to_,
                  .via = via_};
  count_ = 0;
  bytes_ = 0;
  sender_.send(batch);
}

void Outbound::flushStaged(uint32_t peer, bool orKeepalive, Instant now) {
  Target target;
  if (!resume(peer, now, target)) return;
  std::deque<StagedPacket> packets = staged_.take(peer, target.peer->serial);
  bool anyPassed = false;
  for (StagedPacket& packet : packets) {
    std::span<uint8_t> inner(packet.inner(), packet.length());
    Drop reason = guardLoop(inner, target);
    drop(reason, reason == Drop::none ? 0 : 1, target.peer);
    if (reason != Drop::none) continue;
    takeCounters(target, 1);
    pass(target, inner);
    anyPassed = true;
  }
  if (anyPassed) {
    noteSent(target, true, now);
  } else if (orKeepalive) {
    sealKeepalive(target, now);
  }
  flush();
}

void Outbound::dropStaged(uint32_t peer) {
  PeerEntry* entry = tables_.peer(peer);
  drop(Drop::stagedExpired, staged_.expire(peer, 0), entry);
  if (entry != nullptr) entry->stagedRaised.store(false, std::memory_order_release);
}

void Outbound::sendKeepalive(uint32_t peer, Instant now) {
  Target target;
  if (!resume(peer, now, target)) return;
  sealKeepalive(target, now);
  flush();
}

void Outbound::sendControl(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message,
                           Instant now) {
  CHECK(message.size() <= kMaxControl);
  Target target;
  if (!reach(peer, target)) return;
  target.keypair = tables_.sessions().find(localIndex);
  if (target.keypair == nullptr || &target.keypair->peer != target.peer) return;
  if (isExpired(*target.keypair, now) || !mayUse(*target.keypair)) return;
  std::array<uint8_t, kHeadroom + kMaxControl + kTailroom> room{};
  std::memcpy(room.data() + kHeadroom, message.data(), message.size());
  takeCounters(target, 1);
  if (seal(target, room.data() + kHeadroom, message.size())) {
    counters_.add(Counter::controlOut, 1);
    noteSent(target, false, now);
  }
  flush();
}

void Outbound::forget(uint32_t peer) {
  const PeerEntry* entry = tables_.peer(peer);
  drop(Drop::stagedExpired, staged_.expire(peer, entry == nullptr ? 0 : entry->serial));
}

Drop Outbound::route(std::span<const uint8_t> packet, Instant now, Target& target) const {
  const uint8_t* inner = packet.data();
  target.peer = routeCache_.lookup(tables_.routes(), innerFamily(inner), innerDestination(inner));
  if (target.peer == nullptr) return Drop::noRoute;
  const Encapsulation* how = target.peer->encapsulation.load(std::memory_order_acquire);
  if (how != nullptr && how->isClear()) [[unlikely]] {
    target.clear = how;
    return routeClear(packet, now, target);
  }
  target.endpoint = target.peer->sendsTo();
  if (target.endpoint == nullptr) return Drop::noEndpoint;
  target.keypair = tables_.usableKeypair(*target.peer, lane_, now);
  return target.keypair == nullptr ? Drop::none : guardLoop(packet, target);
}

// A clear peer is where it is configured to be.
Drop Outbound::routeClear(std::span<const uint8_t> packet, Instant now, Target& target) const {
  target.endpoint = target.peer->endpoint.load(std::memory_order_acquire);
  if (target.endpoint == nullptr) return Drop::noEndpoint;
  if (now >= target.clear->until) return Drop::clearEnded;
  if (target.clear->kind == EncapsulationKind::udp && !hasHopToGive(packet.data())) {
    return Drop::ttl;
  }
  target.via.kind = target.clear->port();
  if (target.via.kind == PortKind::vxlan) target.via.flow = flowHash(packet);
  return guardLoop(packet, target);
}

// Of a target with a keypair or in the clear; also says how many hops the packet's datagram may
// have.
Drop Outbound::guardLoop(std::span<const uint8_t> packet, Target& target) const {
  target.via.hops = 0;
  Nested nested = nestedIn(packet.data(), packet.size());
  if (!nested.isThere) return Drop::none;
  const Endpoint& to = target.endpoint->endpoint;
  const Keypair* keypair = target.keypair;
  if (keypair != nullptr) {
    uint32_t lanes = keypair->isHeddle || keypair->takesControl ? kIndexBits : 0;
    if (isOwnDatagram(packet.data(), nested, to, keypair->remoteIndex, lanes)) return Drop::loop;
  }
  target.via.hops = hopsAround(packet.data());
  return target.via.hops == 0 ? Drop::loop : Drop::none;
}

// Another lane would use its counters twice.
bool Outbound::mayUse(const Keypair& keypair) const {
  return !keypair.isHeddle || keypair.lane % tables_.lanes() == lane_;
}

bool Outbound::reach(uint32_t slot, Target& target) const {
  target.peer = tables_.peer(slot);
  if (target.peer == nullptr) return false;
  const Encapsulation* how = target.peer->encapsulation.load(std::memory_order_acquire);
  if (how != nullptr && how->isClear()) return false;
  target.endpoint = target.peer->sendsTo();
  return target.endpoint != nullptr;
}

bool Outbound::resume(uint32_t slot, Instant now, Target& target) const {
  if (!reach(slot, target)) return false;
  target.keypair = tables_.usableKeypair(*target.peer, lane_, now);
  return target.keypair != nullptr;
}

void Outbound::takeCounters(Target& target, size_t count) {
  if (target.keypair != nullptr) target.counter = target.keypair->takeCounters(count);
}

void Outbound::pass(Target& target, std::span<uint8_t> inner) {
  if (target.clear != nullptr) return sendClear(target, inner);
  if (target.keypair != nullptr && seal(target, inner.data(), inner.size())) return;
  stage(*target.peer, inner);
}

void Outbound::stage(PeerEntry& peer, std::span<const uint8_t> inner) {
  drop(Drop::stagedExpired, staged_.expire(peer.slot, peer.serial));
  drop(Drop::stagedOverflow, staged_.push(peer.slot, peer.serial, inner.data(), inner.size()),
       &peer);
  counters_.add(Counter::staged, 1);
  if (peer.stagedRaised.load(std::memory_order_acquire)) return;
  if (peer.stagedRaised.exchange(true, std::memory_order_acq_rel)) return;
  if (!events_.sessionNeeded(peer.slot, SessionNeed::staged)) {
    peer.stagedRaised.store(false, std::memory_order_relaxed);
  }
}

// With the next counter that was taken; false when the keypair has none left.
bool Outbound::seal(Target& target, uint8_t* inner, size_t length) {
  Keypair& keypair = *target.keypair;
  uint64_t counter = target.counter;
  if (counter >= keypair.rejectAfterMessages) return false;
  target.counter++;
  size_t padded = paddedLength(length, paddingBound(length, tables_.mtu(), tables_.routeMtu()));
  size_t size = kDataOverhead + padded;
  uint32_t vni = target.endpoint->endpoint.vni;
  size_t before = vni == 0 ? 0 : kVxlanHeader;
  uint8_t* message = room(target, before + size);
  if (vni != 0) emitVxlan(message, vni);
  sealMessage(keypair, counter, inner, length, padded, message + before, target.isPartial);
  target.sealed++;
  target.sealedBytes += size;
  added(before + size);
  return true;
}

// One inner packet as it is, behind what its encapsulation puts before it.
void Outbound::sendClear(const Target& target, std::span<uint8_t> inner) {
  bool isVxlan = target.via.kind == PortKind::vxlan;
  if (!isVxlan) CHECK(takeHop(inner.data()));
  size_t before = isVxlan ? kFrameOverhead : 0;
  size_t size = before + inner.size();
  uint8_t* at = room(target, size);
  if (isVxlan) {
    bool isIpv4 = innerFamily(inner.data()) == Family::ipv4;
    emitFrameHeader(at, *target.clear, tables_.vtepMac(), isIpv4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  }
  std::memcpy(at + before, inner.data(), inner.size());
  counters_.add(Counter::plaintextOutBytes, inner.size());
  target.peer->sent.count(size, 1, tables_.isShared());
  added(size);
}

// Where the next datagram of the open batch is written; a batch it does not fit into leaves first.
uint8_t* Outbound::room(const Target& target, size_t size) {
  bool fits = endpointVersion_ == target.endpoint->version && via_ == target.via &&
              size <= segment_ && bytes_ + size <= limit_;
  if (count_ != 0 && !fits) flush();
  if (count_ == 0) open(target, size);
  return messages_ + bytes_;
}

void Outbound::added(size_t size) {
  bytes_ += size;
  count_++;
  // GSO takes only a last segment that is shorter.
  if (size < segment_ || count_ == kBatchSegments) flush();
}

void Outbound::open(const Target& target, size_t size) {
  endpointVersion_ = target.endpoint->version;
  to_ = target.endpoint->endpoint;
  via_ = target.via;
  peer_ = target.peer->slot;
  limit_ = to_.family == 4 ? kLimit4 : kLimit6;
  segment_ = size;
}

void Outbound::sealKeepalive(Target& target, Instant now) {
  std::array<uint8_t, kHeadroom + kTailroom> room{};
  takeCounters(target, 1);
  if (!seal(target, room.data() + kHeadroom, 0)) return;
  counters_.add(Counter::keepaliveOut, 1);
  noteSent(target, false, now);
}

void Outbound::notePassed(const Target& target, Instant now) {
  if (target.keypair != nullptr) noteSent(target, true, now);
  if (target.clear != nullptr) target.peer->sent.last.set(now);
}

void Outbound::noteSent(const Target& target, bool isData, Instant now) {
  PeerEntry& peer = *target.peer;
  counters_.add(Counter::sealed, target.sealed);
  peer.sent.count(target.sealedBytes, target.sealed, tables_.isShared());
  // The walk found a session, so the next time there is none is news.
  if (peer.stagedRaised.load(std::memory_order_relaxed)) {
    peer.stagedRaised.store(false, std::memory_order_relaxed);
  }
  peer.sent.last.set(now);
  if (isData) {
    if (peer.sent.unanswered.get() <= peer.lastReceived()) {
      peer.sent.unanswered.set(now);
      fullBarrier();  // against readActivity, which arms and then reads
    }
    if (peer.sendActivityArmed.load(std::memory_order_relaxed) &&
        peer.sendActivityArmed.exchange(false, std::memory_order_relaxed)) {
      if (!events_.activity(peer.slot, peer.activity())) {
        peer.sendActivityArmed.store(true, std::memory_order_relaxed);
      }
    }
  }
  raiseRekey(target, now);
}

void Outbound::raiseRekey(const Target& target, Instant now) {
  Keypair& keypair = *target.keypair;
  if (keypair.sendRekeyRaised.load(std::memory_order_relaxed)) return;
  uint64_t counter = keypair.sendCounter.load(std::memory_order_relaxed);
  bool isOld = keypair.isInitiator && elapsed(keypair.createdAt, now) >= kRekeyAfterTime;
  if (!isOld && counter < keypair.rekeyAfterMessages) return;
  if (keypair.sendRekeyRaised.exchange(true, std::memory_order_relaxed)) return;
  bool isRaised = events_.sessionNeeded(target.peer->slot, SessionNeed::rekey);
  keypair.sendRekeyRaised.store(isRaised, std::memory_order_relaxed);
}

void Outbound::refuse(Drop reason, std::span<const uint8_t> packet, Instant now) {
  if (reason != Drop::noRoute && reason != Drop::noEndpoint) return;
  std::span<const uint8_t> frame = refusals_.about(packet, now);
  if (frame.empty()) return;
  counters_.add(Counter::refusals, 1);
  sender_.refuse(frame);
}

void Outbound::drop(Drop reason, size_t packets, PeerEntry* peer) {
  if (packets == 0) return;
  counters_.drops[static_cast<size_t>(reason)].add(packets);
  if (peer != nullptr) peer->sent.drop(reason, packets);
}

}  // namespace heddle
