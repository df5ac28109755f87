// The engine's ports as JavaScript changes them while it runs.
#include <cstring>
#include <vector>

#include "io/engine.h"
#include "napi/exports.h"
#include "napi/offloads.h"

namespace heddle {

namespace {

napi_value setMark(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  return makeNumber(env, readEngine(env, arguments[0]).setMark(readU32(env, arguments[1])));
}

napi_value setOffloads(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  OffloadSwitches wanted = readSwitches(env, arguments[1]);
  return makeString(env, readEngine(env, arguments[0]).setOffloads(wanted));
}

napi_value offloads(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  auto now = static_cast<Instant>(readNumber(env, arguments[1]));
  return makeReports(env, readEngine(env, arguments[0]).offloads(now));
}

napi_value buffers(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  SocketBuffers found = readEngine(env, arguments[0]).buffers();
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "asked", makeNumber(env, found.asked)));
  NAPI_CHECK(napi_set_named_property(env, result, "receive", makeNumber(env, found.receive)));
  NAPI_CHECK(napi_set_named_property(env, result, "send", makeNumber(env, found.send)));
  return result;
}

napi_value setClearPorts(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  std::span<uint8_t> bytes = readBytes(env, arguments[1]);
  CHECK(bytes.size() % sizeof(uint32_t) == 0);
  std::vector<uint32_t> ports(bytes.size() / sizeof(uint32_t));
  if (!bytes.empty()) std::memcpy(ports.data(), bytes.data(), bytes.size());
  return makeNumber(env, readEngine(env, arguments[0]).setClearPorts(ports));
}

napi_value setListenPort(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  auto port = static_cast<uint16_t>(readU32(env, arguments[1]));
  return makeNumber(env, readEngine(env, arguments[0]).setListenPort(port));
}

napi_value hasTun(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  return makeBool(env, readEngine(env, arguments[0]).hasTun());
}

napi_value reopenTun(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  return makeNumber(env, readEngine(env, arguments[0]).reopenTun());
}

}  // namespace

void registerPorts(napi_env env, napi_value exports) {
  exportFunction(env, exports, "engineSetMark", setMark);
  exportFunction(env, exports, "engineSetOffloads", setOffloads);
  exportFunction(env, exports, "engineOffloads", offloads);
  exportFunction(env, exports, "engineBuffers", buffers);
  exportFunction(env, exports, "engineSetClearPorts", setClearPorts);
  exportFunction(env, exports, "engineSetListenPort", setListenPort);
  exportFunction(env, exports, "engineHasTun", hasTun);
  exportFunction(env, exports, "engineReopenTun", reopenTun);
}

}  // namespace heddle
