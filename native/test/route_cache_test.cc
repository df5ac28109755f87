#include "route/route_cache.h"

#include <map>
#include <memory>

#include "datapath/tables.h"
#include "test/test.h"

namespace heddle {

TEST("route cache: says what the trie says, through inserts, removals and batches") {
  Reclaimer reclaimer;
  PrefixTrie trie(reclaimer);
  RouteCache cache;
  std::vector<std::unique_ptr<PeerEntry>> peers;
  for (uint32_t i = 0; i < 4; i++) peers.push_back(std::make_unique<PeerEntry>(i, i + 1));
  for (int i = 0; i < 100'000; i++) {
    // Few addresses, so that they are cached; the same words in both families.
    Address address{test::random(64) << 58, 0};
    Family family = test::random(2) == 0 ? Family::ipv4 : Family::ipv6;
    uint64_t choice = test::random(100);
    if (choice < 5) {
      Prefix prefix{family, address, static_cast<uint8_t>(test::random(8))};
      trie.insert(prefix, peers[test::random(peers.size())].get());
    } else if (choice < 8) {
      trie.remove({family, address, static_cast<uint8_t>(test::random(8))});
    } else if (choice < 12) {
      trie.publish();
    } else {
      EXPECT(cache.lookup(trie, family, address) == trie.lookup(family, address));
    }
  }
  trie.publish();
  reclaimer.collect();
}

TEST("route cache: an address without a prefix is found when it gets one, and gone without it") {
  Reclaimer reclaimer;
  PrefixTrie trie(reclaimer);
  RouteCache cache;
  PeerEntry peer(0, 1);
  Address address{0, 0};  // as an empty entry has it
  EXPECT(cache.lookup(trie, Family::ipv4, address) == nullptr);
  trie.insert({Family::ipv4, address, 0}, &peer);
  EXPECT(cache.lookup(trie, Family::ipv4, address) == nullptr);  // not published
  trie.publish();
  EXPECT(cache.lookup(trie, Family::ipv4, address) == &peer);
  EXPECT(cache.lookup(trie, Family::ipv6, address) == nullptr);
  trie.removePeer(&peer);
  trie.publish();
  EXPECT(cache.lookup(trie, Family::ipv4, address) == nullptr);
  reclaimer.collect();
}

}  // namespace heddle
