// The addon's entry: registers what each file of this folder exports. Types are checked in
// src/io/native.ts.
#include "napi/exports.h"

namespace heddle {

static napi_value initialize(napi_env env, napi_value exports) {
  registerSystem(env, exports);
  registerAead(env, exports);
  registerNetlink(env, exports);
  registerEngine(env, exports);
  registerPorts(env, exports);
  registerChannel(env, exports);
  return exports;
}

}  // namespace heddle

NAPI_MODULE(heddle, heddle::initialize)
