#include "crypto/aead.h"

#include <algorithm>

#include "crypto/aead_comparison.h"
#include "crypto/cpu.h"
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

struct Way {
  Suite suite;
  AeadBackend backend;
};

// Every suite in every way that this process has. OpenSSL's library keeps its AES assembly to
// itself, so test/twin/aead.test.ts tries that inside node; here a line says what was not tried.
std::vector<Way> findWays() {
  std::vector<Way> all;
  for (Suite suite : kSuites) {
    for (AeadBackend backend : kAeadBackends) {
      std::string why = whyNoAeadBackend(suite, backend);
      if (why.empty()) all.push_back({suite, backend});
      if (why.empty()) continue;
      std::printf("not tried: suite %d by %s: %s\n", static_cast<int>(suite),
                  std::string(aeadBackendName(backend)).c_str(), why.c_str());
    }
  }
  return all;
}

const std::vector<Way>& ways() {
  static const std::vector<Way> all = findWays();
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

TEST("aead: each suite has a backend, and says which") {
  for (Suite suite : kSuites) {
    EXPECT(aeadBackend(suite).backend != AeadBackend::none);
    EXPECT(!aeadBackend(suite).reason.empty());
  }
}

TEST("aead: every backend gives what EVP gives at every length") {
  for (Way way : ways()) EXPECT_EQUAL(compareWithEvp(way.suite, way.backend, 2048), "");
}

// Test case 14 of McGrew and Viega, whom SP 800-38D follows: with a nonce of which every byte
// shows.
TEST("aead: AES-256-GCM takes prefix and counter in the order of the nonce's bytes") {
  Bytes key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  Bytes plaintext = fromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255");
  Bytes expected = fromHex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
      "b094dac5d93471bdec1a502270e3cc6c");
  const uint64_t counter = 0x88f8cadeaddbcefa;  // nonce cafebabe facedbaddecaf888
  const uint32_t prefix = 0xbebafeca;
  for (Way way : ways()) {
    if (way.suite != Suite::aes256Gcm) continue;
    AeadKey seal(std::span<const uint8_t, 32>(key.data(), 32), AeadDirection::seal, way.suite,
                 way.backend);
    Message message(plaintext.size());
    std::copy(plaintext.begin(), plaintext.end(), message.at());
    seal.seal(counter, message.at(), plaintext.size(), message.at(), prefix);
    EXPECT(std::equal(expected.begin(), expected.end(), message.at()));
  }
}

TEST("aead: ChaCha20-Poly1305 equals the reference, and leaves what is around a message") {
  for (Way way : ways()) {
    if (way.suite != Suite::chacha20Poly1305) continue;
    for (size_t length = 0; length <= 300; length++) {
      Bytes key = randomBytes(32);
      uint64_t counter = test::random();
      uint32_t prefix = static_cast<uint32_t>(test::random());
      Bytes nonce(12);
      storeLe32(nonce.data(), prefix);
      storeLe64(nonce.data() + 4, counter);
      Bytes plaintext = randomBytes(length);
      Bytes expected = test::sealReference(key.data(), nonce.data(), plaintext, {});
      std::span<const uint8_t, 32> keySpan(key.data(), 32);
      AeadKey seal(keySpan, AeadDirection::seal, way.suite, way.backend);
      AeadKey open(keySpan, AeadDirection::open, way.suite, way.backend);
      Message in(length);
      Message out(length);
      std::copy(plaintext.begin(), plaintext.end(), in.at());
      seal.seal(counter, in.at(), length, out.at(), prefix);
      EXPECT(std::equal(expected.begin(), expected.end(), out.at()));
      EXPECT(in.isRoomWhole(length) && out.isRoomWhole(length + kAeadTagLength));
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), in.at()));
      seal.seal(counter, in.at(), length, in.at(), prefix);
      EXPECT(in.bytes == out.bytes);
      Message opened(length);
      EXPECT(open.open(counter, in.at(), length, opened.at(), prefix));
      EXPECT(in.bytes == out.bytes);
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), opened.at()));
      EXPECT(opened.isRoomWhole(length));
      EXPECT(open.open(counter, in.at(), length, in.at(), prefix));
      EXPECT(std::equal(plaintext.begin(), plaintext.end(), in.at()));
    }
  }
}

TEST("aead: opens nothing with a flipped bit, another counter or prefix") {
  for (Way way : ways()) {
    Bytes key = randomBytes(32);
    std::span<const uint8_t, 32> keySpan(key.data(), 32);
    AeadKey seal(keySpan, AeadDirection::seal, way.suite, way.backend);
    AeadKey open(keySpan, AeadDirection::open, way.suite, way.backend);
    const size_t length = 48;
    Message sealed(length);
    Message opened(length);
    seal.seal(7, sealed.at(), length, sealed.at());
    EXPECT(!open.open(8, sealed.at(), length, opened.at()));
    EXPECT(!open.open(7, sealed.at(), length, opened.at(), 1));
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
