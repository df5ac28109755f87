// Which clear peer a datagram may come from: by the port it arrived on, its outer source address
// and its VNI; and whose VTEP an Ethernet address is. The twin of src/route/fdb.ts.
//
// A table is immutable; JavaScript's thread makes a new one for each change, which are few.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "encap/encapsulation.h"

namespace heddle {

struct PeerEntry;

class Fdb {
 public:
  struct Entry {
    PeerEntry* peer = nullptr;
    const Encapsulation* encapsulation = nullptr;
  };

  // Where two stand at one place, the later has it.
  explicit Fdb(const std::vector<Entry>& entries);

  // Null: nobody's.
  PeerEntry* find(const Arrival& arrival, const Endpoint& source, uint32_t vni) const;
  // Whether the Ethernet address is another peer's and not that of `own`'s.
  bool isOfAnother(const Encapsulation& own, const Mac& mac) const;

 private:
  struct Key {
    PortKind kind;
    uint8_t family;
    uint16_t port;
    uint32_t vni;
    std::array<uint8_t, 16> address;

    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const;
    size_t operator()(const Mac& mac) const;
  };

  std::unordered_map<Key, PeerEntry*, Hash> peers_;
  std::unordered_set<Mac, Hash> macs_;
};

}  // namespace heddle
