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
  const void* (*aes256Gcm)() = nullptr;
  void* (*contextNew)() = nullptr;
  void (*contextFree)(void* context) = nullptr;
  int (*cipherInit)(void* context, const void* cipher, void* engine, const uint8_t* key,
                    const uint8_t* nonce, int isSeal) = nullptr;
  int (*cipherUpdate)(void* context, uint8_t* out, int* outLength, const uint8_t* in,
                      int length) = nullptr;
  int (*cipherFinal)(void* context, uint8_t* out, int* outLength) = nullptr;
  int (*contextControl)(void* context, int kind, int length, void* value) = nullptr;

  bool isComplete() const {
    return chacha20Poly1305 && aes256Gcm && contextNew && contextFree && cipherInit &&
           cipherUpdate && cipherFinal && contextControl;
  }
};

inline constexpr int kEvpGetTag = 0x10;  // EVP_CTRL_AEAD_GET_TAG
inline constexpr int kEvpSetTag = 0x11;  // EVP_CTRL_AEAD_SET_TAG

// The assembly below EVP for ChaCha20-Poly1305 (OpenSSL's include/crypto/chacha.h and poly1305.h).
struct OpenSslChaCha {
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

// The x86-64 assembly below EVP for AES-GCM (OpenSSL's include/crypto/aes_platform.h and modes.h).
// `schedule` is an AES_KEY, `counter` the 16 bytes of a counter block, `hash` the GHASH value with
// the hash key and its table of 256 bytes behind it.
struct OpenSslAesGcm {
  int (*setEncryptKey)(const uint8_t* key, int bits, void* schedule) = nullptr;
  void (*encrypt)(const uint8_t* in, uint8_t* out, const void* schedule) = nullptr;
  // Leaves the counter as it was.
  void (*encryptBlocks)(const uint8_t* in, uint8_t* out, size_t blocks, const void* schedule,
                        const uint8_t* counter) = nullptr;
  void (*hashInit)(void* table, const uint64_t* hashKey) = nullptr;
  void (*hashBlocks)(void* hash, const void* table, const uint8_t* in, size_t length) = nullptr;
  // Both return how many bytes they took, and advance the counter past them.
  size_t (*seal)(const uint8_t* in, uint8_t* out, size_t length, const void* schedule,
                 uint8_t* counter, void* hash) = nullptr;
  size_t (*open)(const uint8_t* in, uint8_t* out, size_t length, const void* schedule,
                 uint8_t* counter, void* hash) = nullptr;

  bool isComplete() const {
    return setEncryptKey && encrypt && encryptBlocks && hashInit && hashBlocks && seal && open;
  }
};

struct OpenSsl {
  OpenSslEvp evp;
  OpenSslChaCha chaCha;
  OpenSslAesGcm aesGcm;
  std::string library;  // "this process", a file's name, or empty when there is none
  std::string version;
};

// Looked up once.
const OpenSsl& openSsl();

}  // namespace heddle
