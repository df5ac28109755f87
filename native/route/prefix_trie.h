// Longest-prefix match over the inner prefixes of all peers: one path-compressed binary trie a
// family (as the kernel's WireGuard has it), persistent, so that readers walk an immutable snapshot
// while JavaScript's thread writes the next one.
//
// A node carries the stamp of the batch that made it. Within a batch, nodes of this batch are
// unknown to readers and are changed in place; older ones are copied and retired. publish() makes
// the batch visible with one store. So a bulk load of n prefixes makes n nodes and few copies, and
// a single change copies one path.
//
// Where prefixes are many, readers enter by a table of the first bits in which they differ: it
// stands for the levels at the top, each of which would be a miss of the caches once the addresses
// are many. publish() makes the next table, and copies from the last one what did not change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/reclaim.h"

namespace heddle {

struct PeerEntry;

class PrefixTrie {
 public:
  explicit PrefixTrie(Reclaimer& reclaimer) : reclaimer_(reclaimer) {}
  PrefixTrie(const PrefixTrie&) = delete;
  PrefixTrie& operator=(const PrefixTrie&) = delete;
  // No reader may be left.
  ~PrefixTrie();

  // The peer with the longest prefix around the address, or null. Any thread.
  PeerEntry* lookup(Family family, const Address& address) const;
  // Whatever was looked up stays true while this is the same; 1 or more. Any thread.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Gives the prefix to the peer, taking it from whoever had it. Visible after publish(). Writer's
  // thread, like all below.
  void insert(const Prefix& prefix, PeerEntry* peer);
  // False when nobody had it.
  bool remove(const Prefix& prefix);
  // Takes every prefix from the peer; its cost is that of all prefixes.
  void removePeer(const PeerEntry* peer);
  void publish();

  size_t size() const { return sizes_[0] + sizes_[1]; }

 private:
  struct Node {
    Address address;  // the bits behind `length` are zero
    Node* child[2] = {nullptr, nullptr};
    PeerEntry* peer = nullptr;  // null: only a fork
    uint64_t stamp = 0;
    uint8_t length = 0;
  };

  // What readers see of a family: every address that the root covers has an entry by the `bits`
  // bits behind the root's. Immutable.
  struct Entry {
    const Node* next;  // where the walk goes on, at or below these bits; null: nowhere
    PeerEntry* found;  // of the longest prefix above `next`
  };
  struct View {
    const Node* root;
    unsigned bits;  // 0: there is no table
    std::unique_ptr<Entry[]> table;
  };

  // Entries of a table being made, `count` of them from `first` on: those of what is below `node`.
  struct Range {
    const Node* node;
    PeerEntry* found;  // of the longest prefix above `node`
    size_t first;
    size_t count;
    // The last table, and what stood here when it was made; null: it has nothing to copy.
    const View* last;
    const Node* lastNode;
    PeerEntry* lastFound;
  };

  static size_t side(Family family) { return family == Family::ipv4 ? 0 : 1; }
  static bool isSamePlace(const Node& a, const Node& b) {
    return a.length == b.length && a.address == b.address;
  }
  static const View* makeView(const Node* root, size_t size, const View* last);
  static void fill(const View& view, const Range& range);
  static size_t indexOf(const View& view, const Address& address);
  Node* make(const Address& address, uint8_t length, PeerEntry* peer);
  Node* own(Node* node);
  void discard(Node* node);
  Node* insertAt(Node* node, const Prefix& prefix, PeerEntry* peer);
  Node* removeAt(Node* node, const Prefix& prefix);
  Node* removePeerAt(Node* node, const PeerEntry* peer, size_t& size);
  Node* shrink(Node* node);
  static void destroy(Node* node);

  Node*& draft(Family family) { return draft_[side(family)]; }

  Reclaimer& reclaimer_;
  std::atomic<const View*> view_[2] = {nullptr, nullptr};  // what readers see; null: no prefix
  std::atomic<uint64_t> version_{1};                       // the stamp of the next batch
  Node* draft_[2] = {nullptr, nullptr};                    // what publish() will show
  size_t sizes_[2] = {0, 0};
  uint64_t stamp_ = 1;
  std::vector<Node*> discarded_;  // known to readers until publish()
};

}  // namespace heddle
