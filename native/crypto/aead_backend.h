// The ways to seal that this process has, and which one each suite takes. All give the same bytes:
// whatever is faster than EVP is compared with EVP at start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/suite.h"

namespace heddle {

// From the most compatible to the fastest: OpenSSL's public interface, OpenSSL's assembly below it,
// vector code of our own.
enum class AeadBackend : uint8_t { none, evp, lowLevel, own };

inline constexpr AeadBackend kAeadBackends[] = {AeadBackend::evp, AeadBackend::lowLevel,
                                                AeadBackend::own};

std::string_view aeadBackendName(AeadBackend backend);

struct AeadChoice {
  AeadBackend backend = AeadBackend::none;
  std::string reason;  // for a person: which library, and why nothing faster
};

// What this process seals a suite with, found out once.
const AeadChoice& aeadBackend(Suite suite);

// Empty when a suite can be sealed in that way here, else why not.
std::string whyNoAeadBackend(Suite suite, AeadBackend backend);

}  // namespace heddle
