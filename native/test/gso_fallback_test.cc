#include "io/gso_fallback.h"

#include <set>

#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::endpointAt;

constexpr Instant kStart = seconds(1000);

Endpoint numbered(uint32_t number) {
  Endpoint endpoint;
  endpoint.family = 6;
  endpoint.address[0] = 0xfd;
  std::memcpy(endpoint.address.data() + 12, &number, sizeof number);
  return endpoint;
}

struct Off {
  std::vector<uint64_t> destinations;
  Instant since = ~Instant{0};

  Off(const GsoFallback& fallback, Instant now) { fallback.listOff(now, destinations, since); }
};

}  // namespace

TEST("gso fallback: an address is off for 60 s, whatever its port, and no other is") {
  GsoFallback fallback;
  EXPECT(!fallback.isOff(endpointAt(1), kStart));
  fallback.turnOff(endpointAt(1), kStart);
  EXPECT(fallback.isOff(endpointAt(1), kStart));
  EXPECT(fallback.isOff(endpointAt(1, 7), kStart + seconds(59)));
  EXPECT(!fallback.isOff(endpointAt(1), kStart + seconds(60)));
  EXPECT(!fallback.isOff(endpointAt(2), kStart));
  Endpoint mapped = endpointAt(1);
  mapped.family = 6;
  EXPECT(!fallback.isOff(mapped, kStart));
}

TEST("gso fallback: one that is turned off again stays so for another 60 s, at one place") {
  GsoFallback fallback;
  fallback.turnOff(endpointAt(1), kStart);
  fallback.turnOff(endpointAt(2), kStart);
  fallback.turnOff(endpointAt(1), kStart + seconds(30));
  EXPECT(fallback.isOff(endpointAt(1), kStart + seconds(89)));
  EXPECT_EQUAL(Off(fallback, kStart + seconds(59)).destinations.size(), size_t{2});
  EXPECT_EQUAL(Off(fallback, kStart + seconds(60)).destinations.size(), size_t{1});
}

TEST("gso fallback: what is off is listed, each once, and since when") {
  GsoFallback fallback;
  for (uint32_t i = 0; i < 10; i++) fallback.turnOff(numbered(i), kStart + seconds(i));
  Off off(fallback, kStart + seconds(10));
  std::set<uint64_t> distinct(off.destinations.begin(), off.destinations.end());
  EXPECT_EQUAL(distinct.size(), size_t{10});
  EXPECT_EQUAL(off.since, kStart);
  EXPECT_EQUAL(Off(fallback, kStart + seconds(65)).since, kStart + seconds(6));
  EXPECT(Off(fallback, kStart + seconds(70)).destinations.empty());
}

TEST("gso fallback: of more than it holds the latest stay, and the number is bounded") {
  GsoFallback fallback;
  constexpr uint32_t many = 10'000;
  for (uint32_t i = 0; i < many; i++) {
    fallback.turnOff(numbered(i), kStart + i);
    EXPECT(fallback.isOff(numbered(i), kStart + i));
  }
  size_t held = Off(fallback, kStart + many).destinations.size();
  EXPECT_EQUAL(held, GsoFallback::kCapacity);
  size_t late = 0;
  for (uint32_t i = many - 512; i < many; i++) {
    late += fallback.isOff(numbered(i), kStart + many) ? 1 : 0;
  }
  EXPECT(late >= GsoFallback::kCapacity * 9 / 10);
}

}  // namespace heddle
