#include "route/prefix_trie.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace heddle {

namespace {

// Below the first a table is no faster than its levels; above the second it would be longer than
// what the caches hold.
constexpr size_t kTableSize = 256;
constexpr unsigned kMostTableBits = 16;

}  // namespace

PrefixTrie::~PrefixTrie() {
  publish();
  for (std::atomic<const View*>& view : view_) delete view.load(std::memory_order_relaxed);
  for (Node* root : draft_) destroy(root);
}

PeerEntry* PrefixTrie::lookup(Family family, const Address& address) const {
  const View* view = view_[side(family)].load(std::memory_order_acquire);
  if (view == nullptr) return nullptr;
  const Node* node = view->root;
  PeerEntry* found = nullptr;
  if (view->bits != 0) {
    if (sharedBits(node->address, address) < node->length) return nullptr;
    const Entry& entry = view->table[indexOf(*view, address)];
    node = entry.next;
    found = entry.found;
  }
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
  sizes_[side(prefix.family)]--;
  return true;
}

void PrefixTrie::removePeer(const PeerEntry* peer) {
  for (size_t i = 0; i < 2; i++) draft_[i] = removePeerAt(draft_[i], peer, sizes_[i]);
}

void PrefixTrie::publish() {
  for (size_t i = 0; i < 2; i++) {
    const View* old = view_[i].load(std::memory_order_relaxed);
    if ((old == nullptr ? nullptr : old->root) == draft_[i]) continue;
    view_[i].store(makeView(draft_[i], sizes_[i], old), std::memory_order_release);
    reclaimer_.retire(old);
  }
  for (Node* node : discarded_) reclaimer_.retire(node);
  discarded_.clear();
  stamp_++;
  // After the views: what is found under a version is never older than it.
  version_.store(stamp_, std::memory_order_release);
}

const PrefixTrie::View* PrefixTrie::makeView(const Node* root, size_t size, const View* last) {
  if (root == nullptr) return nullptr;
  auto* view = new View{.root = root, .bits = 0, .table = nullptr};
  if (size < kTableSize) return view;
  // About as many entries as prefixes. A root is shorter than what forks below it, so at least one
  // bit is left.
  unsigned bits = std::min(static_cast<unsigned>(std::bit_width(size)) - 1, kMostTableBits);
  view->bits = std::min(bits, 128u - root->length);
  size_t count = size_t{1} << view->bits;
  view->table = std::make_unique<Entry[]>(count);
  bool isLike = last != nullptr && last->bits == view->bits && isSamePlace(*last->root, *root);
  fill(*view, {.node = root,
               .found = nullptr,
               .first = 0,
               .count = count,
               .last = isLike ? last : nullptr,
               .lastNode = isLike ? last->root : nullptr,
               .lastFound = nullptr});
  return view;
}

// As deep as the table has bits. What readers know is never changed, so below a node that stood
// here before there is nothing new.
void PrefixTrie::fill(const View& view, const Range& range) {
  Entry* entries = view.table.get() + range.first;
  const Node* node = range.node;
  if (range.last != nullptr && node == range.lastNode && range.found == range.lastFound) {
    std::copy_n(range.last->table.get() + range.first, range.count, entries);
    return;
  }
  unsigned end = view.root->length + view.bits;
  bool isEnd = node == nullptr || node->length >= end;
  size_t half = isEnd ? 0 : size_t{1} << (end - node->length - 1);
  if (2 * half < range.count) std::fill_n(entries, range.count, Entry{nullptr, range.found});
  if (node == nullptr) return;
  size_t own = indexOf(view, node->address);
  if (isEnd) {
    view.table[own] = {node, range.found};
    return;
  }
  bool isLike =
      range.last != nullptr && range.lastNode != nullptr && isSamePlace(*range.lastNode, *node);
  Range below{.node = nullptr,
              .found = node->peer != nullptr ? node->peer : range.found,
              .first = 0,
              .count = half,
              .last = isLike ? range.last : nullptr,
              .lastNode = nullptr,
              .lastFound = nullptr};
  if (isLike) {
    PeerEntry* lastOwn = range.lastNode->peer;
    below.lastFound = lastOwn != nullptr ? lastOwn : range.lastFound;
  }
  for (size_t i : {0u, 1u}) {
    below.node = node->child[i];
    below.first = own + i * half;
    if (isLike) below.lastNode = range.lastNode->child[i];
    fill(view, below);
  }
}

// The bits of an address that the root covers; 1 to 16 of them, behind at most 127.
size_t PrefixTrie::indexOf(const View& view, const Address& address) {
  unsigned at = view.root->length;
  uint64_t word = at >= 64 ? address.low << (at - 64) : address.high << at;
  if (at > 0 && at < 64) word |= address.low >> (64 - at);
  return word >> (64 - view.bits);
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
    sizes_[side(prefix.family)]++;
    return make(prefix.address, prefix.length, peer);
  }
  unsigned shared = std::min(
      {sharedBits(node->address, prefix.address), unsigned{node->length}, unsigned{prefix.length}});
  if (shared == node->length && shared == prefix.length) {
    if (node->peer == peer) return node;
    if (node->peer == nullptr) sizes_[side(prefix.family)]++;
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
  sizes_[side(prefix.family)]++;
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

PrefixTrie::Node* PrefixTrie::removePeerAt(Node* node, const PeerEntry* peer, size_t& size) {
  if (node == nullptr) return nullptr;
  Node* left = removePeerAt(node->child[0], peer, size);
  Node* right = removePeerAt(node->child[1], peer, size);
  bool isOwner = node->peer == peer;
  if (left == node->child[0] && right == node->child[1] && !isOwner) return node;
  node = own(node);
  node->child[0] = left;
  node->child[1] = right;
  if (isOwner) {
    node->peer = nullptr;
    size--;
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
