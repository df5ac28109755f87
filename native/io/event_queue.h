// Events on their way up to JavaScript: records back to back, pushed by the lane's threads and
// taken by the JavaScript thread. Rare by design (see WalkEvent in src/datapath/tables.ts): all but
// handshakes are re-armed by the control plane, so their number is bounded by the peers';
// handshakes have a bound of their own and overflow is counted by the caller.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "datapath/tables.h"

namespace heddle {

inline constexpr size_t kHandshakeQueue = 1024;  // HANDSHAKE_QUEUE in src/datapath/tables.ts
inline constexpr size_t kControlQueue = 1024;    // CONTROL_QUEUE there
inline constexpr size_t kEndpointBytes = 44;

class EventQueue final : public EventSink {
 public:
  // `wake` is called, on the pushing thread, when the queue stops being empty.
  explicit EventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // False when as many handshakes wait as may.
  bool handshake(std::span<const uint8_t> datagram, const Endpoint& source) override;
  bool sessionNeeded(uint32_t peer, SessionNeed reason) override;
  bool confirmed(uint32_t peer, uint32_t localIndex) override;
  bool roamed(uint32_t peer, const Endpoint& endpoint) override;
  bool activity(uint32_t peer, const Activity& activity) override;
  // False when as many control messages wait as may.
  bool control(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message) override;

  // Up to `limit` records, the oldest first, in the form of src/io/native_events.ts.
  std::vector<uint8_t> take(size_t limit);

 private:
  bool push(std::vector<uint8_t> record);

  std::function<void()> wake_;
  std::mutex mutex_;
  std::deque<std::vector<uint8_t>> records_;
  size_t handshakes_ = 0;
  size_t controls_ = 0;
};

// The 44 bytes of an endpoint in an event or an argument.
void emitEndpoint(const Endpoint& endpoint, uint8_t* bytes);
Endpoint parseEndpoint(const uint8_t* bytes);

}  // namespace heddle
