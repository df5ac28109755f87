#include "datapath/staged.h"

#include "test/packets.h"
#include "test/test.h"

namespace heddle {

TEST("staged: keeps copies in order, at most 128 a peer") {
  Staged staged;
  for (size_t i = 0; i < 200; i++) {
    test::Packet packet(i + 1, static_cast<uint8_t>(i));
    EXPECT_EQUAL(staged.push(7, 1, packet.data(), packet.size()), size_t{i < 128 ? 0u : 1u});
  }
  const uint8_t other = 0xee;
  EXPECT_EQUAL(staged.push(8, 2, &other, 1), size_t{0});
  auto packets = staged.take(7, 1);
  EXPECT_EQUAL(packets.size(), kStagedPerPeer);
  for (size_t i = 0; i < packets.size(); i++) {
    EXPECT_EQUAL(packets[i].length(), size_t{73 + i});
    EXPECT_EQUAL(packets[i].inner()[i], static_cast<uint8_t>(72 + i));
  }
  EXPECT(staged.take(7, 1).empty());
  EXPECT_EQUAL(staged.take(8, 2).size(), size_t{1});
}

TEST("staged: a peer never gets what another one of its slot had staged") {
  Staged staged;
  const uint8_t byte = 1;
  staged.push(7, 1, &byte, 1);
  staged.push(7, 1, &byte, 1);
  EXPECT(staged.take(7, 2).empty());
  EXPECT_EQUAL(staged.expire(7, 1), size_t{0});
  EXPECT_EQUAL(staged.expire(7, 2), size_t{2});
  EXPECT_EQUAL(staged.expire(7, 2), size_t{0});
  EXPECT_EQUAL(staged.push(7, 2, &byte, 1), size_t{0});
  EXPECT_EQUAL(staged.take(7, 2).size(), size_t{1});
}

}  // namespace heddle
