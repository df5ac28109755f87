#include "io/gso_fallback.h"

#include <algorithm>

#include "base/endian.h"

namespace heddle {

namespace {

// The finalizer of MurmurHash3, which spreads every bit over all others.
uint64_t mix(uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccd;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

uint64_t keyOf(const Endpoint& to) {
  const uint8_t* address = to.address.data();
  return mix(loadLe64(address) ^ mix(loadLe64(address + 8) + to.family));
}

}  // namespace

bool GsoFallback::isListed(const Endpoint& to, Instant now) const {
  uint64_t key = keyOf(to);
  size_t first = key % (kCapacity / kWays) * kWays;
  for (size_t i = first; i < first + kWays; i++) {
    if (entries_[i].key.get() == key && entries_[i].until.get() > now) return true;
  }
  return false;
}

void GsoFallback::turnOff(const Endpoint& to, Instant now) {
  uint64_t key = keyOf(to);
  Entry* first = &entries_[key % (kCapacity / kWays) * kWays];
  Entry* chosen = first;
  for (Entry* entry = first; entry < first + kWays; entry++) {
    if (entry->key.get() == key) {
      chosen = entry;
      break;
    }
    if (entry->until.get() < chosen->until.get()) chosen = entry;
  }
  latest_ = now + kOffloadRetry;
  chosen->key.set(key);
  chosen->until.set(latest_);
}

void GsoFallback::listOff(Instant now, std::vector<uint64_t>& destinations, Instant& since) const {
  for (const Entry& entry : entries_) {
    Instant until = entry.until.get();
    if (until <= now) continue;
    destinations.push_back(entry.key.get());
    since = std::min(since, until - kOffloadRetry);
  }
}

}  // namespace heddle
