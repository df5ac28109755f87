#include "route/prefix_trie.h"

#include <map>
#include <memory>
#include <tuple>

#include "datapath/tables.h"
#include "test/test.h"

namespace heddle {

namespace {

using Key = std::tuple<uint8_t, uint64_t, uint64_t, uint8_t>;

Key keyOf(const Prefix& prefix) {
  Address masked = maskAddress(prefix.address, prefix.length);
  return {static_cast<uint8_t>(prefix.family), masked.high, masked.low, prefix.length};
}

// What the trie is compared with: every prefix looked at.
struct BruteForce {
  std::map<Key, PeerEntry*> prefixes;

  PeerEntry* lookup(Family family, const Address& address) const {
    PeerEntry* found = nullptr;
    int longest = -1;
    for (const auto& [key, peer] : prefixes) {
      auto [ownFamily, high, low, length] = key;
      if (ownFamily != static_cast<uint8_t>(family) || length <= longest) continue;
      if (maskAddress(address, length) != Address{high, low}) continue;
      longest = length;
      found = peer;
    }
    return found;
  }
};

Address randomAddress(Family family, bool isClustered) {
  Address address{test::random(), test::random()};
  // Few distinct bits make prefixes nest and collide.
  if (isClustered)
    address = {address.high & 0xc0c0'0000'0000'0003, address.low & 0x8000'0000'0000'0001};
  if (family == Family::ipv4) address = {address.high & 0xffff'ffff'0000'0000, 0};
  return address;
}

Prefix randomPrefix() {
  Family family = test::random(2) == 0 ? Family::ipv4 : Family::ipv6;
  auto length = static_cast<uint8_t>(test::random(addressBits(family) + 1u));
  return {family, randomAddress(family, test::random(4) != 0), length};
}

std::vector<std::unique_ptr<PeerEntry>> makePeers(uint32_t count) {
  std::vector<std::unique_ptr<PeerEntry>> peers;
  for (uint32_t i = 0; i < count; i++) peers.push_back(std::make_unique<PeerEntry>(i, i + 1));
  return peers;
}

}  // namespace

TEST("prefix trie: the longest prefix wins, the empty one takes the rest") {
  Reclaimer reclaimer;
  auto peers = makePeers(3);
  PrefixTrie trie(reclaimer);
  Address host{uint64_t{0x0a000001} << 32, 0};
  EXPECT(trie.lookup(Family::ipv4, host) == nullptr);
  trie.insert({Family::ipv4, {0, 0}, 0}, peers[0].get());
  trie.insert({Family::ipv4, host, 24}, peers[1].get());
  EXPECT(trie.lookup(Family::ipv4, host) == nullptr);  // not published
  trie.publish();
  EXPECT(trie.lookup(Family::ipv4, host) == peers[1].get());
  EXPECT(trie.lookup(Family::ipv6, host) == nullptr);
  trie.insert({Family::ipv4, host, 32}, peers[2].get());
  trie.publish();
  EXPECT(trie.lookup(Family::ipv4, host) == peers[2].get());
  EXPECT(trie.lookup(Family::ipv4, {uint64_t{0x0a000002} << 32, 0}) == peers[1].get());
  EXPECT(trie.lookup(Family::ipv4, {uint64_t{0x0b000002} << 32, 0}) == peers[0].get());
  EXPECT(trie.remove({Family::ipv4, host, 24}));
  EXPECT(!trie.remove({Family::ipv4, host, 24}));
  trie.publish();
  EXPECT(trie.lookup(Family::ipv4, {uint64_t{0x0a000002} << 32, 0}) == peers[0].get());
  EXPECT_EQUAL(trie.size(), size_t{2});
  reclaimer.collect();
}

TEST("prefix trie: equals brute force under random inserts, removals and batches") {
  Reclaimer reclaimer;
  auto peers = makePeers(8);
  PrefixTrie trie(reclaimer);
  BruteForce expected;
  std::vector<Prefix> known;
  for (int i = 0; i < 6'000; i++) {
    uint64_t choice = test::random(100);
    if (choice < 60 || known.empty()) {
      Prefix prefix = randomPrefix();
      PeerEntry* peer = peers[test::random(peers.size())].get();
      trie.insert(prefix, peer);
      expected.prefixes[keyOf(prefix)] = peer;
      known.push_back(prefix);
    } else if (choice < 98) {
      Prefix prefix = test::random(3) == 0 ? randomPrefix() : known[test::random(known.size())];
      bool hasIt = expected.prefixes.erase(keyOf(prefix)) != 0;
      EXPECT_EQUAL(trie.remove(prefix), hasIt);
    } else {
      PeerEntry* peer = peers[test::random(peers.size())].get();
      trie.removePeer(peer);
      std::erase_if(expected.prefixes, [peer](const auto& entry) { return entry.second == peer; });
    }
    EXPECT_EQUAL(trie.size(), expected.prefixes.size());
    if (test::random(4) == 0) continue;  // a batch goes on
    trie.publish();
    for (int look = 0; look < 4; look++) {
      Family family = test::random(2) == 0 ? Family::ipv4 : Family::ipv6;
      Address address = randomAddress(family, test::random(4) != 0);
      EXPECT(trie.lookup(family, address) == expected.lookup(family, address));
    }
    if (test::random(50) == 0) reclaimer.collect();
  }
}

TEST("prefix trie: many prefixes are found behind whatever bits they share") {
  // Of all prefixes; around the word's border, and none, as with a default route.
  for (unsigned shared : {0u, 7u, 22u, 49u, 63u, 64u, 65u, 100u, 112u}) {
    Reclaimer reclaimer;
    auto peers = makePeers(8);
    PrefixTrie trie(reclaimer);
    BruteForce expected;
    Address base = maskAddress({test::random(), test::random()}, shared);
    auto below = [&](unsigned length) {
      Address bits = maskAddress({test::random(), test::random()}, length);
      // As many distinct ones as there can be in a few bits behind those that are shared.
      Address kept = maskAddress(bits, std::min(128u, shared + 12));
      Address above = maskAddress(kept, shared);
      return Address{base.high | (kept.high ^ above.high), base.low | (kept.low ^ above.low)};
    };
    auto insert = [&](const Prefix& prefix) {
      PeerEntry* peer = peers[test::random(peers.size())].get();
      trie.insert(prefix, peer);
      expected.prefixes[keyOf(prefix)] = peer;
    };
    // What a default route leaves in the table is its own, but for a few entries.
    if (shared == 0 || shared == 7 || shared == 22) insert({Family::ipv6, {0, 0}, 0});
    for (int i = 0; i < 1'500; i++) {
      auto length = static_cast<uint8_t>(shared + 1 + test::random(std::min(128 - shared, 16u)));
      insert({Family::ipv6, below(length), length});
    }
    EXPECT(trie.size() > 500);
    for (int batch = 0; batch < 60; batch++) {
      trie.publish();
      for (int look = 0; look < 12; look++) {
        bool isFar = test::random(8) == 0;
        Address address = isFar ? Address{test::random(), test::random()} : below(128);
        EXPECT(trie.lookup(Family::ipv6, address) == expected.lookup(Family::ipv6, address));
      }
      auto length = static_cast<uint8_t>(shared + 1 + test::random(std::min(128 - shared, 16u)));
      Prefix prefix{Family::ipv6, below(length), length};
      insert(prefix);
      if (test::random(2) == 0) insert({Family::ipv6, below(128), 128});
      if (test::random(2) == 0) {
        // Mostly a short one, which many entries have.
        auto cut = static_cast<uint8_t>(shared + 1 + test::random(std::min(128 - shared, 6u)));
        Prefix shortest{Family::ipv6, below(cut), cut};
        EXPECT_EQUAL(trie.remove(shortest), expected.prefixes.erase(keyOf(shortest)) != 0);
      }
      if (batch == 40) {
        const PeerEntry* gone = peers[0].get();
        trie.removePeer(gone);
        std::erase_if(expected.prefixes, [gone](const auto& one) { return one.second == gone; });
      }
    }
    EXPECT(trie.lookup(Family::ipv4, base) == nullptr);
    reclaimer.collect();
  }
}

TEST("prefix trie: takes 130,560 prefixes in one batch and gives each back") {
  Reclaimer reclaimer;
  auto peers = makePeers(2);
  PrefixTrie trie(reclaimer);
  const uint32_t count = 130'560;
  for (uint32_t i = 0; i < count; i++) {
    trie.insert({Family::ipv4, {uint64_t{i * 2654435761u} << 32, 0}, 32}, peers[i % 2].get());
  }
  trie.publish();
  EXPECT_EQUAL(trie.size(), size_t{count});
  for (uint32_t i = 0; i < count; i++) {
    EXPECT(trie.lookup(Family::ipv4, {uint64_t{i * 2654435761u} << 32, 0}) == peers[i % 2].get());
  }
  trie.removePeer(peers[0].get());
  trie.publish();
  EXPECT_EQUAL(trie.size(), size_t{count / 2});
  EXPECT_EQUAL(reclaimer.collect(), size_t{0});
}

}  // namespace heddle
