#include "datapath/tables.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/barrier.h"
#include "base/check.h"

namespace heddle {

Activity PeerEntry::activity() const {
  return {.lastSent = lastSent(),
          .lastReceived = lastReceived(),
          .unansweredSend = sent.unanswered.get(),
          .unansweredReceive = received.unanswered.get()};
}

Tables::Tables(Reclaimer& reclaimer, uint32_t lanes)
    : reclaimer_(reclaimer), lanes_(lanes), routes_(reclaimer), sessions_(reclaimer) {
  CHECK(lanes >= 1 && lanes <= kMaxLanes);
}

Tables::~Tables() {
  sessions_.forEach([](Keypair* keypair) { delete keypair; });
  for (std::atomic<Chunk*>& chunk : peers_) {
    Chunk* entries = chunk.load(std::memory_order_relaxed);
    if (entries == nullptr) continue;
    for (std::atomic<PeerEntry*>& slot : *entries) {
      PeerEntry* entry = slot.load(std::memory_order_relaxed);
      if (entry == nullptr) continue;
      delete entry->endpoint.load(std::memory_order_relaxed);
      delete entry;
    }
    delete entries;
  }
  delete mac1Key_.load(std::memory_order_relaxed);
  delete fdb_.load(std::memory_order_relaxed);
  delete ownAddresses_.load(std::memory_order_relaxed);
}

PeerEntry* Tables::peer(uint32_t slot) const {
  if (slot >= kMaxPeers) return nullptr;
  const Chunk* chunk = peers_[slot / kChunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : (*chunk)[slot % kChunk].load(std::memory_order_acquire);
}

Keypair* Tables::usableKeypair(const PeerEntry& peer, uint32_t lane, Instant now) const {
  Keypair* keypair = peer.sending[lane].load(std::memory_order_acquire);
  uint64_t promoted = peer.promoted.load(std::memory_order_acquire);
  if (promoted != 0) [[unlikely]] {
    Keypair* confirmed = confirmedKeypair(peer, static_cast<uint32_t>(promoted), lane);
    if (confirmed != nullptr) keypair = confirmed;
  }
  if (keypair == nullptr || isExpired(*keypair, now)) return nullptr;
  uint64_t counter = keypair->sendCounter.load(std::memory_order_relaxed);
  return counter < keypair->rejectAfterMessages ? keypair : nullptr;
}

// The keypair that a confirmed one stands for in a lane: of its session, and that lane's own. No
// lane sends with another's, whose counter it would use twice.
Keypair* Tables::confirmedKeypair(const PeerEntry& peer, uint32_t index, uint32_t lane) const {
  Keypair* confirmed = sessions_.find(index);
  if (confirmed != nullptr && confirmed->isHeddle && confirmed->lane != lane) {
    confirmed = sessions_.find((index & ~(kMaxLanes - 1)) | lane);
    if (confirmed != nullptr && confirmed->lane != lane) return nullptr;
  }
  return confirmed != nullptr && &confirmed->peer == &peer ? confirmed : nullptr;
}

void Tables::setMac1Key(std::span<const uint8_t, 32> key, std::span<const uint8_t> other) {
  const Mac1Keys* old = mac1Key_.load(std::memory_order_relaxed);
  mac1Key_.store(new Mac1Keys(key, other), std::memory_order_release);
  reclaimer_.retire(old);
}

void Tables::setMtu(uint32_t mtu) { mtu_.store(mtu, std::memory_order_relaxed); }

void Tables::setRouteMtu(uint32_t mtu) { routeMtu_.store(mtu, std::memory_order_relaxed); }

Mac Tables::vtepMac() const {
  uint64_t word = vtepMac_.load(std::memory_order_relaxed);
  Mac mac;
  std::memcpy(mac.data(), &word, mac.size());
  return mac;
}

void Tables::setVtepMac(const Mac& mac) {
  uint64_t word = 0;
  std::memcpy(&word, mac.data(), mac.size());
  vtepMac_.store(word, std::memory_order_relaxed);
}

bool Tables::isOwnAddress(Family family, const Address& address) const {
  const auto* addresses = ownAddresses_.load(std::memory_order_acquire);
  if (addresses == nullptr) return false;
  return std::ranges::find(*addresses, OwnAddress{family, address}) != addresses->end();
}

void Tables::setOwnAddresses(std::vector<OwnAddress> addresses) {
  auto* next = new std::vector<OwnAddress>(std::move(addresses));
  reclaimer_.retire(ownAddresses_.exchange(next, std::memory_order_acq_rel));
}

bool Tables::addPeer(uint32_t slot) {
  if (slot >= kMaxPeers || peer(slot) != nullptr) return false;
  std::atomic<Chunk*>& chunk = peers_[slot / kChunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) {
    chunk.store(new Chunk{}, std::memory_order_release);
  }
  Chunk& entries = *chunk.load(std::memory_order_relaxed);
  entries[slot % kChunk].store(new PeerEntry(slot, nextSerial_++), std::memory_order_release);
  return true;
}

bool Tables::removePeer(uint32_t slot) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  routes_.removePeer(entry);
  routes_.publish();
  std::vector<uint32_t> indices;
  sessions_.forEach([&](const Keypair* keypair) {
    if (&keypair->peer == entry) indices.push_back(keypair->localIndex);
  });
  for (uint32_t index : indices) removeKeypair(index);
  (*peers_[slot / kChunk].load(std::memory_order_relaxed))[slot % kChunk].store(
      nullptr, std::memory_order_release);
  if (std::erase(clearSlots_, slot) > 0) publishFdb();
  // After its prefixes and keypairs, through which readers may still reach it.
  reclaimer_.retire(entry->endpoint.load(std::memory_order_relaxed));
  reclaimer_.retire(entry);
  return true;
}

bool Tables::insertPrefix(std::span<const uint8_t> address, uint32_t length, uint32_t slot) {
  CHECK(address.size() == 4 || address.size() == 16);
  CHECK(length <= 8 * address.size());
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  Family family = address.size() == 4 ? Family::ipv4 : Family::ipv6;
  routes_.insert({family, loadAddress(family, address.data()), static_cast<uint8_t>(length)},
                 entry);
  return true;
}

bool Tables::removePrefix(std::span<const uint8_t> address, uint32_t length) {
  CHECK(address.size() == 4 || address.size() == 16);
  CHECK(length <= 8 * address.size());
  Family family = address.size() == 4 ? Family::ipv4 : Family::ipv6;
  return routes_.remove(
      {family, loadAddress(family, address.data()), static_cast<uint8_t>(length)});
}

void Tables::publishRoutes() { routes_.publish(); }

bool Tables::setEndpoint(uint32_t slot, const Endpoint& endpoint) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  const EndpointRecord* old = entry->endpoint.load(std::memory_order_relaxed);
  auto* record = new EndpointRecord{endpoint, newEndpointVersion()};
  entry->endpoint.store(record, std::memory_order_release);
  reclaimer_.retire(old);
  // After the store, so that a sender finds one or the other.
  reclaimer_.retire(entry->roamedTo.exchange(nullptr, std::memory_order_acq_rel));
  return true;
}

