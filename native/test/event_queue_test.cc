// The queue of events that go up: what is bounded, and in which order and form records leave.
#include "io/event_queue.h"

#include "test/test.h"
#include "test/walk.h"

namespace heddle {

namespace {

using test::Packet;

constexpr size_t kAll = 1 << 20;

}  // namespace

TEST("event queue: a control message is its kind, peer, index, length and bytes") {
  int wakes = 0;
  EventQueue queue([&wakes] { wakes++; });
  Packet message = {0x10, 7, 8};
  EXPECT(queue.control(0x01020304, 0xa0b0c0d8, message));
  EXPECT(queue.confirmed(1, 2));
  EXPECT_EQUAL(wakes, 1);
  const Packet expected = {6, 4, 3, 2, 1, 0xd8, 0xc0, 0xb0, 0xa0, 3, 0, 0x10, 7, 8};
  EXPECT(queue.take(1) == expected);
  EXPECT_EQUAL(queue.take(kAll).size(), size_t{9});
}

TEST("event queue: handshakes and control messages wait in bounds of their own") {
  EventQueue queue([] {});
  Packet message(kMaxControl, 0x10);
  for (size_t i = 0; i < kControlQueue; i++) EXPECT(queue.control(1, 16, message));
  EXPECT(!queue.control(1, 16, message));
  for (size_t i = 0; i < kHandshakeQueue; i++) {
    EXPECT(queue.handshake(message, test::endpointAt(1)));
  }
  EXPECT(!queue.handshake(message, test::endpointAt(1)));
  // What others wait for has no bound but theirs.
  EXPECT(queue.sessionNeeded(1, SessionNeed::staged));
  queue.take(1);
  EXPECT(queue.control(1, 16, message));
  EXPECT(!queue.control(1, 16, message));
  EXPECT(!queue.handshake(message, test::endpointAt(1)));
  queue.take(kAll);
  EXPECT(queue.handshake(message, test::endpointAt(1)));
}

}  // namespace heddle
