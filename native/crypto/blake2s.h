// BLAKE2s (RFC 7693), plain and keyed, with digests of 1 to 32 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace heddle {

class Blake2s {
 public:
  // A key of 0 to 32 bytes; a digest of `digestLength` bytes, 1 to 32.
  explicit Blake2s(size_t digestLength, std::span<const uint8_t> key = {});

  void update(std::span<const uint8_t> bytes);
  // Writes the digest; the object may not be used afterwards.
  void final(uint8_t* digest);

 private:
  void compress(const uint8_t* block, bool isLast);

  std::array<uint32_t, 8> state_;
  uint64_t total_ = 0;  // bytes compressed
  size_t digestLength_;
  size_t filled_ = 0;
  std::array<uint8_t, 64> block_{};
};

// What mac1 of an incoming handshake is checked with (WireGuard §5.4.4): keyed BLAKE2s-128.
class Mac1Key {
 public:
  explicit Mac1Key(std::span<const uint8_t, 32> key) : keyed_(16, key) {}
  // Whether `mac1` (16 bytes) is that of `bytes`, in constant time.
  bool check(std::span<const uint8_t> bytes, const uint8_t* mac1) const;

 private:
  Blake2s keyed_;  // the key taken in, nothing else
};

// One, or two while our static key changes: what either says is right is right.
class Mac1Keys {
 public:
  // `other`: 32 bytes, or none.
  explicit Mac1Keys(std::span<const uint8_t, 32> key, std::span<const uint8_t> other = {});
  bool check(std::span<const uint8_t> bytes, const uint8_t* mac1) const;

 private:
  Mac1Key key_;
  std::optional<Mac1Key> other_;
};

}  // namespace heddle
