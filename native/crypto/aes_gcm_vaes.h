// AES-256-GCM (NIST SP 800-38D) of our own for CPUs with VAES, VPCLMULQDQ and AVX-512: one pass
// over a message, 16 blocks at a time. 96-bit nonces, no additional data. Compared with EVP at
// start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead_nonce.h"

namespace heddle {

class VaesGcmKey {
 public:
  explicit VaesGcmKey(std::span<const uint8_t, 32> key);

  // Empty, or why this process cannot.
  static const char* lacks();

  // As AeadKey's; any number of threads at once.
  void seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) const;
  // Decrypts while it authenticates.
  bool open(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) const;

  static constexpr size_t kRoundKeys = 15;
  // 17 are used, for at most 16 blocks and the lengths behind them; 20 align those of a group.
  static constexpr size_t kPowers = 20;

  struct alignas(64) Schedule {
    // H^20, H^19 ... H^1, each times x^-1 and with its bytes reversed; zeros behind, because four
    // are loaded at once.
    uint8_t powers[kPowers + 4][16];
    uint8_t roundKeys[kRoundKeys][16];
  };

 private:
  Schedule schedule_;
};

}  // namespace heddle
