#include "route/prefix_trie.h"

#include <algorithm>

#include "base/check.h"

namespace heddle {

PrefixTrie::~PrefixTrie() {
  publish();
  for (Node* root : draft_) destroy(root);
}

PeerEntry* PrefixTrie::lookup(Family family, const Address& address) const {
  const Node* node = root_[family == Family::ipv4 ? 0 : 1].load(std::memory_order_acquire);
  PeerEntry* found = nullptr;
  while (node != nullptr && sharedBits(node->address, address) >= node->length) {
    if (node->peer != nullptr) found = node->peer;
    if (node->length >= 128) break;
    node = node->child[addressBit(address, node->length)];
  }
  return found;
}

void PrefixTrie::insert(const Prefix& prefix, PeerEntry* peer) {
  CHECK(peer != nullptr && prefix.length <= addressBits(prefix.family));
  Prefix masked = prefix;
  masked.address = maskAddress(prefix.address, prefix.length);
  Node*& root = draft(prefix.family);
  root = insertAt(root, masked, peer);
}

bool PrefixTrie::remove(const Prefix& prefix) {
  Prefix masked = prefix;
  masked.address = maskAddress(prefix.address, prefix.length);
  // Looked for first, because removing copies the path.
  const Node* node = draft(prefix.family);
  while (node != nullptr && node->length < prefix.length &&
         sharedBits(node->address, masked.address) >= node->length) {
    node = node->child[addressBit(masked.address, node->length)];
  }
  if (node == nullptr || node->peer == nullptr || node->length != prefix.length) return false;
  if (node->address != masked.address) return false;
  Node*& root = draft(prefix.family);
  root = removeAt(root, masked);
  size_--;
  return true;
}

void PrefixTrie::removePeer(const PeerEntry* peer) {
  for (Node*& root : draft_) root = removePeerAt(root, peer);
}

void PrefixTrie::publish() {
  for (size_t i = 0; i < 2; i++) {
    if (root_[i].load(std::memory_order_relaxed) == draft_[i]) continue;
    root_[i].store(draft_[i], std::memory_order_release);
  }
  for (Node* node : discarded_) reclaimer_.retire(node);
  discarded_.clear();
  stamp_++;
}

PrefixTrie::Node* PrefixTrie::make(const Address& address, uint8_t length, PeerEntry* peer) {
  return new Node{.address = address, .peer = peer, .stamp = stamp_, .length = length};
}

// The node itself when no reader knows it, else a copy that no reader knows.
PrefixTrie::Node* PrefixTrie::own(Node* node) {
  if (node->stamp == stamp_) return node;
  Node* copy = new Node(*node);
  copy->stamp = stamp_;
  discard(node);
  return copy;
}

void PrefixTrie::discard(Node* node) {
  if (node->stamp == stamp_) {
    delete node;
  } else {
    discarded_.push_back(node);
  }
}

// The subtree with the prefix in it. Recursion is as deep as the trie: at most 129.
PrefixTrie::Node* PrefixTrie::insertAt(Node* node, const Prefix& prefix, PeerEntry* peer) {
  if (node == nullptr) {
    size_++;
    return make(prefix.address, prefix.length, peer);
  }
  unsigned shared = std::min(
      {sharedBits(node->address, prefix.address), unsigned{node->length}, unsigned{prefix.length}});
  if (shared == node->length && shared == prefix.length) {
    if (node->peer == peer) return node;
    if (node->peer == nullptr) size_++;
    node = own(node);
    node->peer = peer;
    return node;
  }
  if (shared == node->length) {
    unsigned side = addressBit(prefix.address, shared);
    Node* child = insertAt(node->child[side], prefix, peer);
    if (child == node->child[side]) return node;
    node = own(node);
    node->child[side] = child;
    return node;
  }
  size_++;
  Node* fresh = make(prefix.address, prefix.length, peer);
  if (shared == prefix.length) {
    fresh->child[addressBit(node->address, shared)] = node;
    return fresh;
  }
  Node* fork = make(maskAddress(prefix.address, shared), static_cast<uint8_t>(shared), nullptr);
  unsigned side = addressBit(prefix.address, shared);
  fork->child[side] = fresh;
  fork->child[1 - side] = node;
  return fork;
}

// The subtree without the prefix, which is in it.
PrefixTrie::Node* PrefixTrie::removeAt(Node* node, const Prefix& prefix) {
  if (node->length == prefix.length) {
    node = own(node);
    node->peer = nullptr;
    return shrink(node);
  }
  unsigned side = addressBit(prefix.address, node->length);
  Node* child = removeAt(node->child[side], prefix);
  node = own(node);
  node->child[side] = child;
  return shrink(node);
}

PrefixTrie::Node* PrefixTrie::removePeerAt(Node* node, const PeerEntry* peer) {
  if (node == nullptr) return nullptr;
  Node* left = removePeerAt(node->child[0], peer);
  Node* right = removePeerAt(node->child[1], peer);
  bool isOwner = node->peer == peer;
  if (left == node->child[0] && right == node->child[1] && !isOwner) return node;
  node = own(node);
  node->child[0] = left;
  node->child[1] = right;
  if (isOwner) {
    node->peer = nullptr;
    size_--;
  }
  return shrink(node);
}

// Drops a node that neither holds a prefix nor forks.
PrefixTrie::Node* PrefixTrie::shrink(Node* node) {
  if (node->peer != nullptr || (node->child[0] != nullptr && node->child[1] != nullptr))
    return node;
  Node* only = node->child[0] != nullptr ? node->child[0] : node->child[1];
  discard(node);
  return only;
}

void PrefixTrie::destroy(Node* node) {
  if (node == nullptr) return;
  destroy(node->child[0]);
  destroy(node->child[1]);
  delete node;
}

}  // namespace heddle
