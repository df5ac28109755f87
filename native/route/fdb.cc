#include "route/fdb.h"

#include <cstring>
#include <string_view>

namespace heddle {

namespace {

size_t hashBytes(const void* bytes, size_t length) {
  return std::hash<std::string_view>{}({static_cast<const char*>(bytes), length});
}

}  // namespace

Fdb::Fdb(const std::vector<Entry>& entries) {
  for (const auto& [peer, encapsulation] : entries) {
    const Endpoint& at = encapsulation->endpoint;
    Key key{.kind = encapsulation->port(),
            .family = at.family,
            .port = at.port,
            .vni = encapsulation->vni,
            .address = at.address};
    peers_[key] = peer;
    if (encapsulation->kind == EncapsulationKind::vxlan) macs_.insert(encapsulation->mac);
  }
}

PeerEntry* Fdb::find(const Arrival& arrival, const Endpoint& source, uint32_t vni) const {
  Key key{.kind = arrival.kind,
          .family = source.family,
          .port = arrival.port,
          .vni = vni,
          .address = source.address};
  auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : found->second;
}

bool Fdb::isOfAnother(const Encapsulation& own, const Mac& mac) const {
  return own.mac != mac && macs_.contains(mac);
}

size_t Fdb::Hash::operator()(const Key& key) const {
  uint64_t words[2];
  std::memcpy(words, key.address.data(), sizeof words);
  uint64_t rest = (uint64_t{key.vni} << 32) | (uint64_t{key.port} << 16) |
                  (uint64_t{static_cast<uint8_t>(key.kind)} << 8) | key.family;
  uint64_t all[3] = {words[0], words[1], rest};
  return hashBytes(all, sizeof all);
}

size_t Fdb::Hash::operator()(const Mac& mac) const { return hashBytes(mac.data(), mac.size()); }

}  // namespace heddle
