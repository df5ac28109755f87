// What the files of napi/ offer to addon.cc, and how they read arguments.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <span>

#include "base/check.h"

namespace heddle {

void registerNetlink(napi_env env, napi_value exports);

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
  NAPI_CHECK(napi_get_typedarray_info(env, value, nullptr, &length, &data, nullptr, nullptr));
  return {static_cast<uint8_t*>(data), length};
}

inline double readNumber(napi_env env, napi_value value) {
  double number = 0;
  NAPI_CHECK(napi_get_value_double(env, value, &number));
  return number;
}

inline void exportFunction(napi_env env, napi_value exports, const char* name,
                           napi_callback function) {
  napi_value value = nullptr;
  NAPI_CHECK(napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value));
  NAPI_CHECK(napi_set_named_property(env, exports, name, value));
}

}  // namespace heddle
