#include "io/event_queue.h"

#include "base/check.h"

namespace heddle {

namespace {

enum Kind : uint8_t { kHandshake = 1, kSessionNeeded, kConfirmed, kRoamed, kActivity, kControl };

// Little-endian fields appended to a record.
class Record {
 public:
  explicit Record(Kind kind) { bytes_.push_back(kind); }
  Record& u8(uint8_t value) {
    bytes_.push_back(value);
    return *this;
  }
  Record& u32(uint32_t value) { return little(value, 4); }
  Record& u64(uint64_t value) { return little(value, 8); }
  Record& endpoint(const Endpoint& value) {
    bytes_.resize(bytes_.size() + kEndpointBytes);
    emitEndpoint(value, bytes_.data() + bytes_.size() - kEndpointBytes);
    return *this;
  }
  Record& bytes(std::span<const uint8_t> value) {
    little(value.size(), 2);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  Record& little(uint64_t value, int count) {
    for (int i = 0; i < count; i++) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  std::vector<uint8_t> bytes_;
};

}  // namespace

bool EventQueue::handshake(std::span<const uint8_t> datagram, const Endpoint& source) {
  {
    std::lock_guard lock(mutex_);
    if (handshakes_ >= kHandshakeQueue) return false;
    handshakes_++;
  }
  return push(Record(kHandshake).u32(0).endpoint(source).bytes(datagram).take());
}

bool EventQueue::sessionNeeded(uint32_t peer, SessionNeed reason) {
  return push(Record(kSessionNeeded).u32(peer).u8(static_cast<uint8_t>(reason)).take());
}

bool EventQueue::confirmed(uint32_t peer, uint32_t localIndex) {
  return push(Record(kConfirmed).u32(peer).u32(localIndex).take());
}

bool EventQueue::roamed(uint32_t peer, const Endpoint& endpoint) {
  return push(Record(kRoamed).u32(peer).endpoint(endpoint).take());
}

bool EventQueue::activity(uint32_t peer, const Activity& activity) {
  return push(Record(kActivity)
                  .u32(peer)
                  .u64(activity.lastSent)
                  .u64(activity.lastReceived)
                  .u64(activity.unansweredSend)
                  .u64(activity.unansweredReceive)
                  .take());
}

bool EventQueue::control(uint32_t peer, uint32_t localIndex, std::span<const uint8_t> message) {
  {
    std::lock_guard lock(mutex_);
    if (controls_ >= kControlQueue) return false;
    controls_++;
  }
  return push(Record(kControl).u32(peer).u32(localIndex).bytes(message).take());
}

std::vector<uint8_t> EventQueue::take(size_t limit) {
  std::lock_guard lock(mutex_);
  std::vector<uint8_t> taken;
  for (size_t i = 0; i < limit && !records_.empty(); i++) {
    std::vector<uint8_t>& record = records_.front();
    if (record[0] == kHandshake) {
      handshakes_--;
      for (int byte = 0; byte < 4; byte++) {
        record[1 + static_cast<size_t>(byte)] = static_cast<uint8_t>(handshakes_ >> (8 * byte));
      }
    }
    if (record[0] == kControl) controls_--;
    taken.insert(taken.end(), record.begin(), record.end());
    records_.pop_front();
  }
  return taken;
}

bool EventQueue::push(std::vector<uint8_t> record) {
  bool wasEmpty = false;
  {
    std::lock_guard lock(mutex_);
    wasEmpty = records_.empty();
    records_.push_back(std::move(record));
  }
  if (wasEmpty) wake_();
  return true;
}

void emitEndpoint(const Endpoint& endpoint, uint8_t* bytes) {
  std::memset(bytes, 0, kEndpointBytes);
  bytes[0] = endpoint.family;
  bytes[1] = endpoint.hasLocal ? 1 : 0;
  bytes[2] = static_cast<uint8_t>(endpoint.port);
  bytes[3] = static_cast<uint8_t>(endpoint.port >> 8);
  size_t length = endpoint.family == 4 ? 4 : 16;
  std::memcpy(bytes + 4, endpoint.address.data(), length);
  std::memcpy(bytes + 20, endpoint.local.data(), length);
  for (int i = 0; i < 4; i++) {
    bytes[36 + i] = static_cast<uint8_t>(endpoint.interfaceIndex >> (8 * i));
    bytes[40 + i] = static_cast<uint8_t>(endpoint.vni >> (8 * i));
  }
}

Endpoint parseEndpoint(const uint8_t* bytes) {
  Endpoint endpoint{};
  CHECK(bytes[0] == 4 || bytes[0] == 6);
  endpoint.family = bytes[0];
  endpoint.hasLocal = bytes[1] != 0;
  endpoint.port = static_cast<uint16_t>(bytes[2] | (bytes[3] << 8));
  size_t length = endpoint.family == 4 ? 4 : 16;
  std::memcpy(endpoint.address.data(), bytes + 4, length);
  std::memcpy(endpoint.local.data(), bytes + 20, length);
  for (int i = 3; i >= 0; i--) {
    endpoint.interfaceIndex = (endpoint.interfaceIndex << 8) | bytes[36 + i];
    endpoint.vni = (endpoint.vni << 8) | bytes[40 + i];
  }
  return endpoint;
}

}  // namespace heddle
