// Offloads between JavaScript and the engine, by the names of src/node/offloads.ts.
#pragma once

#include "io/engine.h"
#include "napi/exports.h"

namespace heddle {

// From an object with each offload's switch: on, off or auto.
inline OffloadSwitches readSwitches(napi_env env, napi_value object) {
  OffloadSwitches switches{};
  for (size_t i = 0; i < kOffloadCount; i++) {
    napi_value value = nullptr;
    NAPI_CHECK(napi_get_named_property(env, object, kOffloadNames[i].data(), &value));
    std::string text = readString(env, value);
    OffloadSwitch& choice = switches[static_cast<Offload>(i)];
    if (text == "on") choice = OffloadSwitch::on;
    if (text == "off") choice = OffloadSwitch::off;
  }
  return switches;
}

// To an object with what was made of each.
inline napi_value makeReports(napi_env env, const PerOffload<Engine::OffloadReport>& reports) {
  napi_value object = nullptr;
  NAPI_CHECK(napi_create_object(env, &object));
  for (size_t i = 0; i < kOffloadCount; i++) {
    const Engine::OffloadReport& report = reports[static_cast<Offload>(i)];
    napi_value entry = nullptr;
    NAPI_CHECK(napi_create_object(env, &entry));
    auto set = [&](const char* name, napi_value value) {
      NAPI_CHECK(napi_set_named_property(env, entry, name, value));
    };
    set("isOn", makeBool(env, report.verdict.isOn));
    set("why", makeString(env, report.verdict.why));
    set("resting", makeNumber(env, static_cast<double>(report.resting)));
    set("since", makeNumber(env, static_cast<double>(report.since)));
    NAPI_CHECK(napi_set_named_property(env, object, kOffloadNames[i].data(), entry));
  }
  return object;
}

}  // namespace heddle
