// ChaCha20-Poly1305 (RFC 8439) on OpenSSL's assembly below EVP, without additional data. Not a
// public API of OpenSSL, so compared with EVP at start.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/aead_nonce.h"

namespace heddle {

// seal() uses this much before `in` and before `out`, and leaves it as it found it.
inline constexpr size_t kChaChaRoom = 64;

class ChaChaKey {
 public:
  explicit ChaChaKey(std::span<const uint8_t, 32> key);

  // Empty, or why this process cannot.
  static const char* lacks();

  // As AeadKey's; any number of threads at once.
  void seal(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const;
  bool open(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const;

 private:
  std::array<uint32_t, 8> words_;
};

}  // namespace heddle