bool Tables::setEncapsulation(uint32_t slot, const Encapsulation& encapsulation) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  auto* next = new Encapsulation(encapsulation);
  const Encapsulation* old = entry->encapsulation.exchange(next, std::memory_order_acq_rel);
  bool wasClear = old != nullptr && old->isClear();
  if (encapsulation.isClear()) setEndpoint(slot, encapsulation.endpoint);
  // An end that was moved moves nobody.
  bool isPlaceSame = wasClear && isSamePlace(*old, encapsulation);
  reclaimer_.retire(old);
  if (isPlaceSame || (!wasClear && !encapsulation.isClear())) return true;
  std::erase(clearSlots_, slot);
  if (encapsulation.isClear()) clearSlots_.push_back(slot);
  publishFdb();
  return true;
}

void Tables::publishFdb() {
  std::vector<Fdb::Entry> entries;
  for (uint32_t slot : clearSlots_) {
    PeerEntry* entry = peer(slot);
    if (entry == nullptr) continue;
    entries.push_back({entry, entry->encapsulation.load(std::memory_order_relaxed)});
  }
  const Fdb* next = entries.empty() ? nullptr : new Fdb(entries);
  reclaimer_.retire(fdb_.exchange(next, std::memory_order_acq_rel));
}

bool Tables::installKeypair(uint32_t slot, const KeypairMaterial& material) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr || sessions_.find(material.localIndex) != nullptr) return false;
  sessions_.insert(new Keypair(*entry, material, isShared()));
  return true;
}

