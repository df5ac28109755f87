#include "session/session_table.h"

#include <map>
#include <memory>

#include "datapath/tables.h"
#include "test/test.h"

namespace heddle {

TEST("session table: finds what was inserted, and nothing else, through growth and removal") {
  Reclaimer reclaimer;
  SessionTable table(reclaimer);
  PeerEntry peer(0, 1);
  std::map<uint32_t, std::unique_ptr<Keypair>> expected;
  for (int i = 0; i < 20'000; i++) {
    // Few values, so that indices come back; many alike in their low bits.
    auto index = static_cast<uint32_t>(test::random(1500) << (test::random(2) * 16));
    auto found = expected.find(index);
    EXPECT(table.find(index) == (found == expected.end() ? nullptr : found->second.get()));
    if (found == expected.end()) {
      KeypairMaterial material;
      material.localIndex = index;
      expected[index] = std::make_unique<Keypair>(peer, material);
      table.insert(expected[index].get());
    } else if (test::random(3) != 0) {
      EXPECT(table.remove(index) == found->second.get());
      expected.erase(found);
      EXPECT(table.remove(index) == nullptr);
    }
    EXPECT_EQUAL(table.size(), expected.size());
  }
  size_t visited = 0;
  table.forEach([&](const Keypair* keypair) {
    visited++;
    EXPECT(expected.contains(keypair->localIndex));
  });
  EXPECT_EQUAL(visited, expected.size());
  reclaimer.collect();
}

}  // namespace heddle
