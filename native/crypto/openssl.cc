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
  find(library, "EVP_CIPHER_CTX_new", found.evp.contextNew);
  find(library, "EVP_CIPHER_CTX_free", found.evp.contextFree);
  find(library, "EVP_CipherInit_ex", found.evp.cipherInit);
  find(library, "EVP_CipherUpdate", found.evp.cipherUpdate);
  find(library, "EVP_CipherFinal_ex", found.evp.cipherFinal);
  find(library, "EVP_CIPHER_CTX_ctrl", found.evp.contextControl);
  find(library, "ChaCha20_ctr32", found.lowLevel.chacha20);
  find(library, "Poly1305_ctx_size", found.lowLevel.poly1305Size);
  find(library, "Poly1305_Init", found.lowLevel.poly1305Init);
  find(library, "Poly1305_Update", found.lowLevel.poly1305Update);
  find(library, "Poly1305_Final", found.lowLevel.poly1305Final);
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
