#include "crypto/blake2s.h"

#include <cstring>
#include <string>

#include "test/test.h"

namespace heddle {

namespace {

std::string hex(const uint8_t* bytes, size_t length) {
  std::string text;
  for (size_t i = 0; i < length; i++) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

std::string digestOf(size_t length, std::span<const uint8_t> bytes,
                     std::span<const uint8_t> key = {}) {
  Blake2s hash(length, key);
  hash.update(bytes);
  std::array<uint8_t, 32> digest;
  hash.final(digest.data());
  return hex(digest.data(), length);
}

// The byte sequence of RFC 7693 appendix E, selftest_seq.
std::vector<uint8_t> sequence(size_t length, uint32_t seed) {
  std::vector<uint8_t> bytes(length);
  uint32_t a = 0xdead4bad * seed;
  uint32_t b = 1;
  for (uint8_t& byte : bytes) {
    uint32_t t = a + b;
    a = b;
    b = t;
    byte = static_cast<uint8_t>(t >> 24);
  }
  return bytes;
}

}  // namespace

TEST("blake2s: gives RFC 7693 appendix B's digest of abc") {
  const std::vector<uint8_t> abc = {'a', 'b', 'c'};
  EXPECT_EQUAL(digestOf(32, abc),
               std::string("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
}

TEST("blake2s: passes the self-test of RFC 7693 appendix E, plain and keyed") {
  Blake2s all(32);
  for (size_t digestLength : {16, 20, 28, 32}) {
    for (size_t length : {0, 3, 64, 65, 255, 1024}) {
      std::vector<uint8_t> input = sequence(length, static_cast<uint32_t>(length));
      std::vector<uint8_t> key = sequence(digestLength, static_cast<uint32_t>(digestLength));
      for (bool isKeyed : {false, true}) {
        Blake2s one(digestLength,
                    isKeyed ? std::span<const uint8_t>(key) : std::span<const uint8_t>());
        one.update(input);
        std::array<uint8_t, 32> digest;
        one.final(digest.data());
        all.update({digest.data(), digestLength});
      }
    }
  }
  std::array<uint8_t, 32> digest;
  all.final(digest.data());
  EXPECT_EQUAL(hex(digest.data(), 32),
               std::string("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"));
}

TEST("blake2s: gives one digest however the bytes are split") {
  std::vector<uint8_t> bytes = sequence(300, 7);
  std::string whole = digestOf(32, bytes);
  for (size_t at = 0; at <= bytes.size(); at++) {
    Blake2s hash(32);
    hash.update(std::span(bytes).first(at));
    hash.update(std::span(bytes).subspan(at));
    std::array<uint8_t, 32> digest;
    hash.final(digest.data());
    EXPECT_EQUAL(hex(digest.data(), 32), whole);
  }
}

TEST("mac1: holds for the right bytes and for no others") {
  std::array<uint8_t, 32> key;
  key.fill(9);
  std::vector<uint8_t> message = sequence(116, 3);
  Blake2s hash(16, key);
  hash.update(message);
  std::array<uint8_t, 16> mac;
  hash.final(mac.data());
  Mac1Key checker{std::span<const uint8_t, 32>(key)};
  EXPECT(checker.check(message, mac.data()));
  for (size_t bit = 0; bit < 8 * message.size(); bit++) {
    message[bit / 8] = static_cast<uint8_t>(message[bit / 8] ^ (1 << (bit % 8)));
    EXPECT(!checker.check(message, mac.data()));
    message[bit / 8] = static_cast<uint8_t>(message[bit / 8] ^ (1 << (bit % 8)));
  }
  for (size_t bit = 0; bit < 128; bit++) {
    mac[bit / 8] = static_cast<uint8_t>(mac[bit / 8] ^ (1 << (bit % 8)));
    EXPECT(!checker.check(message, mac.data()));
    mac[bit / 8] = static_cast<uint8_t>(mac[bit / 8] ^ (1 << (bit % 8)));
  }
}

}  // namespace heddle
