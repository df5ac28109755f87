// ChaCha20-Poly1305 as RFC 8439 tells it, slow and plain: what the backends are compared with.
// Checked itself against the RFC's own example, which has additional data, as WireGuard's messages
// have not.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/endian.h"

namespace heddle::test {

using Bytes = std::vector<uint8_t>;

inline void quarterRound(uint32_t* s, int a, int b, int c, int d) {
  s[a] += s[b];
  s[d] = std::rotl(s[d] ^ s[a], 16);
  s[c] += s[d];
  s[b] = std::rotl(s[b] ^ s[c], 12);
  s[a] += s[b];
  s[d] = std::rotl(s[d] ^ s[a], 8);
  s[c] += s[d];
  s[b] = std::rotl(s[b] ^ s[c], 7);
}

// RFC 8439 §2.3.
inline std::array<uint8_t, 64> chachaBlock(const uint8_t* key, uint32_t counter,
                                           const uint8_t* nonce) {
  uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 8; i++) start[4 + i] = loadLe32(key + 4 * i);
  start[12] = counter;
  for (int i = 0; i < 3; i++) start[13 + i] = loadLe32(nonce + 4 * i);
  uint32_t s[16];
  std::memcpy(s, start, sizeof s);
  for (int round = 0; round < 10; round++) {
    quarterRound(s, 0, 4, 8, 12);
    quarterRound(s, 1, 5, 9, 13);
    quarterRound(s, 2, 6, 10, 14);
    quarterRound(s, 3, 7, 11, 15);
    quarterRound(s, 0, 5, 10, 15);
    quarterRound(s, 1, 6, 11, 12);
    quarterRound(s, 2, 7, 8, 13);
    quarterRound(s, 3, 4, 9, 14);
  }
  std::array<uint8_t, 64> block;
  for (size_t i = 0; i < 16; i++) storeLe32(block.data() + 4 * i, s[i] + start[i]);
  return block;
}

// RFC 8439 §2.5 by schoolbook arithmetic on 16-bit limbs, modulo 2^130 - 5 after every step.
inline constexpr uint8_t kClamp[16] = {255, 255, 255, 15, 252, 255, 255, 15,
                                       252, 255, 255, 15, 252, 255, 255, 15};

inline std::array<uint8_t, 16> poly1305(const uint8_t* key, const Bytes& message) {
  std::array<uint64_t, 9> r{};
  std::array<uint64_t, 9> h{};
  for (size_t i = 0; i < 16; i++) r[i / 2] |= uint64_t(key[i] & kClamp[i]) << (8 * (i % 2));
  auto reduce = [](std::array<uint64_t, 18>& wide) {
    // 2^130 = 5: what stands above bit 130 comes back five times.
    for (int pass = 0; pass < 3; pass++) {
      for (size_t i = 0; i + 1 < 18; i++) {
        wide[i + 1] += wide[i] >> 16;
        wide[i] &= 0xffff;
      }
      std::array<uint64_t, 18> next{};
      for (size_t i = 0; i < 8; i++) next[i] = wide[i];
      next[8] = wide[8] & 3;
      for (size_t i = 8; i < 18; i++) {
        uint64_t above = i == 8 ? wide[8] >> 2 : 0;
        if (i == 8) next[0] += 5 * above;
        if (i > 8) next[i - 9] += 5 * ((wide[i] << 14) & 0xffff);
        if (i > 8) next[i - 8] += 5 * (wide[i] >> 2);
      }
      wide = next;
    }
  };
  for (size_t at = 0; at < message.size(); at += 16) {
    size_t length = std::min<size_t>(16, message.size() - at);
    for (size_t i = 0; i < length; i++) h[i / 2] += uint64_t{message[at + i]} << (8 * (i % 2));
    h[length / 2] += uint64_t{1} << (8 * (length % 2));
    std::array<uint64_t, 18> product{};
    for (size_t i = 0; i < 9; i++) {
      for (size_t j = 0; j < 9; j++) product[i + j] += h[i] * r[j];
    }
    reduce(product);
    for (size_t i = 0; i < 9; i++) h[i] = product[i];
  }
  // Carry, then subtract the modulus when it fits: h + 5 overflows 2^130 exactly then.
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i + 1 < 9; i++) {
      h[i + 1] += h[i] >> 16;
      h[i] &= 0xffff;
    }
    h[0] += 5 * (h[8] >> 2);
    h[8] &= 3;
  }
  std::array<uint64_t, 9> plus = h;
  plus[0] += 5;
  for (size_t i = 0; i + 1 < 9; i++) {
    plus[i + 1] += plus[i] >> 16;
    plus[i] &= 0xffff;
  }
  if ((plus[8] >> 2) != 0) h = plus;
  std::array<uint8_t, 16> tag;
  uint64_t carry = 0;
  for (size_t i = 0; i < 8; i++) {
    carry += h[i] + loadLe16(key + 16 + 2 * i);
    storeLe16(tag.data() + 2 * i, static_cast<uint16_t>(carry));
    carry >>= 16;
  }
  return tag;
}

// RFC 8439 §2.8: ciphertext and tag.
inline Bytes sealReference(const uint8_t* key, const uint8_t* nonce, const Bytes& plaintext,
                           const Bytes& additional) {
  Bytes sealed = plaintext;
  for (size_t at = 0; at < sealed.size(); at += 64) {
    auto block = chachaBlock(key, static_cast<uint32_t>(1 + at / 64), nonce);
    for (size_t i = 0; i < 64 && at + i < sealed.size(); i++) {
      sealed[at + i] = static_cast<uint8_t>(sealed[at + i] ^ block[i]);
    }
  }
  Bytes covered = additional;
  covered.resize((covered.size() + 15) / 16 * 16);
  covered.insert(covered.end(), sealed.begin(), sealed.end());
  covered.resize((covered.size() + 15) / 16 * 16);
  covered.resize(covered.size() + 16);
  storeLe64(covered.data() + covered.size() - 16, additional.size());
  storeLe64(covered.data() + covered.size() - 8, plaintext.size());
  auto tag = poly1305(chachaBlock(key, 0, nonce).data(), covered);
  sealed.insert(sealed.end(), tag.begin(), tag.end());
  return sealed;
}

}  // namespace heddle::test
