#include "datapath/clear_inbound.h"

#include <cstring>

#include "datapath/classify.h"
#include "datapath/fill_checksum.h"
#include "encap/udp.h"
#include "encap/vxlan.h"
#include "wire/arp.h"
#include "wire/neighbour.h"

namespace heddle {

namespace {

// fe80::/10 (RFC 4291 §2.5.6).
bool isLinkLocal(const uint8_t* address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

// Of the frames to groups, only those that may ask for our Ethernet address concern us.
bool isToAskedGroup(const Mac& to, uint16_t type) {
  return type == kEtherTypeArp ? isBroadcast(to) : type == kEtherTypeIpv6 && isSolicitedNode(to);
}

// Whether a frame of this type carries a question for an Ethernet address, and a valid one.
bool isQuestion(uint16_t type, std::span<const uint8_t> payload) {
  if (type == kEtherTypeArp) return payload.size() >= kArpPacket && isArpRequest(payload.data());
  if (type != kEtherTypeIpv6) return false;
  size_t whole = innerLength(payload.data(), payload.size());
  return whole != 0 && innerFamily(payload.data()) == Family::ipv6 &&
         isSolicitation(payload.data(), whole);
}

}  // namespace

Drop ClearInbound::datagram(std::span<uint8_t> bytes, const Endpoint& source,
                            const Arrival& arrival, Instant now) {
  bool isVxlan = arrival.kind == PortKind::vxlan;
  if (isVxlan && (bytes.size() < kShortestFrame || !vxlanHasVni(bytes.data()))) {
    return Drop::clearHeader;
  }
  const Fdb* fdb = tables_.fdb();
  uint32_t vni = isVxlan ? vxlanVni(bytes.data()) : 0;
  PeerEntry* peer = fdb == nullptr ? nullptr : fdb->find(arrival, source, vni);
  if (peer == nullptr) return Drop::clearSource;
  // The peer may be a moment ahead of the table.
  const Encapsulation* how = peer->encapsulation.load(std::memory_order_acquire);
  if (how == nullptr || how->port() != arrival.kind) return Drop::clearSource;
  Drop reason = accept({*peer, *how, *fdb, bytes.size(), now}, bytes);
  if (reason != Drop::none) peer->received.drop(reason, 1);
  return reason;
}

Drop ClearInbound::accept(const Claim& claim, std::span<uint8_t> bytes) {
  if (claim.now >= claim.how.until) return Drop::clearEnded;
  if (claim.how.kind == EncapsulationKind::vxlan) {
    return frame(claim, bytes.subspan(kVxlanHeader));
  }
  size_t whole = 0;
  Drop reason = check(claim, bytes, whole);
  if (reason != Drop::none) return reason;
  return takeHop(bytes.data()) ? deliver(claim, bytes.first(whole)) : Drop::ttl;
}

Drop ClearInbound::frame(const Claim& claim, std::span<uint8_t> frame) {
  Mac from = ethernetSource(frame.data());
  if (isMulticast(from) || claim.fdb.isOfAnother(claim.how, from)) return Drop::clearMac;
  Mac to = ethernetDestination(frame.data());
  uint16_t type = etherType(frame.data());
  bool isForUs = to == tables_.vtepMac();
  std::span<uint8_t> payload = frame.subspan(kEthernetHeader);
  if (isForUs || isToAskedGroup(to, type)) {
    if (isQuestion(type, payload)) {
      return type == kEtherTypeArp ? arp(claim, frame) : solicitation(claim, frame);
    }
    if (type == kEtherTypeArp) return Drop::clearEthertype;
  }
  if (!isForUs) return Drop::clearMac;
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return Drop::clearEthertype;
  if (payload[0] >> 4 != (type == kEtherTypeIpv4 ? 4 : 6)) return Drop::openedMalformed;
  size_t whole = 0;
  Drop reason = check(claim, payload, whole);
  return reason == Drop::none ? deliver(claim, payload.first(whole)) : reason;
}

Drop ClearInbound::arp(const Claim& claim, std::span<const uint8_t> frame) {
  const uint8_t* request = frame.data() + kEthernetHeader;
  if (!tables_.isOwnAddress(Family::ipv4, loadAddress4(request + kArpTargetAddress))) {
    return Drop::clearEthertype;
  }
  if (!mayAsk(claim.peer, Family::ipv4, request + kArpSenderAddress)) return Drop::openedSource;
  std::array<uint8_t, kArpPacket> reply{};
  emitArpReply(reply.data(), request, tables_.vtepMac());
  answer(claim, frame, reply);
  return Drop::none;
}

Drop ClearInbound::solicitation(const Claim& claim, std::span<const uint8_t> frame) {
  const uint8_t* packet = frame.data() + kEthernetHeader;
  if (!tables_.isOwnAddress(Family::ipv6, loadAddress6(packet + kNeighbourTarget))) {
    return Drop::clearEthertype;
  }
  if (!mayAsk(claim.peer, Family::ipv6, packet + 8)) return Drop::openedSource;
  std::array<uint8_t, kAdvertisement> advertisement;
  emitAdvertisement(advertisement.data(), packet, tables_.vtepMac());
  answer(claim, frame, advertisement);
  return Drop::none;
}

// The peer's addresses may, and, as IPv6 hosts do, those of its link. Who asks from none only
// searches for duplicates.
bool ClearInbound::mayAsk(const PeerEntry& peer, Family family, const uint8_t* asker) const {
  Address address = loadAddress(family, asker);
  if (address == Address{}) return false;
  if (family == Family::ipv6 && isLinkLocal(asker)) return true;
  return tables_.routes().lookup(family, address) == &peer;
}

// `payload` goes back in a frame like the one that asked.
void ClearInbound::answer(const Claim& claim, std::span<const uint8_t> frame,
                          std::span<const uint8_t> payload) {
  std::array<uint8_t, kFrameOverhead + kAdvertisement> room;
  emitVxlan(room.data(), claim.how.vni);
  emitEthernet(room.data() + kVxlanHeader, ethernetSource(frame.data()), tables_.vtepMac(),
               etherType(frame.data()));
  std::memcpy(room.data() + kFrameOverhead, payload.data(), payload.size());
  auto datagram = std::span(room).first(kFrameOverhead + payload.size());
  counters_.add(Counter::neighbourAnswers, 1);
  // By the clear port itself: the source ports of flows are the sending thread's.
  answerer_.answer(claim.how.endpoint, datagram, Via{.kind = PortKind::udp});
}

Drop ClearInbound::check(const Claim& claim, std::span<const uint8_t> packet, size_t& whole) const {
  whole = innerLength(packet.data(), packet.size());
  if (whole == 0) return Drop::openedMalformed;
  PeerEntry* owner =
      tables_.routes().lookup(innerFamily(packet.data()), innerSource(packet.data()));
  return owner == &claim.peer ? Drop::none : Drop::openedSource;
}

Drop ClearInbound::deliver(const Claim& claim, std::span<const uint8_t> packet) {
  uint8_t* place = coalescer_.place(packet.size());
  std::memcpy(place, packet.data(), packet.size());
  fillChecksum(place, packet.size());
  coalescer_.add(packet.size());
  counters_.add(Counter::innerOut, 1);
  counters_.add(Counter::innerOutBytes, packet.size());
  counters_.add(Counter::plaintextInBytes, packet.size());
  PeerDirection& received = claim.peer.received;
  received.count(claim.datagram, 1, tables_.isShared());
  received.last.set(claim.now);
  return Drop::none;
}

}  // namespace heddle
