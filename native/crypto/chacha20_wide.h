// ChaCha20-Poly1305 (RFC 8439) with a ChaCha20 of our own for CPUs with AVX-512: four blocks in
// four registers, a row of the state in each, and as many such sets at once as keep the CPU busy.
// The Poly1305 key comes out of the same pass. Compared with EVP at start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead_nonce.h"

namespace heddle {

class WideChaChaKey {
 public:
  explicit WideChaChaKey(std::span<const uint8_t, 32> key);

  // Empty, or why this process cannot.
  static const char* lacks();

  // As AeadKey's; any number of threads at once.
  void seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) const;
  bool open(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const;

 private:
  std::array<uint32_t, 8> words_;
};

}  // namespace heddle
