#include "crypto/aead_comparison.h"

#include <algorithm>
#include <vector>

#include "crypto/aead.h"

namespace heddle {

namespace {

// Deterministic bytes.
void fill(uint8_t* bytes, size_t length, uint64_t seed) {
  for (size_t i = 0; i < length; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<uint8_t>(seed >> 56);
  }
}

// Buffers for one comparison; every message stands at an odd address between two rooms.
class Comparison {
 public:
  Comparison(Suite suite, AeadBackend backend, size_t limit)
      : suite_(suite),
        backend_(backend),
        span_((kAeadRoom + limit + kAeadTagLength + kAeadRoom) | 1),
        bytes_(4 * span_),
        before_(4 * span_) {}

  // Empty, or what differs at this length.
  std::string run(size_t length) {
    fill(bytes_.data(), bytes_.size(), length);
    before_ = bytes_;
    uint8_t* plain = at(0);
    uint8_t* expected = at(1);
    uint8_t* sealed = at(2);
    uint8_t* opened = at(3);
    std::array<uint8_t, kAeadKeyLength> key;
    fill(key.data(), key.size(), ~length);
    const uint64_t counter = length * 0x9e3779b97f4a7c15u;
    const uint32_t prefix = length % 2 == 0 ? 0 : static_cast<uint32_t>(counter >> 32);
    AeadKey byEvp(key, AeadDirection::seal, suite_, AeadBackend::evp);
    AeadKey seal(key, AeadDirection::seal, suite_, backend_);
    AeadKey open(key, AeadDirection::open, suite_, backend_);
    const size_t whole = length + kAeadTagLength;
    auto differ = [](const uint8_t* a, const uint8_t* b, size_t count) {
      return !std::equal(a, a + count, b);
    };
    byEvp.seal(counter, plain, length, expected, prefix);
    seal.seal(counter, plain, length, sealed, prefix);
    if (differ(expected, sealed, whole)) return "sealing differs from EVP";
    if (!open.open(counter, expected, length, opened, prefix)) return "opening refuses";
    if (differ(opened, plain, length)) return "opening differs from EVP";
    uint8_t& damaged = sealed[length + length % kAeadTagLength];
    damaged = static_cast<uint8_t>(damaged ^ 1);
    if (open.open(counter, sealed, length, opened, prefix)) return "opening takes a wrong tag";
    damaged = static_cast<uint8_t>(damaged ^ 1);
    if (!open.open(counter, sealed, length, sealed, prefix)) return "opening in place refuses";
    if (differ(sealed, plain, length)) return "opening in place differs from EVP";
    seal.seal(counter, sealed, length, sealed, prefix);
    if (differ(expected, sealed, whole)) return "sealing in place differs from EVP";
    if (!isRestWhole(length)) return "what is around a message changed";
    return {};
  }

 private:
  uint8_t* at(size_t index) { return bytes_.data() + index * span_ + kAeadRoom; }

  // The plaintext is never written to, and what was opened has no tag.
  bool isRestWhole(size_t length) const {
    const size_t written[] = {0, length + kAeadTagLength, length + kAeadTagLength, length};
    for (size_t i = 0; i < 4; i++) {
      const auto begin = static_cast<ptrdiff_t>(i * span_);
      const auto end = static_cast<ptrdiff_t>((i + 1) * span_);
      const auto message = begin + static_cast<ptrdiff_t>(kAeadRoom);
      const auto behind = message + static_cast<ptrdiff_t>(written[i]);
      const uint8_t* now = bytes_.data();
      const uint8_t* then = before_.data();
      if (!std::equal(now + begin, now + message, then + begin)) return false;
      if (!std::equal(now + behind, now + end, then + behind)) return false;
    }
    return true;
  }

  const Suite suite_;
  const AeadBackend backend_;
  const size_t span_;  // odd, so the four messages stand at different alignments
  std::vector<uint8_t> bytes_;
  std::vector<uint8_t> before_;
};

}  // namespace

std::string compareWithEvp(Suite suite, AeadBackend backend, size_t limit) {
  Comparison comparison(suite, backend, limit);
  for (size_t length = 0; length <= limit; length++) {
    std::string difference = comparison.run(length);
    if (!difference.empty()) return difference + " at " + std::to_string(length) + " bytes";
  }
  return {};
}

}  // namespace heddle
