#include "crypto/chacha20_poly1305.h"

#include <cstring>

#include "crypto/openssl.h"
#include "crypto/poly1305.h"

namespace heddle {

namespace {

constexpr size_t kBlock = 64;  // one ChaCha20 block

struct alignas(16) Room {
  std::array<uint8_t, kChaChaRoom> bytes;
};

// The block counter and nonce as ChaCha20_ctr32 takes them.
std::array<uint32_t, 4> blockOf(AeadNonce nonce, uint32_t block) {
  return {block, nonce.prefix, static_cast<uint32_t>(nonce.counter),
          static_cast<uint32_t>(nonce.counter >> 32)};
}

}  // namespace

const char* ChaChaKey::lacks() { return poly1305Lacks(); }

ChaChaKey::ChaChaKey(std::span<const uint8_t, 32> key) {
  for (size_t i = 0; i < 8; i++) words_[i] = loadLe32(key.data() + 4 * i);
}

// Block 0 of the key stream is the Poly1305 key, the message starts at block 1. Zeros right before
// the plaintext make both in one call, which lets the assembly run at its widest.
void ChaChaKey::seal(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const {
  const OpenSslChaCha& low = openSsl().chaCha;
  Room beforeIn;
  Room beforeOut;
  std::memcpy(&beforeIn, in - kBlock, kBlock);
  std::memcpy(&beforeOut, out - kBlock, kBlock);
  std::memset(in - kBlock, 0, kBlock);
  std::array<uint32_t, 4> block = blockOf(nonce, 0);
  low.chacha20(out - kBlock, in - kBlock, kBlock + length, words_.data(), block.data());
  std::array<uint8_t, kPoly1305Tag> tag;
  poly1305Tag(out - kBlock, out, length, tag.data());
  std::memcpy(out + length, tag.data(), tag.size());
  std::memcpy(out - kBlock, &beforeOut, kBlock);
  if (in != out) std::memcpy(in - kBlock, &beforeIn, kBlock);
}

bool ChaChaKey::open(AeadNonce nonce, uint8_t* in, size_t length, uint8_t* out) const {
  const OpenSslChaCha& low = openSsl().chaCha;
  alignas(64) std::array<uint8_t, kBlock> zeros{};
  alignas(64) std::array<uint8_t, kBlock> poly1305Key;
  std::array<uint32_t, 4> block = blockOf(nonce, 0);
  low.chacha20(poly1305Key.data(), zeros.data(), kBlock, words_.data(), block.data());
  if (!poly1305Verify(poly1305Key.data(), in, length)) return false;
  block[0] = 1;
  if (length > 0) low.chacha20(out, in, length, words_.data(), block.data());
  return true;
}

}  // namespace heddle
