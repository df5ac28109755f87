#include "crypto/poly1305.h"

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/endian.h"
#include "crypto/openssl.h"

namespace heddle {

namespace {

constexpr size_t kContext = 512;  // more than any OpenSSL's; checked
constexpr size_t kBlock = 16;

}  // namespace

const char* poly1305Lacks() {
  const OpenSslChaCha& low = openSsl().chaCha;
  if (!low.isComplete()) return "it does not export its ChaCha20 and Poly1305";
  return low.poly1305Size() > kContext ? "its Poly1305 context is larger than expected" : "";
}

// With the lengths behind a message of whole blocks it goes through in one call, which is what the
// overwritten bytes are for; else the last part of a block goes with the lengths.
void poly1305Tag(const uint8_t* key, uint8_t* ciphertext, size_t length, uint8_t* tag) {
  const OpenSslChaCha& low = openSsl().chaCha;
  alignas(64) std::array<uint8_t, kContext> context;
  low.poly1305Init(context.data(), key);
  const size_t partial = length % kBlock;
  if (partial == 0) {
    storeLe64(ciphertext + length, 0);
    storeLe64(ciphertext + length + 8, length);
    low.poly1305Update(context.data(), ciphertext, length + kBlock);
  } else {
    std::array<uint8_t, 2 * kBlock> end{};
    std::memcpy(end.data(), ciphertext + length - partial, partial);
    storeLe64(end.data() + kBlock + 8, length);
    if (length > partial) low.poly1305Update(context.data(), ciphertext, length - partial);
    low.poly1305Update(context.data(), end.data(), end.size());
  }
  low.poly1305Final(context.data(), tag);
}

bool poly1305Verify(const uint8_t* key, uint8_t* ciphertext, size_t length) {
  std::array<uint8_t, kPoly1305Tag> given;
  std::array<uint8_t, kPoly1305Tag> expected;
  std::memcpy(given.data(), ciphertext + length, given.size());
  poly1305Tag(key, ciphertext, length, expected.data());
  std::memcpy(ciphertext + length, given.data(), given.size());
  return equalConstantTime(given.data(), expected.data(), given.size());
}

}  // namespace heddle
