#include "crypto/aead.h"

#include <algorithm>

#include "crypto/openssl.h"
#include "test/aead_reference.h"
#include "test/test.h"

namespace heddle {

namespace {

using test::Bytes;

Bytes fromHex(const char* text) {
  Bytes bytes;
  for (const char* at = text; at[0] != 0 && at[1] != 0; at += 2) {
    unsigned value = 0;
    std::sscanf(at, "%2x", &value);
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

Bytes randomBytes(size_t length) {
  Bytes bytes(length);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(test::random());
  return bytes;
}

std::vector<AeadBackend> backends() {
  std::vector<AeadBackend> all = {AeadBackend::evp};
  if (openSsl().lowLevel.isComplete()) all.push_back(AeadBackend::lowLevel);
  return all;
}

// A message between two rooms whose bytes must survive.
struct Message {
  Bytes bytes;
  explicit Message(size_t length) : bytes(kAeadRoom + length + kAeadTagLength + kAeadRoom) {
    std::fill(bytes.begin(), bytes.end(), 0xa5);
  }
  uint8_t* at() { return bytes.data() + kAeadRoom; }
  bool isRoomWhole(size_t length) const {
    auto isWhole = [](uint8_t byte) { return byte == 0xa5; };
    return std::all_of(bytes.begin(), bytes.begin() + kAeadRoom, isWhole) &&
           std::all_of(bytes.begin() + static_cast<ptrdiff_t>(kAeadRoom + length), bytes.end(),
                       isWhole);
  }
};

}  // namespace

TEST("aead: the reference gives RFC 8439 section 2.8.2's example") {
  Bytes key = fromHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  Bytes nonce = fromHex("070000004041424344454647");
  Bytes additional = fromHex("50515253c0c1c2c3c4c5c6c7");
  std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
      "future, sunscreen would be it.";
  Bytes sealed =
      test::sealReference(key.data(), nonce.data(), Bytes(text.begin(), text.end()), additional);
  Bytes expected = fromHex(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
      "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  EXPECT(sealed == expected);
}

TEST("aead: a backend is there, and says which") {
  EXPECT(aeadBackend().backend != AeadBackend::none);
  EXPECT(!aeadBackend().reason.empty());
}

TEST("aead: every backend equals the reference, in place and out of place") {
  for (AeadBackend backend : backends()) {
    for (size_t length = 0; length <= 300; length++) {
      Bytes key = randomBytes(32);
      uint64_t counter = test::random();
      Bytes nonce(12);
      storeLe64(nonce.data() + 4, counter);
      Bytes plaintext = randomBytes(length);
      Bytes expected = test::sealReference(key.data(), nonce.data(), plaintext, {});
      std::span<const uint8_t, 32> keySpan(key.data(), 32);
      AeadKey seal(keySpan, AeadDirection::seal, backend);
      AeadKey open(keySpan, AeadDirection::open, backend);
      Message in(length);
      Message out(length);
      std::copy(plaintext.begin(), plaintext.end(), in.at());
      seal.seal(counter, in.at(), length, out.at());
      EXPECT(std::equal(expected.begin(), expected.end(), out.at()));
      EXPECT(in.isRoomWhole(length) && out.isRoomWhole(length + kAeadTagLength));
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), in.at()));
      seal.seal(counter, in.at(), length, in.at());
      EXPECT(in.bytes == out.bytes);
      Message opened(length);
      EXPECT(open.open(counter, in.at(), length, opened.at()));
      EXPECT(in.bytes == out.bytes);
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), opened.at()));
      EXPECT(opened.isRoomWhole(length));
      EXPECT(open.open(counter, in.at(), length, in.at()));
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), in.at()));
    }
  }
}

TEST("aead: opens nothing with a flipped bit or another counter") {
  for (AeadBackend backend : backends()) {
    Bytes key = randomBytes(32);
    std::span<const uint8_t, 32> keySpan(key.data(), 32);
    AeadKey seal(keySpan, AeadDirection::seal, backend);
    AeadKey open(keySpan, AeadDirection::open, backend);
    const size_t length = 48;
    Message sealed(length);
    Message opened(length);
    seal.seal(7, sealed.at(), length, sealed.at());
    EXPECT(!open.open(8, sealed.at(), length, opened.at()));
    for (size_t bit = 0; bit < 8 * (length + kAeadTagLength); bit++) {
      uint8_t& byte = sealed.at()[bit / 8];
      byte = static_cast<uint8_t>(byte ^ (1 << (bit % 8)));
      EXPECT(!open.open(7, sealed.at(), length, opened.at()));
      byte = static_cast<uint8_t>(byte ^ (1 << (bit % 8)));
    }
    EXPECT(open.open(7, sealed.at(), length, opened.at()));
  }
}

}  // namespace heddle
