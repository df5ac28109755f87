#include "datapath/clear_inbound.h"

#include <cstring>

#include "datapath/classify.h"
#include "encap/udp.h"
#include "encap/vxlan.h"
#include "wire/arp.h"
#include "wire/neighbour.h"

namespace heddle {

namespace {

bool isSolicitedNode(const Mac& mac) { return mac[0] == 0x33 && mac[1] == 0x33 && mac[2] == 0xff; }

bool isLinkLocal(const uint8_t* address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

bool hasEnded(const PeerEntry& peer, Instant now) {
  const Encapsulation* how = peer.encapsulation.load(std::memory_order_acquire);
  return how == nullptr || now >= how->until;
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
  Drop reason = Drop::clearEnded;
  if (!hasEnded(*peer, now)) {
    reason = isVxlan ? ethernet(*peer, bytes.subspan(kVxlanHeader), bytes.size(), now)
                     : deliver(*peer, bytes, bytes.size(), now);
  }
  if (reason != Drop::none) peer->received.drop(reason, 1);
  return reason;
}

Drop ClearInbound::ethernet(PeerEntry& peer, std::span<uint8_t> frame, size_t datagram,
                            Instant now) {
  Mac to = ethernetDestination(frame.data());
  Mac from = ethernetSource(frame.data());
  PeerEntry* owner = tables_.fdb()->owner(from);
  if (isMulticast(from) || (owner != nullptr && owner != &peer)) return Drop::clearMac;
  bool isOurs = to == tables_.vtepMac();
  uint16_t type = etherType(frame.data());
  std::span<uint8_t> payload = frame.subspan(kEthernetHeader);
  if (type == kEtherTypeArp && (isOurs || isBroadcast(to))) return arp(peer, frame);
  if (type == kEtherTypeIpv6 && (isOurs || isSolicitedNode(to))) {
    size_t whole = innerLength(payload.data(), payload.size());
    if (whole != 0 && innerFamily(payload.data()) == Family::ipv6 &&
        isNeighbourSolicitation(payload.data(), whole)) {
      return solicitation(peer, frame, whole);
    }
  }
  if (!isOurs) return Drop::clearMac;
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return Drop::clearEthertype;
  bool isIpv4 = (payload[0] >> 4) == 4;
  if (isIpv4 != (type == kEtherTypeIpv4)) return Drop::openedMalformed;
  return deliver(peer, payload, datagram, now);
}

// A question for our own address, from one of the peer's.
Drop ClearInbound::arp(PeerEntry& peer, std::span<const uint8_t> frame) {
  std::span<const uint8_t> request = frame.subspan(kEthernetHeader);
  if (request.size() < kArpPacket || !isArpRequest(request.data())) return Drop::clearEthertype;
  Address target = loadAddress4(request.data() + kArpTargetAddress);
  Address sender = loadAddress4(request.data() + kArpSenderAddress);
  if (!tables_.isOwnAddress(Family::ipv4, target)) return Drop::clearEthertype;
  if (tables_.routes().lookup(Family::ipv4, sender) != &peer) return Drop::openedSource;
  std::array<uint8_t, kArpPacket> reply{};
  emitArpReply(reply.data(), request.data(), tables_.vtepMac());
  answer(peer, ethernetSource(frame.data()), kEtherTypeArp, reply);
  return Drop::none;
}

// Likewise; a neighbour may ask from its link-local address, too. Asking from none is a search for
// duplicates, which ours are not.
Drop ClearInbound::solicitation(PeerEntry& peer, std::span<const uint8_t> frame, size_t whole) {
  const uint8_t* packet = frame.data() + kEthernetHeader;
  if (whole < kNeighbourLeast) return Drop::openedMalformed;
  if (!tables_.isOwnAddress(Family::ipv6, loadAddress6(packet + kNeighbourTarget))) {
    return Drop::clearEthertype;
  }
  bool isPeers = tables_.routes().lookup(Family::ipv6, loadAddress6(packet + 8)) == &peer;
  if (!isPeers && !isLinkLocal(packet + 8)) return Drop::openedSource;
  std::array<uint8_t, kAdvertisement> advertisement;
  emitAdvertisement(advertisement.data(), packet, tables_.vtepMac());
  answer(peer, ethernetSource(frame.data()), kEtherTypeIpv6, advertisement);
  return Drop::none;
}

void ClearInbound::answer(PeerEntry& peer, const Mac& to, uint16_t etherType,
                          std::span<const uint8_t> payload) {
  const Encapsulation* how = peer.encapsulation.load(std::memory_order_acquire);
  if (how == nullptr) return;
  std::array<uint8_t, kFrameOverhead + kAdvertisement> datagram;
  emitVxlan(datagram.data(), how->vni);
  emitEthernet(datagram.data() + kVxlanHeader, to, tables_.vtepMac(), etherType);
  std::memcpy(datagram.data() + kFrameOverhead, payload.data(), payload.size());
  counters_.add(Counter::neighbourAnswers, 1);
  // By the clear port itself: the source ports of flows are the sending thread's.
  answerer_.answer(how->endpoint, std::span(datagram).first(kFrameOverhead + payload.size()),
                   Via{.kind = PortKind::udp});
}

Drop ClearInbound::deliver(PeerEntry& peer, std::span<uint8_t> packet, size_t datagram,
                           Instant now) {
  size_t whole = innerLength(packet.data(), packet.size());
  if (whole == 0) return Drop::openedMalformed;
  if (tables_.routes().lookup(innerFamily(packet.data()), innerSource(packet.data())) != &peer) {
    return Drop::openedSource;
  }
  const Encapsulation* how = peer.encapsulation.load(std::memory_order_acquire);
  bool isUdp = how != nullptr && how->kind == EncapsulationKind::udp;
  if (isUdp && !takeHop(packet.data())) return Drop::ttl;
  std::memcpy(coalescer_.place(whole), packet.data(), whole);
  coalescer_.add(whole);
  counters_.add(Counter::innerOut, 1);
  counters_.add(Counter::innerOutBytes, whole);
  counters_.add(Counter::plaintextInBytes, whole);
  peer.received.bytes.add(datagram);
  peer.received.packets.add(1);
  peer.received.last.set(now);
  return Drop::none;
}

}  // namespace heddle
