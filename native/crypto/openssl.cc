#include "crypto/openssl.h"

#include <dlfcn.h>

#include <array>

namespace heddle {

namespace {

// POSIX: what dlsym gives for a function may be called as one.
template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

OpenSsl lookUp(void* library, const char* libraryName) {
  OpenSsl found;
  find(library, "EVP_chacha20_poly1305", found.evp.chacha20Poly1305);
  find(library, "EVP_aes_256_gcm", found.evp.aes256Gcm);
  find(library, "EVP_CIPHER_CTX_new", found.evp.contextNew);
  find(library, "EVP_CIPHER_CTX_free", found.evp.contextFree);
  find(library, "EVP_CipherInit_ex", found.evp.cipherInit);
  find(library, "EVP_CipherUpdate", found.evp.cipherUpdate);
  find(library, "EVP_CipherFinal_ex", found.evp.cipherFinal);
  find(library, "EVP_CIPHER_CTX_ctrl", found.evp.contextControl);
  find(library, "ChaCha20_ctr32", found.chaCha.chacha20);
  find(library, "Poly1305_ctx_size", found.chaCha.poly1305Size);
  find(library, "Poly1305_Init", found.chaCha.poly1305Init);
  find(library, "Poly1305_Update", found.chaCha.poly1305Update);
  find(library, "Poly1305_Final", found.chaCha.poly1305Final);
  find(library, "aesni_set_encrypt_key", found.aesGcm.setEncryptKey);
  find(library, "aesni_encrypt", found.aesGcm.encrypt);
  find(library, "aesni_ctr32_encrypt_blocks", found.aesGcm.encryptBlocks);
  find(library, "gcm_init_avx", found.aesGcm.hashInit);
  find(library, "gcm_ghash_avx", found.aesGcm.hashBlocks);
  find(library, "aesni_gcm_encrypt", found.aesGcm.seal);
  find(library, "aesni_gcm_decrypt", found.aesGcm.open);
  const char* (*version)(int) = nullptr;
  find(library, "OpenSSL_version", version);
  if (version != nullptr) found.version = version(0);
  found.library = libraryName;
  return found;
}

OpenSsl lookUpAnywhere() {
  OpenSsl found = lookUp(RTLD_DEFAULT, "this process");
  if (found.evp.isComplete()) return found;
  for (const char* name : {"libcrypto.so.3", "libcrypto.so.1.1"}) {
    // Never closed: the functions are used until the process ends.
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    found = lookUp(library, name);
    if (found.evp.isComplete()) return found;
  }
  return OpenSsl{};
}

}  // namespace

const OpenSsl& openSsl() {
  static const OpenSsl found = lookUpAnywhere();
  return found;
}

}  // namespace heddle
