// How data messages are sealed: what `status` tells of it, and both directions of each backend for
// the tests, which must run inside node to meet node's own OpenSSL.
#include <algorithm>

#include "crypto/aead.h"
#include "crypto/aead_comparison.h"
#include "crypto/cpu.h"
#include "napi/exports.h"

namespace heddle {

namespace {

std::string_view suiteName(Suite suite) {
  return suite == Suite::aes256Gcm ? "aes-256-gcm" : "chacha20-poly1305";
}

Suite readSuite(napi_env env, napi_value value) {
  std::string name = readString(env, value);
  for (Suite suite : kSuites) {
    if (suiteName(suite) == name) return suite;
  }
  CHECK(false);
}

AeadBackend readBackend(napi_env env, napi_value value) {
  std::string name = readString(env, value);
  for (AeadBackend backend : kAeadBackends) {
    if (aeadBackendName(backend) == name) return backend;
  }
  CHECK(false);
}

void set(napi_env env, napi_value object, const char* name, std::string_view text) {
  NAPI_CHECK(napi_set_named_property(env, object, name, makeString(env, text)));
}

// For each suite, what it is sealed with and why, and what it could be sealed with.
napi_value aeadBackends(napi_env env, napi_callback_info) {
  napi_value all = nullptr;
  NAPI_CHECK(napi_create_array(env, &all));
  uint32_t index = 0;
  for (Suite suite : kSuites) {
    const AeadChoice& choice = aeadBackend(suite);
    std::vector<std::string_view> usable;
    for (AeadBackend backend : kAeadBackends) {
      if (whyNoAeadBackend(suite, backend).empty()) usable.push_back(aeadBackendName(backend));
    }
    napi_value one = nullptr;
    NAPI_CHECK(napi_create_object(env, &one));
    set(env, one, "suite", suiteName(suite));
    set(env, one, "backend", aeadBackendName(choice.backend));
    set(env, one, "reason", choice.reason);
    NAPI_CHECK(napi_set_named_property(env, one, "usable", makeStrings(env, usable)));
    NAPI_CHECK(napi_set_element(env, all, index++, one));
  }
  return all;
}

napi_value hasAes(napi_env env, napi_callback_info) { return makeBool(env, hasAesInstructions()); }

napi_value compareAead(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  return makeString(env,
                    compareWithEvp(readSuite(env, arguments[0]), readBackend(env, arguments[1]),
                                   readU32(env, arguments[2])));
}

// A message between two rooms, and its nonce.
struct Arguments {
  AeadKey key;
  std::vector<uint8_t> bytes;
  uint64_t counter;
  uint32_t prefix;
  uint8_t* message() { return bytes.data() + kAeadRoom; }
};

Arguments readMessage(napi_env env, napi_callback_info info, AeadDirection direction) {
  napi_value arguments[5];
  readArguments(env, info, arguments);
  std::span<const uint8_t> key = readBytes(env, arguments[2]);
  std::span<const uint8_t> nonce = readBytes(env, arguments[3]);
  std::span<const uint8_t> in = readBytes(env, arguments[4]);
  CHECK(key.size() == kAeadKeyLength && nonce.size() == kNonceLength);
  std::vector<uint8_t> bytes(2 * kAeadRoom + in.size() + kAeadTagLength);
  std::copy(in.begin(), in.end(), bytes.begin() + kAeadRoom);
  return {.key = AeadKey(key.first<kAeadKeyLength>(), direction, readSuite(env, arguments[0]),
                         readBackend(env, arguments[1])),
          .bytes = std::move(bytes),
          .counter = loadLe64(nonce.data() + 4),
          .prefix = loadLe32(nonce.data())};
}

napi_value sealAead(napi_env env, napi_callback_info info) {
  Arguments given = readMessage(env, info, AeadDirection::seal);
  size_t length = given.bytes.size() - 2 * kAeadRoom - kAeadTagLength;
  given.key.seal(given.counter, given.message(), length, given.message(), given.prefix);
  return makeBytes(env, {given.message(), length + kAeadTagLength});
}

// Undefined when the tag is wrong.
napi_value openAead(napi_env env, napi_callback_info info) {
  Arguments given = readMessage(env, info, AeadDirection::open);
  size_t sealed = given.bytes.size() - 2 * kAeadRoom - kAeadTagLength;
  CHECK(sealed >= kAeadTagLength);
  size_t length = sealed - kAeadTagLength;
  if (!given.key.open(given.counter, given.message(), length, given.message(), given.prefix)) {
    return nullptr;
  }
  return makeBytes(env, {given.message(), length});
}

}  // namespace

void registerAead(napi_env env, napi_value exports) {
  exportFunction(env, exports, "aeadBackends", aeadBackends);
  exportFunction(env, exports, "hasAesInstructions", hasAes);
  exportFunction(env, exports, "aeadCompare", compareAead);
  exportFunction(env, exports, "aeadSeal", sealAead);
  exportFunction(env, exports, "aeadOpen", openAead);
}

}  // namespace heddle
