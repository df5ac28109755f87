#include "crypto/blake2s.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/endian.h"

namespace heddle {

namespace {

constexpr std::array<uint32_t, 8> kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// RFC 7693 §2.7: the order in which each round takes the message words.
constexpr uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

inline void mix(uint32_t* v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
  v[a] = v[a] + v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] = v[c] + v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] = v[a] + v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] = v[c] + v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
}

}  // namespace

Blake2s::Blake2s(size_t digestLength, std::span<const uint8_t> key)
    : state_(kInitial), digestLength_(digestLength) {
  CHECK(digestLength >= 1 && digestLength <= 32 && key.size() <= 32);
  state_[0] ^=
      0x01010000u ^ static_cast<uint32_t>(key.size() << 8) ^ static_cast<uint32_t>(digestLength);
  if (key.empty()) return;
  std::memcpy(block_.data(), key.data(), key.size());
  filled_ = block_.size();
}

void Blake2s::update(std::span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  while (left > 0) {
    // A full block is only compressed when more follows, because the last one is compressed
    // otherwise.
    if (filled_ == block_.size()) {
      compress(block_.data(), false);
      filled_ = 0;
    }
    size_t taken = std::min(left, block_.size() - filled_);
    std::memcpy(block_.data() + filled_, at, taken);
    filled_ += taken;
    at += taken;
    left -= taken;
  }
}

void Blake2s::final(uint8_t* digest) {
  size_t padding = block_.size() - filled_;
  std::memset(block_.data() + filled_, 0, padding);
  total_ -= padding;  // compress() counts whole blocks
  compress(block_.data(), true);
  std::array<uint8_t, 32> whole;
  for (size_t i = 0; i < 8; i++) storeLe32(whole.data() + 4 * i, state_[i]);
  std::memcpy(digest, whole.data(), digestLength_);
}

void Blake2s::compress(const uint8_t* block, bool isLast) {
  total_ += block_.size();
  uint32_t m[16];
  for (size_t i = 0; i < 16; i++) m[i] = loadLe32(block + 4 * i);
  uint32_t v[16];
  for (size_t i = 0; i < 8; i++) {
    v[i] = state_[i];
    v[i + 8] = kInitial[i];
  }
  v[12] ^= static_cast<uint32_t>(total_);
  v[13] ^= static_cast<uint32_t>(total_ >> 32);
  if (isLast) v[14] = ~v[14];
  for (const auto& s : kSigma) {
    mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (size_t i = 0; i < 8; i++) state_[i] ^= v[i] ^ v[i + 8];
}

bool Mac1Key::check(std::span<const uint8_t> bytes, const uint8_t* mac1) const {
  Blake2s hash = keyed_;
  hash.update(bytes);
  std::array<uint8_t, 16> expected;
  hash.final(expected.data());
  return equalConstantTime(expected.data(), mac1, expected.size());
}

Mac1Keys::Mac1Keys(std::span<const uint8_t, 32> key, std::span<const uint8_t> other) : key_(key) {
  if (other.size() == 32) other_.emplace(other.first<32>());
}

bool Mac1Keys::check(std::span<const uint8_t> bytes, const uint8_t* mac1) const {
  return key_.check(bytes, mac1) || (other_ && other_->check(bytes, mac1));
}

}  // namespace heddle
