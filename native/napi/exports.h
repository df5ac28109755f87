// What the files of napi/ offer to addon.cc, and how they read arguments and make results.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace heddle {

class Engine;

void registerNetlink(napi_env env, napi_value exports);
void registerEngine(napi_env env, napi_value exports);
void registerPorts(napi_env env, napi_value exports);
void registerChannel(napi_env env, napi_value exports);
void registerAead(napi_env env, napi_value exports);
void registerSystem(napi_env env, napi_value exports);

// The engine behind the external that engineOpen returned.
Engine& readEngine(napi_env env, napi_value value);

#define NAPI_CHECK(call) CHECK((call) == napi_ok)

template <size_t N>
inline void readArguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  NAPI_CHECK(napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
  CHECK(count == N);
}

inline std::span<uint8_t> readBytes(napi_env env, napi_value value) {
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type = napi_uint8_array;
  NAPI_CHECK(napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  if (type == napi_uint32_array) length *= sizeof(uint32_t);
  return {static_cast<uint8_t*>(data), length};
}

inline double readNumber(napi_env env, napi_value value) {
  double number = 0;
  NAPI_CHECK(napi_get_value_double(env, value, &number));
  return number;
}

inline uint32_t readU32(napi_env env, napi_value value) {
  return static_cast<uint32_t>(readNumber(env, value));
}

inline bool readBool(napi_env env, napi_value value) {
  bool result = false;
  NAPI_CHECK(napi_get_value_bool(env, value, &result));
  return result;
}

inline std::string readString(napi_env env, napi_value value) {
  size_t length = 0;
  NAPI_CHECK(napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length + 1, '\0');
  NAPI_CHECK(napi_get_value_string_utf8(env, value, text.data(), text.size(), &length));
  text.resize(length);
  return text;
}

inline napi_value makeBool(napi_env env, bool value) {
  napi_value result = nullptr;
  NAPI_CHECK(napi_get_boolean(env, value, &result));
  return result;
}

inline napi_value makeNumber(napi_env env, double number) {
  napi_value value = nullptr;
  NAPI_CHECK(napi_create_double(env, number, &value));
  return value;
}

inline napi_value makeString(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  NAPI_CHECK(napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

template <typename Strings>
inline napi_value makeStrings(napi_env env, const Strings& texts) {
  napi_value list = nullptr;
  NAPI_CHECK(napi_create_array(env, &list));
  uint32_t index = 0;
  for (const auto& text : texts) {
    NAPI_CHECK(napi_set_element(env, list, index++, makeString(env, text)));
  }
  return list;
}

// A new Uint8Array holding a copy.
inline napi_value makeBytes(napi_env env, std::span<const uint8_t> bytes) {
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  NAPI_CHECK(napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  NAPI_CHECK(napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array));
  return array;
}

// A new BigUint64Array; `words` is where to write its values.
inline napi_value makeWords(napi_env env, size_t count, uint64_t*& words) {
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  NAPI_CHECK(napi_create_arraybuffer(env, count * sizeof(uint64_t), &data, &buffer));
  NAPI_CHECK(napi_create_typedarray(env, napi_biguint64_array, count, buffer, 0, &array));
  words = static_cast<uint64_t*>(data);
  return array;
}

inline void exportFunction(napi_env env, napi_value exports, const char* name,
                           napi_callback function) {
  napi_value value = nullptr;
  NAPI_CHECK(napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
  NAPI_CHECK(napi_set_named_property(env, exports, name, value));
}

}  // namespace heddle
