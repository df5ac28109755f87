#include "crypto/evp_aead.h"

#include <cstring>

#include "base/check.h"
#include "crypto/openssl.h"

namespace heddle {

namespace {

constexpr int kTag = 16;

// Threads meet here only where several lanes send with one key, and then for a microsecond.
class Turn {
 public:
  explicit Turn(std::atomic_flag& busy) : busy_(busy) {
    while (busy_.test_and_set(std::memory_order_acquire)) {
      busy_.wait(true, std::memory_order_relaxed);
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    busy_.clear(std::memory_order_release);
    busy_.notify_one();
  }

 private:
  std::atomic_flag& busy_;
};

}  // namespace

EvpKey::EvpKey(std::span<const uint8_t, 32> key, Suite suite, bool isSeal) {
  const OpenSslEvp& evp = openSsl().evp;
  context_ = evp.contextNew();
  CHECK(context_ != nullptr);
  const void* cipher = suite == Suite::aes256Gcm ? evp.aes256Gcm() : evp.chacha20Poly1305();
  CHECK(evp.cipherInit(context_, cipher, nullptr, key.data(), nullptr, isSeal ? 1 : 0) == 1);
}

EvpKey::~EvpKey() { openSsl().evp.contextFree(context_); }  // which wipes it

void EvpKey::seal(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) {
  Turn turn(busy_);
  const OpenSslEvp& evp = openSsl().evp;
  std::array<uint8_t, kNonceLength> bytes = nonce.bytes();
  int written = 0;
  CHECK(evp.cipherInit(context_, nullptr, nullptr, nullptr, bytes.data(), 1) == 1);
  if (length > 0) {
    CHECK(evp.cipherUpdate(context_, out, &written, in, static_cast<int>(length)) == 1);
    CHECK(static_cast<size_t>(written) == length);
  }
  CHECK(evp.cipherFinal(context_, out + length, &written) == 1);
  CHECK(evp.contextControl(context_, kEvpGetTag, kTag, out + length) == 1);
}

bool EvpKey::open(AeadNonce nonce, const uint8_t* in, size_t length, uint8_t* out) {
  Turn turn(busy_);
  const OpenSslEvp& evp = openSsl().evp;
  std::array<uint8_t, kNonceLength> bytes = nonce.bytes();
  std::array<uint8_t, kTag> tag;
  std::memcpy(tag.data(), in + length, tag.size());
  int written = 0;
  CHECK(evp.cipherInit(context_, nullptr, nullptr, nullptr, bytes.data(), 0) == 1);
  CHECK(evp.contextControl(context_, kEvpSetTag, kTag, tag.data()) == 1);
  if (length > 0) {
    if (evp.cipherUpdate(context_, out, &written, in, static_cast<int>(length)) != 1) return false;
  }
  uint8_t none[16];
  return evp.cipherFinal(context_, none, &written) == 1;
}

}  // namespace heddle
