// The functions of OpenSSL that the walk seals with, looked up in the running process: node carries
// its own OpenSSL and exports it, low-level assembly included; a node built against the
// distribution's library, and the native tests, find libcrypto.so. Declared here because OpenSSL's
// headers are not needed to build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace heddle {

// OpenSSL's EVP interface (EVP_EncryptInit(3)). Contexts and ciphers are opaque.
struct OpenSslEvp {
  const void* (*chacha20Poly1305)() = nullptr;
  void* (*contextNew)() = nullptr;
  void (*contextFree)(void* context) = nullptr;
  int (*cipherInit)(void* context, const void* cipher, void* engine, const uint8_t* key,
                    const uint8_t* nonce, int isSeal) = nullptr;
  int (*cipherUpdate)(void* context, uint8_t* out, int* outLength, const uint8_t* in,
                      int length) = nullptr;
  int (*cipherFinal)(void* context, uint8_t* out, int* outLength) = nullptr;
  int (*contextControl)(void* context, int kind, int length, void* value) = nullptr;

  bool isComplete() const {
    return chacha20Poly1305 && contextNew && contextFree && cipherInit && cipherUpdate &&
           cipherFinal && contextControl;
  }
};

inline constexpr int kEvpGetTag = 0x10;  // EVP_CTRL_AEAD_GET_TAG
inline constexpr int kEvpSetTag = 0x11;  // EVP_CTRL_AEAD_SET_TAG

// The assembly below EVP (OpenSSL's include/crypto/chacha.h and poly1305.h).
struct OpenSslLowLevel {
  // `key` is 8 words; `counter` is the block counter and 3 nonce words. `out` equals `in` or does
  // not overlap it.
  void (*chacha20)(uint8_t* out, const uint8_t* in, size_t length, const uint32_t* key,
                   const uint32_t* counter) = nullptr;
  size_t (*poly1305Size)() = nullptr;
  void (*poly1305Init)(void* context, const uint8_t* key) = nullptr;
  void (*poly1305Update)(void* context, const uint8_t* in, size_t length) = nullptr;
  void (*poly1305Final)(void* context, uint8_t* tag) = nullptr;

  bool isComplete() const {
    return chacha20 && poly1305Size && poly1305Init && poly1305Update && poly1305Final;
  }
};

struct OpenSsl {
  OpenSslEvp evp;
  OpenSslLowLevel lowLevel;
  std::string library;  // "this process", a file's name, or empty when there is none
  std::string version;
};

// Looked up once.
const OpenSsl& openSsl();

}  // namespace heddle
