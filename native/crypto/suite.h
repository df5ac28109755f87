// The AEADs that data messages may be sealed with. A peer's hello tells them by these numbers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle {

enum class Suite : uint8_t { chacha20Poly1305 = 1, aes256Gcm = 2 };

inline constexpr Suite kSuites[] = {Suite::chacha20Poly1305, Suite::aes256Gcm};

}  // namespace heddle
