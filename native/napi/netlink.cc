// rtnetlink for src/io/netlink.ts.
#include "io/netlink.h"

#include "napi/exports.h"

namespace heddle {

namespace {

napi_value request(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  std::vector<uint8_t> replies;
  int error = netlinkExchange(readBytes(env, arguments[0]), replies);
  return error < 0 ? makeNumber(env, error) : makeBytes(env, replies);
}

}  // namespace

void registerNetlink(napi_env env, napi_value exports) {
  exportFunction(env, exports, "netlinkRequest", request);
}

}  // namespace heddle
