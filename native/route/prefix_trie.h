// Longest-prefix match over the inner prefixes of all peers: one path-compressed binary trie a
// family (as the kernel's WireGuard has it), persistent, so that readers walk an immutable snapshot
// while JavaScript's thread writes the next one.
//
// A node carries the stamp of the batch that made it. Within a batch, nodes of this batch are
// unknown to readers and are changed in place; older ones are copied and retired. publish() makes
// the batch visible with one store. So a bulk load of n prefixes makes n nodes and few copies, and
// a single change copies one path.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

  // Gives the prefix to the peer, taking it from whoever had it. Visible after publish(). Writer's
  // thread, like all below.
  void insert(const Prefix& prefix, PeerEntry* peer);
  // False when nobody had it.
  bool remove(const Prefix& prefix);
  // Takes every prefix from the peer; its cost is that of all prefixes.
  void removePeer(const PeerEntry* peer);
  void publish();

  size_t size() const { return size_; }

 private:
  struct Node {
    Address address;  // the bits behind `length` are zero
    Node* child[2] = {nullptr, nullptr};
    PeerEntry* peer = nullptr;  // null: only a fork
    uint64_t stamp = 0;
    uint8_t length = 0;
  };

  Node* make(const Address& address, uint8_t length, PeerEntry* peer);
  Node* own(Node* node);
  void discard(Node* node);
  Node* insertAt(Node* node, const Prefix& prefix, PeerEntry* peer);
  Node* removeAt(Node* node, const Prefix& prefix);
  Node* removePeerAt(Node* node, const PeerEntry* peer);
  Node* shrink(Node* node);
  static void destroy(Node* node);

  Node*& draft(Family family) { return draft_[family == Family::ipv4 ? 0 : 1]; }

  Reclaimer& reclaimer_;
  std::atomic<const Node*> root_[2] = {nullptr, nullptr};  // what readers see
  Node* draft_[2] = {nullptr, nullptr};                    // what publish() will show
  uint64_t stamp_ = 1;
  std::vector<Node*> discarded_;  // known to readers until publish()
  size_t size_ = 0;
};

}  // namespace heddle
