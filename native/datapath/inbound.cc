#include "datapath/inbound.h"

#include "base/barrier.h"
#include "datapath/classify.h"
#include "datapath/demux.h"
#include "session/transport.h"
#include "wire/vxlan.h"

namespace heddle {

namespace {

// The first four bits of a control message, where an IP packet has its version.
constexpr uint8_t kControlNibble = 1;

}  // namespace

Inbound::Inbound(const Tables& tables, EventSink& events, PacketWriter& writer, Answerer& answerer,
                 CounterBlock& counters, CoalesceOptions options)
    : tables_(tables),
      events_(events),
      counters_(counters),
      coalescer_(writer, counters, options),
      clear_(tables, coalescer_, answerer, counters) {}

void Inbound::datagram(std::span<uint8_t> bytes, const Endpoint& source, const Arrival& arrival,
                       Instant now) {
  counters_.add(Counter::datagramIn, 1);
  counters_.add(Counter::datagramInBytes, bytes.size());
  bool isClear = arrival.kind != PortKind::sealed;
  Drop reason = isClear ? clear_.datagram(bytes, source, arrival, now) : sealed(bytes, source, now);
  if (reason != Drop::none) counters_.drop(reason);
}

Drop Inbound::sealed(std::span<uint8_t> bytes, const Endpoint& source, Instant now) {
  if (source.vni == 0 && !bytes.empty() && bytes[0] == kVxlanValidVni) {
    return behindVxlan(bytes, source, now);
  }
  Demux to = demux(bytes);
  if (to.destination == Destination::handshake) return handshake(bytes, source);
  if (to.destination == Destination::data) return data(bytes, source, now);
  return to.reason;
}

// vxlan-sealed: what WireGuard would send, behind a VXLAN header.
Drop Inbound::behindVxlan(std::span<uint8_t> bytes, const Endpoint& source, Instant now) {
  if (bytes.size() < kVxlanHeader + kDataOverhead) return Drop::datagramLength;
  Endpoint behind = source;
  behind.vni = vxlanVni(bytes.data());
  if (behind.vni == 0) return Drop::datagramType;
  return sealed(bytes.subspan(kVxlanHeader), behind, now);
}

// A cookie reply has no mac1: only its length speaks for it.
Drop Inbound::handshake(std::span<const uint8_t> bytes, const Endpoint& source) {
  if (messageType(bytes.data()) != kTypeCookie) {
    const Mac1Keys* key = tables_.mac1Key();
    size_t covered = bytes.size() - 2 * kMacLength;
    if (key == nullptr || !key->check(bytes.first(covered), bytes.data() + covered)) {
      return Drop::mac1;
    }
  }
  if (!events_.handshake(bytes, source)) return Drop::handshakeOverflow;
  counters_.add(Counter::handshakeUp, 1);
  return Drop::none;
}

Drop Inbound::data(std::span<uint8_t> bytes, const Endpoint& source, Instant now) {
  uint64_t counter = dataCounter(bytes.data());
  Keypair* keypair = tables_.sessions().find(dataReceiver(bytes.data()));
  if (keypair == nullptr) return Drop::unknownIndex;
  Drop reason = Drop::none;
  if (!keypair->peer.isInForm(source)) {
    reason = Drop::encapsulation;
  } else if (isHeddleType(messageType(bytes.data())) != keypair->isHeddle) {
    reason = Drop::datagramType;
  } else {
    reason = open(*keypair, counter, bytes, source, now);
  }
  if (reason != Drop::none) keypair->peer.received.drop(reason, 1);
  return reason;
}

Drop Inbound::open(Keypair& keypair, uint64_t counter, std::span<uint8_t> bytes,
                   const Endpoint& source, Instant now) {
  if (counter >= keypair.rejectAfterMessages) return Drop::counterLimit;
  if (isExpired(keypair, now)) return Drop::keypairExpired;
  size_t length = bytes.size() - kDataOverhead;
  uint8_t* inner = coalescer_.place(length);
  Content content = Content::data;
  Drop reason = authenticate(keypair, bytes, inner, content, source, now);
  if (reason == Drop::none) {
    bool isPartial = messageType(bytes.data()) == kTypeHeddlePartial;
    reason = take(keypair, {inner, length}, content, isPartial);
    if (reason == Drop::none && content == Content::data) return Drop::none;
  }
  coalescer_.cancel();
  return reason;
}

// Opens the message to `inner`, and says what it is to its session.
Drop Inbound::authenticate(Keypair& keypair, std::span<uint8_t> bytes, uint8_t* inner,
                           Content& content, const Endpoint& source, Instant now) {
  ReceivingTurn turn(keypair);
  if (keypair.failedTags >= keypair.mostFailedTags) return Drop::counterLimit;
  if (!openMessage(keypair, bytes.data(), bytes.size(), inner)) {
    keypair.failedTags++;
    return Drop::tag;
  }
  if (!keypair.replay.accept(dataCounter(bytes.data()))) return Drop::replay;
  if (bytes.size() == kDataOverhead) {
    content = Content::keepalive;
  } else if (keypair.takesControl && inner[0] >> 4 == kControlNibble) {
    content = Content::control;
  }
  authenticated(keypair, bytes.size(), content, source, now);
  return Drop::none;
}

Drop Inbound::take(const Keypair& keypair, std::span<const uint8_t> inner, Content content,
                   bool isPartial) {
  if (isPartial && content != Content::data) return Drop::openedMalformed;
  if (content == Content::control) return control(keypair, inner);
  if (content == Content::data) return deliver(keypair.peer, inner, isPartial);
  counters_.add(Counter::keepaliveIn, 1);
  return Drop::none;
}

Drop Inbound::control(const Keypair& keypair, std::span<const uint8_t> message) {
  if (message.size() > kMaxControl) return Drop::controlLength;
  if (!events_.control(keypair.peer.slot, keypair.localIndex, message)) {
    return Drop::controlOverflow;
  }
  counters_.add(Counter::controlIn, 1);
  return Drop::none;
}

// The inner packet: whole, of a known protocol, and from an address of this peer. Padding behind it
// is cut off. A partial one has its transport header where the kernel will look for it.
Drop Inbound::deliver(const PeerEntry& peer, std::span<const uint8_t> inner, bool isPartial) {
  uint8_t version = inner[0] >> 4;
  if (version != 4 && version != 6) return Drop::openedProtocol;
  size_t whole = innerLength(inner.data(), inner.size());
  if (whole == 0) return Drop::openedMalformed;
  Flow flow = classify(inner.data(), whole);
  if (isPartial && flow.protocol == 0) return Drop::openedMalformed;
  if (routeCache_.lookup(tables_.routes(), flow.family, flow.source) != &peer) {
    return Drop::openedSource;
  }
  counters_.add(Counter::innerOut, 1);
  counters_.add(Counter::innerOutBytes, whole);
  coalescer_.add(flow, whole, isPartial);
  return Drop::none;
}

void Inbound::authenticated(Keypair& keypair, size_t bytes, Content content, const Endpoint& source,
                            Instant now) {
  PeerEntry& peer = keypair.peer;
  counters_.add(Counter::opened, 1);
  count(peer, bytes);
  bool isData = content == Content::data;
  if (isData && peer.received.unanswered.get() <= peer.lastSent()) {
    peer.received.unanswered.set(now);
    fullBarrier();  // against readActivity, which arms and then reads
  }
  if (peer.received.last.get() != now) peer.received.last.set(now);
  followRoaming(peer, source);
  if (!keypair.isPromotionSettled && content != Content::control) promote(keypair);
  if (!keypair.confirmedRaised) {
    keypair.confirmedRaised = events_.confirmed(peer.slot, keypair.localIndex);
  }
  if (keypair.isInitiator && !keypair.receiveRekeyRaised &&
      elapsed(keypair.createdAt, now) >= kRekeyAfterTimeReceiving) {
    keypair.receiveRekeyRaised = events_.sessionNeeded(peer.slot, SessionNeed::rekey);
  }
  if (isData) raiseActivity(peer);
}

// What one receive brings of a peer is written once: where lanes are several, they share the words.
void Inbound::count(PeerEntry& peer, size_t bytes) {
  if (counted_ != &peer) settle();
  counted_ = &peer;
  countedBytes_ += bytes;
  countedPackets_++;
}

void Inbound::settle() {
  if (counted_ == nullptr) return;
  counted_->received.count(countedBytes_, countedPackets_, tables_.isShared());
  counted_ = nullptr;
  countedBytes_ = 0;
  countedPackets_ = 0;
}

// The initiator has the keypair that we made as responder. Where handshakes crossed, the peer may
// already have a later session of our own making.
void Inbound::promote(Keypair& keypair) {
  keypair.isPromotionSettled = true;
  if (keypair.isInitiator) return;
  PeerEntry& peer = keypair.peer;
  for (uint32_t lane = 0; lane < tables_.lanes(); lane++) {
    const Keypair* sending = peer.sending[lane].load(std::memory_order_acquire);
    if (sending != nullptr && keypair.createdAt <= sending->createdAt) return;
  }
  peer.promoted.store(PeerEntry::kPromotedMark | keypair.localIndex, std::memory_order_release);
}

// Once until JavaScript answers with setEndpoint. Stored before it is raised: an answer that came
// first would leave the record behind for good.
void Inbound::followRoaming(PeerEntry& peer, const Endpoint& source) {
  const EndpointRecord* moved = peer.roamedTo.load(std::memory_order_acquire);
  if (moved == nullptr) {
    const EndpointRecord* known = peer.endpoint.load(std::memory_order_acquire);
    if (known != nullptr && !hasMoved(known->endpoint, source)) return;
    auto* fresh = new EndpointRecord{source, tables_.newEndpointVersion()};
    // Another lane may be first: then `moved` is what it made.
    if (peer.roamedTo.compare_exchange_strong(moved, fresh, std::memory_order_acq_rel)) {
      moved = fresh;
      peer.unraisedRoaming.store(moved->version, std::memory_order_relaxed);
    } else {
      delete fresh;
    }
  }
  uint64_t version = moved->version;
  if (peer.unraisedRoaming.load(std::memory_order_relaxed) != version) return;
  if (!peer.unraisedRoaming.compare_exchange_strong(version, 0, std::memory_order_relaxed)) return;
  if (!events_.roamed(peer.slot, moved->endpoint)) {
    peer.unraisedRoaming.store(moved->version, std::memory_order_relaxed);
  }
}

void Inbound::raiseActivity(PeerEntry& peer) {
  if (!peer.receiveActivityArmed.load(std::memory_order_relaxed)) return;
  if (!peer.receiveActivityArmed.exchange(false, std::memory_order_relaxed)) return;
  if (!events_.activity(peer.slot, peer.activity())) {
    peer.receiveActivityArmed.store(true, std::memory_order_relaxed);
  }
}

}  // namespace heddle
