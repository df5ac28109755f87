#include "datapath/inbound.h"

#include "base/barrier.h"
#include "datapath/classify.h"
#include "datapath/demux.h"
#include "session/transport.h"
#include "wire/vxlan.h"

namespace heddle {

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
    const Mac1Key* key = tables_.mac1Key();
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
  bool isInForm = keypair->peer.isInForm(source);
  Drop reason = isInForm ? open(*keypair, counter, bytes, source, now) : Drop::encapsulation;
  if (reason != Drop::none) keypair->peer.received.drop(reason, 1);
  return reason;
}

Drop Inbound::open(Keypair& keypair, uint64_t counter, std::span<uint8_t> bytes,
                   const Endpoint& source, Instant now) {
  if (counter >= kRejectAfterMessages) return Drop::counterLimit;
  if (isExpired(keypair, now)) return Drop::keypairExpired;
  size_t length = bytes.size() - kDataOverhead;
  uint8_t* inner = coalescer_.place(length);
  Drop reason = Drop::none;
  if (!openMessage(keypair, bytes.data(), bytes.size(), inner)) {
    reason = Drop::tag;
  } else if (!keypair.replay.accept(counter)) {
    reason = Drop::replay;
  } else {
    authenticated(keypair, bytes.size(), source, now);
    reason = deliver(keypair.peer, inner, length);
    if (reason == Drop::none && length != 0) return Drop::none;
  }
  coalescer_.cancel();
  return reason;
}

// The inner packet: whole, of a known protocol, and from an address of this peer. Padding behind it
// is cut off.
Drop Inbound::deliver(const PeerEntry& peer, const uint8_t* inner, size_t length) {
  if (length == 0) {
    counters_.add(Counter::keepaliveIn, 1);
    return Drop::none;
  }
  uint8_t version = inner[0] >> 4;
  if (version != 4 && version != 6) return Drop::openedProtocol;
  size_t whole = innerLength(inner, length);
  if (whole == 0) return Drop::openedMalformed;
  if (tables_.routes().lookup(innerFamily(inner), innerSource(inner)) != &peer) {
    return Drop::openedSource;
  }
  counters_.add(Counter::innerOut, 1);
  counters_.add(Counter::innerOutBytes, whole);
  coalescer_.add(whole);
  return Drop::none;
}

void Inbound::authenticated(Keypair& keypair, size_t bytes, const Endpoint& source, Instant now) {
  PeerEntry& peer = keypair.peer;
  counters_.add(Counter::opened, 1);
  peer.received.bytes.add(bytes);
  peer.received.packets.add(1);
  bool isData = bytes > kDataOverhead;
  if (isData && peer.received.unanswered.get() <= peer.lastSent()) {
    peer.received.unanswered.set(now);
    fullBarrier();  // against readActivity, which arms and then reads
  }
  peer.received.last.set(now);
  followRoaming(peer, source);
  if (!keypair.confirmedRaised) {
    // Where handshakes crossed, the peer may already have a later session of our own making.
    const Keypair* sending = peer.sending.load(std::memory_order_acquire);
    if (!keypair.isInitiator && (sending == nullptr || keypair.createdAt > sending->createdAt)) {
      peer.promoted.store(PeerEntry::kPromotedMark | keypair.localIndex, std::memory_order_release);
    }
    keypair.confirmedRaised = events_.confirmed(peer.slot, keypair.localIndex);
  }
  if (keypair.isInitiator && !keypair.receiveRekeyRaised &&
      elapsed(keypair.createdAt, now) >= kRekeyAfterTimeReceiving) {
    keypair.receiveRekeyRaised = events_.sessionNeeded(peer.slot, SessionNeed::rekey);
  }
  if (isData) raiseActivity(peer);
}

// Once until JavaScript answers with setEndpoint. Stored before it is raised: an answer that came
// first would leave the record behind for good.
void Inbound::followRoaming(PeerEntry& peer, const Endpoint& source) {
  const EndpointRecord* moved = peer.roamedTo.load(std::memory_order_acquire);
  if (moved == nullptr) {
    const EndpointRecord* known = peer.endpoint.load(std::memory_order_acquire);
    if (known != nullptr && !hasMoved(known->endpoint, source)) return;
    moved = new EndpointRecord{source, tables_.newEndpointVersion()};
    peer.unraisedRoaming = moved->version;
    peer.roamedTo.store(moved, std::memory_order_release);
  }
  if (peer.unraisedRoaming != moved->version) return;
  if (events_.roamed(peer.slot, moved->endpoint)) peer.unraisedRoaming = 0;
}

void Inbound::raiseActivity(PeerEntry& peer) {
  if (!peer.receiveActivityArmed.load(std::memory_order_relaxed)) return;
  peer.receiveActivityArmed.store(false, std::memory_order_relaxed);
  if (!events_.activity(peer.slot, peer.activity())) {
    peer.receiveActivityArmed.store(true, std::memory_order_relaxed);
  }
}

}  // namespace heddle
