// A JavaScript function that any thread may have called, soon, on JavaScript's own; it does not
// keep the process alive.
#pragma once

#include <node_api.h>

namespace heddle {

napi_threadsafe_function createWake(napi_env env, napi_value function);
// No thread may call it any more. Sets it to null; null is released already.
void releaseWake(napi_threadsafe_function& wake);

}  // namespace heddle
