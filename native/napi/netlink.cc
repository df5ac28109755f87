// rtnetlink for src/io/netlink.ts and src/io/netlink_watch.ts.
#include "io/netlink.h"

#include "io/netlink_watch.h"
#include "napi/exports.h"
#include "napi/wake.h"

namespace heddle {

namespace {

// What a watch's external value holds. Without a close, the end of the environment takes the
// wake-up function.
struct WatchHandle {
  napi_threadsafe_function wake = nullptr;
  std::unique_ptr<NetlinkWatch> watch;
};

void closeWatch(WatchHandle& handle) {
  handle.watch.reset();
  releaseWake(handle.wake);
}

void finalizeWatch(napi_env, void* data, void*) { delete static_cast<WatchHandle*>(data); }

WatchHandle& handleOf(napi_env env, napi_value value) {
  void* data = nullptr;
  NAPI_CHECK(napi_get_value_external(env, value, &data));
  return *static_cast<WatchHandle*>(data);
}

napi_value request(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  std::vector<uint8_t> replies;
  int error = netlinkExchange(readBytes(env, arguments[0]), replies);
  return error < 0 ? makeNumber(env, error) : makeBytes(env, replies);
}

napi_value watch(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  auto handle = std::make_unique<WatchHandle>();
  napi_threadsafe_function wake = createWake(env, arguments[0]);
  handle->wake = wake;
  int error = 0;
  handle->watch = NetlinkWatch::open(
      [wake] { napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking); }, error);
  if (handle->watch == nullptr) {
    closeWatch(*handle);
    return makeNumber(env, -error);
  }
  napi_value external = nullptr;
  NAPI_CHECK(napi_create_external(env, handle.release(), finalizeWatch, nullptr, &external));
  return external;
}

napi_value take(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  WatchHandle& handle = handleOf(env, arguments[0]);
  return makeNumber(env, handle.watch == nullptr ? 0 : handle.watch->take());
}

napi_value close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  closeWatch(handleOf(env, arguments[0]));
  return nullptr;
}

}  // namespace

void registerNetlink(napi_env env, napi_value exports) {
  exportFunction(env, exports, "netlinkRequest", request);
  exportFunction(env, exports, "netlinkWatch", watch);
  exportFunction(env, exports, "netlinkWatchTake", take);
  exportFunction(env, exports, "netlinkWatchClose", close);
}

}  // namespace heddle
