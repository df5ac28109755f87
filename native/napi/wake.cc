#include "napi/wake.h"

#include "napi/exports.h"

namespace heddle {

namespace {

void callWake(napi_env env, napi_value function, void*, void*) {
  if (env == nullptr) return;
  napi_value undefined = nullptr;
  NAPI_CHECK(napi_get_undefined(env, &undefined));
  napi_call_function(env, undefined, function, 0, nullptr, nullptr);
}

}  // namespace

napi_threadsafe_function createWake(napi_env env, napi_value function) {
  napi_threadsafe_function wake = nullptr;
  napi_value name = makeString(env, "heddle wake");
  NAPI_CHECK(napi_create_threadsafe_function(env, function, nullptr, name, 0, 1, nullptr, nullptr,
                                             nullptr, callWake, &wake));
  NAPI_CHECK(napi_unref_threadsafe_function(env, wake));
  return wake;
}

void releaseWake(napi_threadsafe_function& wake) {
  if (wake == nullptr) return;
  NAPI_CHECK(napi_release_threadsafe_function(wake, napi_tsfn_abort));
  wake = nullptr;
}

}  // namespace heddle
