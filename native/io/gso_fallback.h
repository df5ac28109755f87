// Destinations that UDP GSO did not work for lately: to them datagrams go one by one for a while.
// A device without checksum offload, an xfrm policy or a path of a small MTU spoils it for those
// behind it alone.
//
// A set-associative table of fixed size: where the places of an address are taken, the oldest of
// them is forgotten, and its destination tries GSO again. One thread writes; any may count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "datapath/counters.h"
#include "path/endpoint_table.h"

namespace heddle {

inline constexpr Duration kOffloadRetry = seconds(60);

class GsoFallback {
 public:
  static constexpr size_t kCapacity = 256;

  // Whether datagrams to the endpoint's address go one by one at `now`.
  bool isOff(const Endpoint& to, Instant now) const { return now < latest_ && isListed(to, now); }
  void turnOff(const Endpoint& to, Instant now);

  // Adds what is off at `now`, each under a number that stands for its address, and lowers `since`
  // to when the first was turned off. Any thread.
  void listOff(Instant now, std::vector<uint64_t>& destinations, Instant& since) const;

 private:
  static constexpr size_t kWays = 8;

  // The key stands for the address: should two ever share one, they share their fate.
  struct Entry {
    Word key;
    Word until;  // 0: free
  };

  bool isListed(const Endpoint& to, Instant now) const;

  std::array<Entry, kCapacity> entries_;
  Instant latest_ = 0;  // no entry is off from then on
};

}  // namespace heddle
