#include "crypto/aead_backend.h"

#include "crypto/aead_comparison.h"
#include "crypto/aes_gcm.h"
#include "crypto/aes_gcm_vaes.h"
#include "crypto/chacha20_poly1305.h"
#include "crypto/chacha20_wide.h"
#include "crypto/openssl.h"

namespace heddle {

namespace {

constexpr size_t kSelfTestLimit = 600;  // past the widest vector path of every backend

// Empty, or why a suite is not sealed in that way.
std::string tryBackend(Suite suite, AeadBackend backend) {
  std::string why = whyNoAeadBackend(suite, backend);
  return why.empty() ? compareWithEvp(suite, backend, kSelfTestLimit) : why;
}

AeadChoice choose(Suite suite) {
  const OpenSsl& found = openSsl();
  if (!found.evp.isComplete()) return {AeadBackend::none, "no OpenSSL in this process or host"};
  std::string notOwn = tryBackend(suite, AeadBackend::own);
  if (notOwn.empty())
    return {AeadBackend::own, "vector code of heddle, checked against " + found.version};
  std::string reason =
      found.version + " of " + found.library + "; not heddle's code, because " + notOwn;
  std::string notAssembly = tryBackend(suite, AeadBackend::lowLevel);
  if (notAssembly.empty()) return {AeadBackend::lowLevel, "assembly of " + reason};
  return {AeadBackend::evp, reason + "; not its assembly, because " + notAssembly};
}

}  // namespace

std::string_view aeadBackendName(AeadBackend backend) {
  constexpr std::string_view names[] = {"none", "evp", "low-level", "own"};
  return names[static_cast<size_t>(backend)];
}

const AeadChoice& aeadBackend(Suite suite) {
  if (suite == Suite::aes256Gcm) {
    static const AeadChoice aes = choose(Suite::aes256Gcm);
    return aes;
  }
  static const AeadChoice chaCha = choose(Suite::chacha20Poly1305);
  return chaCha;
}

std::string whyNoAeadBackend(Suite suite, AeadBackend backend) {
  switch (backend) {
    case AeadBackend::none:
      return "it is none";
    case AeadBackend::evp:
      return openSsl().evp.isComplete() ? "" : "no OpenSSL is here";
    case AeadBackend::lowLevel:
      return suite == Suite::aes256Gcm ? AesGcmKey::lacks() : ChaChaKey::lacks();
    case AeadBackend::own:
      return suite == Suite::aes256Gcm ? VaesGcmKey::lacks() : WideChaChaKey::lacks();
  }
  return "it is unknown";
}

}  // namespace heddle