bool Tables::useKeypair(uint32_t slot, uint32_t localIndex) {
  PeerEntry* entry = peer(slot);
  Keypair* keypair = sessions_.find(localIndex);
  if (entry == nullptr || keypair == nullptr || &keypair->peer != entry) return false;
  if (keypair->isHeddle) {
    entry->sending[keypair->lane].store(keypair, std::memory_order_release);
  } else {
    for (auto& lane : entry->sending) lane.store(keypair, std::memory_order_release);
  }
  // The mark of a later keypair stays until its own answer.
  uint64_t mark = entry->promoted.load(std::memory_order_acquire);
  const Keypair* promoted = mark == 0 ? nullptr : sessions_.find(static_cast<uint32_t>(mark));
  if (promoted == nullptr || promoted->createdAt <= keypair->createdAt) {
    entry->promoted.compare_exchange_strong(mark, 0, std::memory_order_acq_rel);
  }
  entry->stagedRaised.store(false, std::memory_order_release);
  return true;
}

bool Tables::removeKeypair(uint32_t localIndex) {
  Keypair* keypair = sessions_.remove(localIndex);
  if (keypair == nullptr) return false;
  for (auto& lane : keypair->peer.sending) {
    if (lane.load(std::memory_order_relaxed) == keypair) {
      lane.store(nullptr, std::memory_order_release);
    }
  }
  // Another keypair may take the index.
  uint64_t promoted = PeerEntry::kPromotedMark | localIndex;
  keypair->peer.promoted.compare_exchange_strong(promoted, 0, std::memory_order_acq_rel);
  reclaimer_.retire(keypair);
  return true;
}

bool Tables::noteHandshake(uint32_t slot, bool sent, uint32_t bytes, Instant now) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  Word& last = sent ? entry->handshakeSentAt : entry->handshakeReceivedAt;
  last.set(std::max(last.get(), now));
  (sent ? entry->handshakeBytesSent : entry->handshakeBytesReceived).add(bytes);
  (sent ? entry->handshakesSent : entry->handshakesReceived).add(1);
  return true;
}

bool Tables::readActivity(uint32_t slot, Activity& activity) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  // Either the walk finds the flag armed, or what it wrote before is read here.
  entry->sendActivityArmed.store(true, std::memory_order_relaxed);
  entry->receiveActivityArmed.store(true, std::memory_order_relaxed);
  fullBarrier();
  activity = entry->activity();
  return true;
}

bool Tables::rearmStaged(uint32_t slot) {
  PeerEntry* entry = peer(slot);
  if (entry == nullptr) return false;
  entry->stagedRaised.store(false, std::memory_order_release);
  return true;
}

Activity Tables::activity(uint32_t slot) const {
  const PeerEntry* entry = peer(slot);
  return entry == nullptr ? Activity{} : entry->activity();
}

PeerTraffic Tables::traffic(uint32_t slot) const {
  const PeerEntry* entry = peer(slot);
  if (entry == nullptr) return {};
  PeerTraffic traffic{.rxBytes = entry->received.bytes.get() + entry->handshakeBytesReceived.get(),
                      .txBytes = entry->sent.bytes.get() + entry->handshakeBytesSent.get(),
                      .rxPackets = entry->received.packets.get() + entry->handshakesReceived.get(),
                      .txPackets = entry->sent.packets.get() + entry->handshakesSent.get()};
  for (const PeerDirection* direction : {&entry->sent, &entry->received}) {
    const PeerDrops* drops = direction->drops.load(std::memory_order_acquire);
    for (size_t i = 0; drops != nullptr && i < kDropCount; i++)
      traffic.drops[i] += (*drops)[i].get();
  }
  return traffic;
}

void PeerDirection::drop(Drop reason, size_t count) {
  PeerDrops* counted = drops.load(std::memory_order_acquire);
  if (counted == nullptr) {
    auto* fresh = new PeerDrops{};
    // Another lane may be first: then `counted` is what it made.
    if (drops.compare_exchange_strong(counted, fresh, std::memory_order_acq_rel)) {
      counted = fresh;
    } else {
      delete fresh;
    }
  }
  (*counted)[static_cast<size_t>(reason)].addShared(count);
}

}  // namespace heddle
