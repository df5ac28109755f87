// AES-256-GCM (NIST SP 800-38D) on OpenSSL's x86-64 assembly below EVP: AES-NI and PCLMULQDQ,
// stitched for the bulk of a message. 96-bit nonces, no additional data. Not a public API of
// OpenSSL, so compared with EVP at start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead_nonce.h"

namespace heddle {

class AesGcmKey {
 public:
  explicit AesGcmKey(std::span<const uint8_t, 32> key);

  // Empty, or why this process cannot.
  static const char* lacks();

  // As AeadKey's; one thread at a time.
  void seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out);
  // Decrypts while it authenticates.
  bool open(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out);

 private:
  using Block = std::array<uint8_t, 16>;

  void begin(AeadNonce nonce);
  void sealTail(const uint8_t* in, size_t length, uint8_t* out);
  void openTail(const uint8_t* in, size_t length, uint8_t* out);
  void finish(const uint8_t* partial, size_t partialLength, size_t length, uint8_t* tag);
  void advance(size_t blocks);

  // OpenSSL's assembly finds the hash key's table behind the hash, as in its GCM128_CONTEXT.
  struct alignas(64) Hash {
    Block value;
    std::array<uint64_t, 2> key;
    std::array<Block, 16> table;
  };

  Hash hash_;
  Block counter_;
  alignas(16) std::array<uint8_t, 256> schedule_;  // an AES_KEY: 15 round keys and their number
};

}  // namespace heddle
