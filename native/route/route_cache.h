// What a walking thread last found in the trie, by address: a packet to an address that packets
// went to before costs one comparison instead of a walk down the tree, however many prefixes there
// are.
//
// An entry is good for the version of the trie that it was found in. A peer is retired after the
// version without it was published, and a thread that has been quiescent since sees that version;
// so an entry that is found good leads to a peer that is not freed yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "route/prefix_trie.h"

namespace heddle {

// One thread's, and of one trie.
class RouteCache {
 public:
  // As PrefixTrie::lookup.
  PeerEntry* lookup(const PrefixTrie& trie, Family family, const Address& address) {
    // Versions begin at 1, so no empty entry matches.
    uint64_t tag = (trie.version() << 1) | (family == Family::ipv6 ? 1u : 0u);
    Entry& entry = entries_[place(address)];
    if (entry.tag != tag || entry.address != address) [[unlikely]] {
      entry = {tag, address, trie.lookup(family, address)};
    }
    return entry.peer;
  }

 private:
  static constexpr unsigned kBits = 8;

  struct Entry {
    uint64_t tag = 0;
    Address address;
    PeerEntry* peer = nullptr;
  };

  // 2^64 over the golden ratio, and another odd number for the half that IPv4 leaves empty.
  static size_t place(const Address& address) {
    return (address.high * 0x9e3779b97f4a7c15 + address.low * 0xc2b2ae3d27d4eb4f) >> (64 - kBits);
  }

  std::array<Entry, size_t{1} << kBits> entries_{};
};

}  // namespace heddle
