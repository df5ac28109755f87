// Either suite through OpenSSL's public interface EVP: one context a key, the nonce alone is set
// for a message.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "crypto/aead_nonce.h"
#include "crypto/suite.h"

namespace heddle {

class EvpKey {
 public:
  // `isSeal`: EVP prepares a context for one direction.
  EvpKey(std::span<const uint8_t, 32> key, Suite suite, bool isSeal);
  EvpKey(const EvpKey&) = delete;
  EvpKey& operator=(const EvpKey&) = delete;
  ~EvpKey();

  // As AeadKey's. Threads take turns: the context holds the message's state.
  void seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out);
  bool open(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out);

 private:
  void* context_;
  std::atomic_flag busy_;
};

}  // namespace heddle
