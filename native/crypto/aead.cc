#include "crypto/aead.h"

#include <memory>

#include "base/bytes.h"
#include "base/check.h"

namespace heddle {

AeadKey::Kind AeadKey::kindOf(Suite suite, AeadBackend backend) {
  CHECK(backend != AeadBackend::none);
  if (backend == AeadBackend::evp) return Kind::evp;
  const bool isOwn = backend == AeadBackend::own;
  if (suite == Suite::chacha20Poly1305) return isOwn ? Kind::wideChaCha : Kind::chaCha;
  return isOwn ? Kind::vaesGcm : Kind::aesGcm;
}

AeadKey::AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction, Suite suite,
                 AeadBackend backend)
    : kind_(kindOf(suite, backend)) {
  switch (kind_) {
    case Kind::evp:
      std::construct_at(&material_.evp, key, suite, direction == AeadDirection::seal);
      break;
    case Kind::chaCha:
      std::construct_at(&material_.chaCha, key);
      break;
    case Kind::wideChaCha:
      std::construct_at(&material_.wideChaCha, key);
      break;
    case Kind::aesGcm:
      std::construct_at(&material_.aesGcm, key);
      break;
    case Kind::vaesGcm:
      std::construct_at(&material_.vaesGcm, key);
      break;
  }
}

AeadKey::~AeadKey() {
  if (kind_ == Kind::evp) std::destroy_at(&material_.evp);
  wipe(&material_, sizeof material_);
}

void AeadKey::seal(uint64_t counter, uint8_t* in, size_t length, uint8_t* out, uint32_t prefix) {
  const AeadNonce nonce{.counter = counter, .prefix = prefix};
  switch (kind_) {
    case Kind::evp:
      return material_.evp.seal(nonce, in, length, out);
    case Kind::chaCha:
      return material_.chaCha.seal(nonce, in, length, out);
    case Kind::wideChaCha:
      return material_.wideChaCha.seal(nonce, in, length, out);
    case Kind::aesGcm:
      return material_.aesGcm.seal(nonce, in, length, out);
    case Kind::vaesGcm:
      return material_.vaesGcm.seal(nonce, in, length, out);
  }
}

bool AeadKey::open(uint64_t counter, uint8_t* in, size_t length, uint8_t* out, uint32_t prefix) {
  const AeadNonce nonce{.counter = counter, .prefix = prefix};
  switch (kind_) {
    case Kind::evp:
      return material_.evp.open(nonce, in, length, out);
    case Kind::chaCha:
      return material_.chaCha.open(nonce, in, length, out);
    case Kind::wideChaCha:
      return material_.wideChaCha.open(nonce, in, length, out);
    case Kind::aesGcm:
      return material_.aesGcm.open(nonce, in, length, out);
    case Kind::vaesGcm:
      return material_.vaesGcm.open(nonce, in, length, out);
  }
  return false;
}

}  // namespace heddle
