#include "datapath/clear_inbound.h"

#include <cstring>

#include "datapath/classify.h"
#include "encap/udp.h"
#include "encap/vxlan.h"
#include "wire/arp.h"
#include "wire/neighbour.h"

namespace heddle {

namespace {

bool isLinkLocal(const uint8_t* address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

// The length of the IPv6 packet that a frame carries; 0: it carries none that is whole.
size_t ipv6In(std::span<const uint8_t> payload) {
  size_t whole = innerLength(payload.data(), payload.size());
  return whole != 0 && innerFamily(payload.data()) == Family::ipv6 ? whole : 0;
}

// Of the frames to groups only those that ask for a neighbour concern us.
bool isQuestionToGroup(std::span<const uint8_t> frame) {
  Mac to = ethernetDestination(frame.data());
  uint16_t type = etherType(frame.data());
  if (type == kEtherTypeArp) return isBroadcast(to);
  std::span<const uint8_t> payload = frame.subspan(kEthernetHeader);
  return type == kEtherTypeIpv6 && isSolicitedNode(to) &&
         isSolicitation(payload.data(), ipv6In(payload));
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
  bool isForUs = ethernetDestination(frame.data()) == tables_.vtepMac();
  if (!isForUs && !isQuestionToGroup(frame)) return Drop::clearMac;
  Mac from = ethernetSource(frame.data());
  if (isMulticast(from) || claim.fdb.isOfAnother(claim.how, from)) return Drop::clearMac;
  uint16_t type = etherType(frame.data());
  if (type == kEtherTypeArp && isArpAnswered(claim, frame)) return Drop::none;
  if (type == kEtherTypeIpv6 && isSolicitationAnswered(claim, frame)) return Drop::none;
  bool isIp = type == kEtherTypeIpv4 || type == kEtherTypeIpv6;
  if (!isForUs || !isIp) return Drop::clearEthertype;
  std::span<uint8_t> packet = frame.subspan(kEthernetHeader);
  size_t whole = 0;
  Drop reason = check(claim, packet, whole);
  if (reason != Drop::none) return reason;
  bool isIpv4 = innerFamily(packet.data()) == Family::ipv4;
  if (isIpv4 != (type == kEtherTypeIpv4)) return Drop::openedMalformed;
  return deliver(claim, packet.first(whole));
}

bool ClearInbound::isArpAnswered(const Claim& claim, std::span<const uint8_t> frame) {
  std::span<const uint8_t> request = frame.subspan(kEthernetHeader);
  if (request.size() < kArpPacket || !isArpRequest(request.data())) return false;
  Address target = loadAddress4(request.data() + kArpTargetAddress);
  if (!tables_.isOwnAddress(Family::ipv4, target)) return false;
  Address sender = loadAddress4(request.data() + kArpSenderAddress);
  if (tables_.routes().lookup(Family::ipv4, sender) != &claim.peer) return false;
  std::array<uint8_t, kArpPacket> reply{};
  emitArpReply(reply.data(), request.data(), tables_.vtepMac());
  answer(claim, frame, reply);
  return true;
}

// A link-local address counts as the peer's: kernels look after known neighbours from theirs.
bool ClearInbound::isSolicitationAnswered(const Claim& claim, std::span<const uint8_t> frame) {
  std::span<const uint8_t> payload = frame.subspan(kEthernetHeader);
  size_t whole = ipv6In(payload);
  const uint8_t* packet = payload.data();
  if (!isSolicitation(packet, whole) || !isSolicitationValid(packet, whole)) return false;
  Address target = loadAddress6(packet + kNeighbourTarget);
  if (!tables_.isOwnAddress(Family::ipv6, target)) return false;
  bool isPeers = isLinkLocal(packet + 8) ||
                 tables_.routes().lookup(Family::ipv6, innerSource(packet)) == &claim.peer;
  if (!isPeers) return false;
  std::array<uint8_t, kAdvertisement> advertisement;
  emitAdvertisement(advertisement.data(), packet, tables_.vtepMac());
  answer(claim, frame, advertisement);
  return true;
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
  counters_.add(Counter::datagramOut, 1);
  counters_.add(Counter::datagramOutBytes, datagram.size());
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
  std::memcpy(coalescer_.place(packet.size()), packet.data(), packet.size());
  coalescer_.add(packet.size());
  counters_.add(Counter::innerOut, 1);
  counters_.add(Counter::innerOutBytes, packet.size());
  counters_.add(Counter::plaintextInBytes, packet.size());
  PeerDirection& received = claim.peer.received;
  received.bytes.add(claim.datagram);
  received.packets.add(1);
  received.last.set(claim.now);
  return Drop::none;
}

}  // namespace heddle
