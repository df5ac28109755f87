// The tag of ChaCha20-Poly1305 (RFC 8439 §2.8) without additional data, by OpenSSL's Poly1305.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle {

inline constexpr size_t kPoly1305Key = 32;
inline constexpr size_t kPoly1305Tag = 16;

// Empty, or why this process cannot.
const char* poly1305Lacks();

// Writes the tag of `length` bytes of ciphertext. The 16 bytes behind them are overwritten.
void poly1305Tag(const uint8_t* key, uint8_t* ciphertext, size_t length, uint8_t* tag);

// Whether the tag behind `length` bytes of ciphertext is right. Leaves all as it was.
bool poly1305Verify(const uint8_t* key, uint8_t* ciphertext, size_t length);

}  // namespace heddle
