// ChaCha20-Poly1305 (RFC 8439) as WireGuard uses it: the nonce is 4 zero bytes and the 64-bit
// little-endian counter, there is no additional data. Two ways to the same bytes, both in the
// OpenSSL of the running process: the low-level assembly that node exports (ChaCha20_ctr32 and
// Poly1305_*; not a public API, so tested against EVP at start), or EVP with one context a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace heddle {

inline constexpr size_t kAeadKeyLength = 32;
inline constexpr size_t kAeadTagLength = 16;
// seal() uses this much before `in` and before `out`, and leaves it as it found it.
inline constexpr size_t kAeadRoom = 64;

enum class AeadBackend : uint8_t { none, evp, lowLevel };

struct AeadChoice {
  AeadBackend backend = AeadBackend::none;
  std::string reason;  // for a person: which library, and why not the faster way
};

// What this process seals with, found out once.
const AeadChoice& aeadBackend();

// Compares both backends for every length up to `limit`, in place and out of place. Empty, or what
// differs first.
std::string compareAeadBackends(size_t limit);

enum class AeadDirection : uint8_t { seal, open };

// One key in one direction, made ready once. Used by one thread at a time; wipes itself when it
// goes.
class AeadKey {
 public:
  AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction)
      : AeadKey(key, direction, aeadBackend().backend) {}
  AeadKey(std::span<const uint8_t, kAeadKeyLength> key, AeadDirection direction,
          AeadBackend backend);
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;
  ~AeadKey();

  // Writes length + 16 bytes at `out`: the ciphertext and the tag. `in` equals `out` or does not
  // overlap it.
  void seal(uint64_t counter, uint8_t* in, size_t length, uint8_t* out);

  // Opens the ciphertext of `length` bytes at `in`, followed by its tag, to `out`, which equals
  // `in` or does not overlap it. False when the tag is wrong; `out` is then not to be used. `in`
  // keeps its bytes unless it is `out`.
  bool open(uint64_t counter, uint8_t* in, size_t length, uint8_t* out);

 private:
  void sealLowLevel(uint64_t counter, uint8_t* in, size_t length, uint8_t* out);
  bool openLowLevel(uint64_t counter, uint8_t* in, size_t length, uint8_t* out);
  void sealEvp(uint64_t counter, const uint8_t* in, size_t length, uint8_t* out);
  bool openEvp(uint64_t counter, uint8_t* in, size_t length, uint8_t* out);

  std::array<uint32_t, 8> key_{};  // low level: the key as words
  void* context_ = nullptr;        // EVP: its context
  AeadBackend backend_;
};

}  // namespace heddle
