#include "crypto/aes_gcm.h"

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/cpu.h"
#include "crypto/openssl.h"

namespace heddle {

namespace {

constexpr size_t kBlock = 16;
constexpr int kKeyBits = 256;

}  // namespace

const char* AesGcmKey::lacks() {
  if (!hasAvxAes()) return "this CPU lacks AES-NI, PCLMULQDQ, AVX or MOVBE";
  if (!openSsl().aesGcm.isComplete()) return "it does not export its AES-GCM";
  return "";
}

AesGcmKey::AesGcmKey(std::span<const uint8_t, 32> key) : counter_{}, schedule_{} {
  const OpenSslAesGcm& low = openSsl().aesGcm;
  CHECK(low.setEncryptKey(key.data(), kKeyBits, schedule_.data()) == 0);
  Block zero{};
  low.encrypt(zero.data(), zero.data(), schedule_.data());
  hash_.key = {loadBe64(zero.data()), loadBe64(zero.data() + 8)};
  low.hashInit(hash_.table.data(), hash_.key.data());
  wipe(zero.data(), zero.size());
}

void AesGcmKey::seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) {
  begin(nonce);
  const OpenSslAesGcm& low = openSsl().aesGcm;
  Block mask;
  low.encrypt(counter_.data(), mask.data(), schedule_.data());
  advance(1);
  size_t bulk = low.seal(in, out, length, schedule_.data(), counter_.data(), hash_.value.data());
  sealTail(in + bulk, length - bulk, out + bulk);
  size_t partial = length % kBlock;
  Block tag;
  finish(out + length - partial, partial, length, tag.data());
  for (size_t i = 0; i < kBlock; i++) out[length + i] = static_cast<uint8_t>(tag[i] ^ mask[i]);
}

bool AesGcmKey::open(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) {
  begin(nonce);
  const OpenSslAesGcm& low = openSsl().aesGcm;
  Block expected;
  low.encrypt(counter_.data(), expected.data(), schedule_.data());
  advance(1);
  Block given;
  std::memcpy(given.data(), in + length, kBlock);
  Block last;  // `in` may be overwritten before it is hashed
  size_t partial = length % kBlock;
  std::memcpy(last.data(), in + length - partial, partial);
  size_t bulk = low.open(in, out, length, schedule_.data(), counter_.data(), hash_.value.data());
  openTail(in + bulk, length - bulk, out + bulk);
  Block hash;
  finish(last.data(), partial, length, hash.data());
  for (size_t i = 0; i < kBlock; i++) expected[i] = static_cast<uint8_t>(expected[i] ^ hash[i]);
  return equalConstantTime(given.data(), expected.data(), kBlock);
}

void AesGcmKey::begin(AeadNonce nonce) {
  hash_.value = {};
  std::array<uint8_t, kNonceLength> bytes = nonce.bytes();
  std::memcpy(counter_.data(), bytes.data(), bytes.size());
  storeBe32(counter_.data() + kNonceLength, 1);
}

// What the stitched code leaves: it takes groups of six blocks. The whole blocks are hashed here,
// the last partial one by finish().
void AesGcmKey::sealTail(const uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslAesGcm& low = openSsl().aesGcm;
  size_t whole = length / kBlock * kBlock;
  if (whole > 0) {
    low.encryptBlocks(in, out, whole / kBlock, schedule_.data(), counter_.data());
    advance(whole / kBlock);
    low.hashBlocks(hash_.value.data(), hash_.table.data(), out, whole);
  }
  if (length == whole) return;
  Block block{};
  std::memcpy(block.data(), in + whole, length - whole);
  low.encryptBlocks(block.data(), block.data(), 1, schedule_.data(), counter_.data());
  std::memcpy(out + whole, block.data(), length - whole);
}

void AesGcmKey::openTail(const uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslAesGcm& low = openSsl().aesGcm;
  size_t whole = length / kBlock * kBlock;
  if (whole > 0) {
    low.hashBlocks(hash_.value.data(), hash_.table.data(), in, whole);
    low.encryptBlocks(in, out, whole / kBlock, schedule_.data(), counter_.data());
    advance(whole / kBlock);
  }
  if (length == whole) return;
  Block block{};
  std::memcpy(block.data(), in + whole, length - whole);
  low.encryptBlocks(block.data(), block.data(), 1, schedule_.data(), counter_.data());
  std::memcpy(out + whole, block.data(), length - whole);
}

// Hashes the last ciphertext block, padded, and the lengths in bits (SP 800-38D §7.1).
void AesGcmKey::finish(const uint8_t* partial, size_t partialLength, size_t length, uint8_t* tag) {
  std::array<uint8_t, 2 * kBlock> ends{};
  uint8_t* at = ends.data();
  if (partialLength > 0) {
    std::memcpy(at, partial, partialLength);
    at += kBlock;
  }
  storeBe64(at + 8, 8 * uint64_t{length});
  at += kBlock;
  openSsl().aesGcm.hashBlocks(hash_.value.data(), hash_.table.data(), ends.data(),
                              static_cast<size_t>(at - ends.data()));
  std::memcpy(tag, hash_.value.data(), kBlock);
}

void AesGcmKey::advance(size_t blocks) {
  uint8_t* at = counter_.data() + kNonceLength;
  storeBe32(at, loadBe32(at) + static_cast<uint32_t>(blocks));
}

}  // namespace heddle
