#include "crypto/aead.h"

#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "base/check.h"
#include "base/endian.h"
#include "crypto/openssl.h"

namespace heddle {

namespace {

constexpr size_t kBlock = 64;             // one ChaCha20 block
constexpr size_t kPoly1305Context = 512;  // more than any OpenSSL's; checked
constexpr size_t kSelfTestLimit = 600;    // past the widest vector path of the assembly

struct alignas(64) Poly1305Context {
  std::array<uint8_t, kPoly1305Context> bytes;
};

struct alignas(16) Room {
  std::array<uint8_t, kAeadRoom> bytes;
};

std::array<uint8_t, 12> nonceOf(uint64_t counter) {
  std::array<uint8_t, 12> nonce{};
  storeLe64(nonce.data() + 4, counter);
  return nonce;
}

// The block counter and nonce as ChaCha20_ctr32 takes them.
std::array<uint32_t, 4> blockOf(uint64_t counter, uint32_t block) {
  return {block, 0, static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32)};
}

// Poly1305 over the ciphertext, zeros up to 16 bytes, and the two lengths (RFC 8439 §2.8). The 16
// bytes behind the ciphertext are overwritten: with the lengths there, packets padded to 16 go
// through in one pass.
void authenticate(const OpenSslLowLevel& openSsl, const uint8_t* key, uint8_t* ciphertext,
                  size_t length, uint8_t* tag) {
  Poly1305Context context;
  openSsl.poly1305Init(&context, key);
  if (length % 16 == 0) {
    storeLe64(ciphertext + length, 0);
    storeLe64(ciphertext + length + 8, length);
    openSsl.poly1305Update(&context, ciphertext, length + 16);
  } else {
    std::array<uint8_t, 32> tail{};
    size_t padding = 16 - length % 16;
    storeLe64(tail.data() + padding + 8, length);
    openSsl.poly1305Update(&context, ciphertext, length);
    openSsl.poly1305Update(&context, tail.data(), padding + 16);
  }
  openSsl.poly1305Final(&context, tag);
}

AeadChoice choose() {
  const OpenSsl& found = openSsl();
  if (!found.evp.isComplete()) return {AeadBackend::none, "no OpenSSL in this process or host"};
  std::string library = found.version + " of " + found.library;
  if (!found.lowLevel.isComplete()) {
    return {AeadBackend::evp, library + ", which does not export its ChaCha20 and Poly1305"};
  }
  if (found.lowLevel.poly1305Size() > kPoly1305Context) {
    return {AeadBackend::evp, library + ", whose Poly1305 context is larger than expected"};
  }
  std::string difference = compareAeadBackends(kSelfTestLimit);
  if (!difference.empty()) return {AeadBackend::evp, library + ", because " + difference};
  return {AeadBackend::lowLevel, library};
}

}  // namespace

const AeadChoice& aeadBackend() {
  static const AeadChoice choice = choose();
  return choice;
}

AeadKey::AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction,
                 AeadBackend backend)
    : backend_(backend) {
  CHECK(backend != AeadBackend::none);
  if (backend == AeadBackend::lowLevel) {
    for (size_t i = 0; i < 8; i++) key_[i] = loadLe32(key.data() + 4 * i);
    return;
  }
  const OpenSslEvp& evp = openSsl().evp;
  context_ = evp.contextNew();
  CHECK(context_ != nullptr);
  CHECK(evp.cipherInit(context_, evp.chacha20Poly1305(), nullptr, key.data(), nullptr,
                       direction == AeadDirection::seal ? 1 : 0) == 1);
}

AeadKey::~AeadKey() {
  wipe(key_.data(), sizeof key_);
  if (context_ != nullptr) openSsl().evp.contextFree(context_);  // which wipes it
}

void AeadKey::seal(uint64_t counter, uint8_t* in, size_t length, uint8_t* out) {
  if (backend_ == AeadBackend::lowLevel) return sealLowLevel(counter, in, length, out);
  sealEvp(counter, in, length, out);
}

bool AeadKey::open(uint64_t counter, uint8_t* in, size_t length, uint8_t* out) {
  if (backend_ == AeadBackend::lowLevel) return openLowLevel(counter, in, length, out);
  return openEvp(counter, in, length, out);
}

// Block 0 of the key stream is the Poly1305 key, the message starts at block 1. Zeros right before
// the plaintext make both in one call, which lets the assembly run at its widest.
void AeadKey::sealLowLevel(uint64_t counter, uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslLowLevel& low = openSsl().lowLevel;
  Room beforeIn;
  Room beforeOut;
  std::memcpy(&beforeIn, in - kBlock, kBlock);
  std::memcpy(&beforeOut, out - kBlock, kBlock);
  std::memset(in - kBlock, 0, kBlock);
  std::array<uint32_t, 4> block = blockOf(counter, 0);
  low.chacha20(out - kBlock, in - kBlock, kBlock + length, key_.data(), block.data());
  std::array<uint8_t, kAeadTagLength> tag;
  authenticate(low, out - kBlock, out, length, tag.data());
  std::memcpy(out + length, tag.data(), tag.size());
  std::memcpy(out - kBlock, &beforeOut, kBlock);
  if (in != out) std::memcpy(in - kBlock, &beforeIn, kBlock);
}

