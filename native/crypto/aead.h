// A key of a data message's AEAD: ChaCha20-Poly1305 (RFC 8439) as WireGuard uses it, or AES-256-GCM
// (NIST SP 800-38D). In both the nonce is a 4-byte prefix and the 64-bit counter, little-endian;
// WireGuard's own messages have the prefix 0. There is no additional data. Keys and tables lie in
// the object (but for EVP's context), so that whoever keeps it in locked memory keeps all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead_backend.h"
#include "crypto/aes_gcm.h"
#include "crypto/aes_gcm_vaes.h"
#include "crypto/chacha20_poly1305.h"
#include "crypto/chacha20_wide.h"
#include "crypto/evp_aead.h"
#include "crypto/suite.h"

namespace heddle {

inline constexpr size_t kAeadKeyLength = 32;
inline constexpr size_t kAeadTagLength = 16;
// seal() uses this much before `in` and before `out`, and leaves it as it found it.
inline constexpr size_t kAeadRoom = kChaChaRoom;

enum class AeadDirection : uint8_t { seal, open };

// One key in one direction, made ready once. Used by one thread at a time, but for seal() of
// ChaCha20-Poly1305, which any number of threads may call at once. Wipes itself when it goes.
class AeadKey {
 public:
  AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction,
          Suite suite = Suite::chacha20Poly1305)
      : AeadKey(key, direction, suite, aeadBackend(suite).backend) {}
  // `backend` is usable here (whyNoAeadBackend).
  AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction, Suite suite,
          AeadBackend backend);
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;
  ~AeadKey();

  // Writes length + 16 bytes at `out`: the ciphertext and the tag. `in` equals `out` or does not
  // overlap it.
  void seal(uint64_t counter, uint8_t* in, size_t length, uint8_t* out, uint32_t prefix = 0);

  // Opens the ciphertext of `length` bytes at `in`, followed by its tag, to `out`, which equals
  // `in` or does not overlap it. False when the tag is wrong; `out` is then not to be used. `in`
  // keeps its bytes unless it is `out`.
  bool open(uint64_t counter, uint8_t* in, size_t length, uint8_t* out, uint32_t prefix = 0);

 private:
  enum class Kind : uint8_t { evp, chaCha, wideChaCha, aesGcm, vaesGcm };

  static Kind kindOf(Suite suite, AeadBackend backend);

  union Material {
    Material() {}
    ~Material() {}
    EvpKey evp;
    ChaChaKey chaCha;
    WideChaChaKey wideChaCha;
    AesGcmKey aesGcm;
    VaesGcmKey vaesGcm;
  };

  Material material_;
  const Kind kind_;
};

static_assert(sizeof(AeadKey) <= 1600, "two of them lie in every keypair");

}  // namespace heddle
