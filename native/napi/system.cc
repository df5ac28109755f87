// What JavaScript cannot ask of the system by itself: CLOCK_BOOTTIME, errno names, the TUN device
// of the reference hand, and the measures that keep keys out of core dumps.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "datapath/counters.h"
#include "io/clock.h"
#include "io/tun.h"
#include "napi/exports.h"

namespace heddle {

namespace {

napi_value readBootTime(napi_env env, napi_callback_info) {
  return makeNumber(env, static_cast<double>(bootTime()));
}

napi_value layout(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "counters", makeStrings(env, kCounterNames)));
  NAPI_CHECK(napi_set_named_property(env, result, "drops", makeStrings(env, kDropNames)));
  return result;
}

napi_value errnoName(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  int error = static_cast<int>(readNumber(env, arguments[0]));
  const char* name = strerrorname_np(error);
  return makeString(env, name != nullptr ? std::string(name) : "errno " + std::to_string(error));
}

// No core dump and no /proc/PID/mem for other users: both would hold keys (prctl(2),
// PR_SET_DUMPABLE). The limit holds for what heddle starts, too.
napi_value processHygiene(napi_env, napi_callback_info) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  return nullptr;
}

napi_value openTunDevice(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  TunOpened opened = openTun(readString(env, arguments[0]),
                             {.virtioHeader = false, .blocking = readBool(env, arguments[1])});
  if (!opened.fd.valid()) return makeNumber(env, -opened.error);
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "name", makeString(env, opened.name)));
  NAPI_CHECK(napi_set_named_property(env, result, "fd", makeNumber(env, opened.fd.release())));
  return result;
}

napi_value tunIsThere(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  return makeBool(env, isTunThere(static_cast<int>(readNumber(env, arguments[0]))));
}

napi_value closeFd(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  close(static_cast<int>(readNumber(env, arguments[0])));
  return nullptr;
}

}  // namespace

void registerSystem(napi_env env, napi_value exports) {
  exportFunction(env, exports, "bootTime", readBootTime);
  exportFunction(env, exports, "layout", layout);
  exportFunction(env, exports, "errnoName", errnoName);
  exportFunction(env, exports, "processHygiene", processHygiene);
  exportFunction(env, exports, "openTun", openTunDevice);
  exportFunction(env, exports, "tunIsThere", tunIsThere);
  exportFunction(env, exports, "closeFd", closeFd);
}

}  // namespace heddle