bool AeadKey::openLowLevel(uint64_t counter, uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslLowLevel& low = openSsl().lowLevel;
  alignas(64) std::array<uint8_t, kBlock> zeros{};
  alignas(64) std::array<uint8_t, kBlock> poly1305Key;
  std::array<uint32_t, 4> block = blockOf(counter, 0);
  low.chacha20(poly1305Key.data(), zeros.data(), kBlock, key_.data(), block.data());
  std::array<uint8_t, kAeadTagLength> given;
  std::array<uint8_t, kAeadTagLength> expected;
  std::memcpy(given.data(), in + length, given.size());
  authenticate(low, poly1305Key.data(), in, length, expected.data());
  std::memcpy(in + length, given.data(), given.size());
  if (!equalConstantTime(given.data(), expected.data(), given.size())) return false;
  block[0] = 1;
  if (length > 0) low.chacha20(out, in, length, key_.data(), block.data());
  return true;
}

void AeadKey::sealEvp(uint64_t counter, const uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslEvp& evp = openSsl().evp;
  std::array<uint8_t, 12> nonce = nonceOf(counter);
  int written = 0;
  CHECK(evp.cipherInit(context_, nullptr, nullptr, nullptr, nonce.data(), 1) == 1);
  if (length > 0) {
    CHECK(evp.cipherUpdate(context_, out, &written, in, static_cast<int>(length)) == 1);
    CHECK(static_cast<size_t>(written) == length);
  }
  CHECK(evp.cipherFinal(context_, out + length, &written) == 1);
  CHECK(evp.contextControl(context_, kEvpGetTag, kAeadTagLength, out + length) == 1);
}

bool AeadKey::openEvp(uint64_t counter, uint8_t* in, size_t length, uint8_t* out) {
  const OpenSslEvp& evp = openSsl().evp;
  std::array<uint8_t, 12> nonce = nonceOf(counter);
  std::array<uint8_t, kAeadTagLength> tag;
  std::memcpy(tag.data(), in + length, tag.size());
  int written = 0;
  CHECK(evp.cipherInit(context_, nullptr, nullptr, nullptr, nonce.data(), 0) == 1);
  CHECK(evp.contextControl(context_, kEvpSetTag, kAeadTagLength, tag.data()) == 1);
  if (length > 0) {
    if (evp.cipherUpdate(context_, out, &written, in, static_cast<int>(length)) != 1) return false;
  }
  uint8_t none[16];
  return evp.cipherFinal(context_, none, &written) == 1;
}

namespace {

// Deterministic bytes for the comparison.
void fill(uint8_t* bytes, size_t length, uint64_t seed) {
  for (size_t i = 0; i < length; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<uint8_t>(seed >> 56);
  }
}

// Buffers for one comparison; every message stands at an odd address between two rooms.
class Comparison {
 public:
  explicit Comparison(size_t limit)
      : span_(kAeadRoom + limit + kAeadTagLength + kAeadRoom),
        bytes_(std::make_unique<uint8_t[]>(4 * span_ + 4)) {}

  // Empty, or what differs at this length.
  std::string run(size_t length) {
    fill(bytes_.get(), 4 * span_ + 4, length);
    uint8_t* plain = at(0);
    uint8_t* byEvp = at(1);
    uint8_t* byLow = at(2);
    uint8_t* opened = at(3);
    std::array<uint8_t, kAeadKeyLength> key;
    fill(key.data(), key.size(), ~length);
    uint64_t counter = length * 0x9e3779b97f4a7c15u;
    AeadKey evpSeal(key, AeadDirection::seal, AeadBackend::evp);
    AeadKey lowSeal(key, AeadDirection::seal, AeadBackend::lowLevel);
    AeadKey lowOpen(key, AeadDirection::open, AeadBackend::lowLevel);
    const size_t whole = length + kAeadTagLength;
    evpSeal.seal(counter, plain, length, byEvp);
    lowSeal.seal(counter, plain, length, byLow);
    if (std::memcmp(byEvp, byLow, whole) != 0) return "sealing differs from EVP";
    if (!lowOpen.open(counter, byEvp, length, opened)) return "opening refuses what EVP sealed";
    if (std::memcmp(opened, plain, length) != 0) return "opening differs from EVP";
    byLow[length] = static_cast<uint8_t>(byLow[length] ^ 1);
    if (lowOpen.open(counter, byLow, length, opened)) return "opening takes a wrong tag";
    byLow[length] = static_cast<uint8_t>(byLow[length] ^ 1);
    if (!lowOpen.open(counter, byLow, length, byLow)) return "opening in place refuses";
    if (std::memcmp(byLow, plain, length) != 0) return "opening in place differs";
    lowSeal.seal(counter, byLow, length, byLow);
    if (std::memcmp(byEvp, byLow, whole) != 0) return "sealing in place differs from EVP";
    return {};
  }

 private:
  uint8_t* at(size_t index) { return bytes_.get() + index * span_ + index + kAeadRoom; }

  size_t span_;
  std::unique_ptr<uint8_t[]> bytes_;
};

}  // namespace

std::string compareAeadBackends(size_t limit) {
  if (!openSsl().lowLevel.isComplete() || !openSsl().evp.isComplete()) return "one is missing";
  Comparison comparison(limit);
  for (size_t length = 0; length <= limit; length++) {
    std::string difference = comparison.run(length);
    if (!difference.empty()) return difference + " at " + std::to_string(length) + " bytes";
  }
  return {};
}

}  // namespace heddle
