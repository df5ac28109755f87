// Seals and opens the same messages by EVP and by a faster backend.
#pragma once

#include <cstddef>
#include <string>

#include "crypto/aead_backend.h"

namespace heddle {

// Compares a backend that is usable here with EVP at every length up to `limit`, in place and out
// of place, at odd addresses, and with a wrong tag; nothing around a message may change. Empty, or
// what differs first.
std::string compareWithEvp(Suite suite, AeadBackend backend, size_t limit);

}  // namespace heddle
