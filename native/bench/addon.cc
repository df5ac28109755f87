// The benchmark's own addon: it runs inside node, as the product's does, so that the walk seals
// with the same functions. Types are checked in bench/in_process.ts.
#include <memory>

#include "bench/node_pair.h"
#include "napi/exports.h"

namespace heddle::bench {

namespace {

NodePair& readPair(napi_env env, napi_value value) {
  void* pair = nullptr;
  NAPI_CHECK(napi_get_value_external(env, value, &pair));
  NodePair* open = static_cast<std::unique_ptr<NodePair>*>(pair)->get();
  CHECK(open != nullptr);
  return *open;
}

napi_value pairOpen(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  readArguments(env, info, arguments);
  PairTables tables{.peers = readU32(env, arguments[0]),
                    .prefixes = readU32(env, arguments[1]),
                    .isClear = readBool(env, arguments[2]),
                    .isHeddle = readBool(env, arguments[3])};
  auto holder = std::make_unique<std::unique_ptr<NodePair>>(std::make_unique<NodePair>(tables));
  napi_value external = nullptr;
  auto destroy = [](napi_env, void* held, void*) {
    delete static_cast<std::unique_ptr<NodePair>*>(held);
  };
  NAPI_CHECK(napi_create_external(env, holder.release(), destroy, nullptr, &external));
  return external;
}

// It may not be used any more. Where many are opened, their memory would wait for the collector.
napi_value pairClose(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  void* held = nullptr;
  NAPI_CHECK(napi_get_value_external(env, arguments[0], &held));
  static_cast<std::unique_ptr<NodePair>*>(held)->reset();
  return nullptr;
}

// Nanoseconds a packet: { out, in }.
napi_value pairCarry(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  readArguments(env, info, arguments);
  PairTraffic traffic{.packetBytes = readU32(env, arguments[1]),
                      .packetsAtOnce = readU32(env, arguments[2]),
                      .isSpread = readBool(env, arguments[3])};
  PairCost cost = readPair(env, arguments[0]).carry(traffic, readU32(env, arguments[4]));
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "out", makeNumber(env, cost.out)));
  NAPI_CHECK(napi_set_named_property(env, result, "in", makeNumber(env, cost.in)));
  return result;
}

napi_value initialize(napi_env env, napi_value exports) {
  exportFunction(env, exports, "pairOpen", pairOpen);
  exportFunction(env, exports, "pairClose", pairClose);
  exportFunction(env, exports, "pairCarry", pairCarry);
  return exports;
}

}  // namespace

}  // namespace heddle::bench

NAPI_MODULE(heddle_bench, heddle::bench::initialize)
