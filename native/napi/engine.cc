// The engine as JavaScript sees it: each function takes the engine first and does one thing on the
// JavaScript thread.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "io/engine.h"
#include "napi/exports.h"
#include "napi/offloads.h"
#include "napi/wake.h"

namespace heddle {

namespace {

// What an engine's external value holds. Arrays over its counters share the engine, so it outlives
// them; the wake-up function is released when the engine closes.
struct Handle {
  std::shared_ptr<Engine> engine;
  napi_threadsafe_function wake = nullptr;
};

Handle& handleOf(napi_env env, napi_value value) {
  void* data = nullptr;
  NAPI_CHECK(napi_get_value_external(env, value, &data));
  return *static_cast<Handle*>(data);
}

Engine& engineOf(napi_env env, napi_value value) { return *handleOf(env, value).engine; }

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  NAPI_CHECK(napi_get_named_property(env, object, name, &value));
  return value;
}

void finalizeHandle(napi_env, void* data, void*) { delete static_cast<Handle*>(data); }

void finalizeShare(napi_env, void*, void* hint) {
  delete static_cast<std::shared_ptr<Engine>*>(hint);
}

napi_value failure(napi_env env, const Engine::Opened& opened) {
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "step", makeString(env, opened.step)));
  NAPI_CHECK(napi_set_named_property(env, result, "errno", makeNumber(env, opened.error)));
  NAPI_CHECK(napi_set_named_property(env, result, "why", makeString(env, opened.why)));
  return result;
}

napi_value open(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  Engine::Options options;
  options.tun = readString(env, property(env, arguments[0], "tun"));
  options.offloads = readSwitches(env, property(env, arguments[0], "offloads"));
  options.threads = readBool(env, property(env, arguments[0], "threads"));
  options.port = static_cast<uint16_t>(readNumber(env, property(env, arguments[0], "port")));
  options.lanes = static_cast<uint32_t>(readNumber(env, property(env, arguments[0], "lanes")));
  auto handle = std::make_unique<Handle>();
  napi_threadsafe_function wake = createWake(env, arguments[1]);
  Engine::Opened opened;
  handle->engine = Engine::open(
      options, [wake] { napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking); },
      opened);
  if (handle->engine == nullptr) {
    releaseWake(wake);
    return failure(env, opened);
  }
  handle->wake = wake;
  napi_value external = nullptr;
  NAPI_CHECK(napi_create_external(env, handle.release(), finalizeHandle, nullptr, &external));
  napi_value result = nullptr;
  NAPI_CHECK(napi_create_object(env, &result));
  NAPI_CHECK(napi_set_named_property(env, result, "engine", external));
  NAPI_CHECK(napi_set_named_property(env, result, "name", makeString(env, opened.name)));
  NAPI_CHECK(napi_set_named_property(env, result, "port", makeNumber(env, opened.port)));
  NAPI_CHECK(napi_set_named_property(env, result, "remarks", makeStrings(env, opened.remarks)));
  return result;
}

napi_value close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  Handle& handle = handleOf(env, arguments[0]);
  handle.engine->stop();
  releaseWake(handle.wake);
  return nullptr;
}

uint64_t readTime(napi_env env, napi_value value) {
  return static_cast<uint64_t>(readNumber(env, value));
}

Endpoint readEndpoint(napi_env env, napi_value value) {
  std::span<uint8_t> bytes = readBytes(env, value);
  CHECK(bytes.size() == kEndpointBytes);
  return parseEndpoint(bytes.data());
}

napi_value setMac1Key(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  std::span<uint8_t> keys = readBytes(env, arguments[1]);
  CHECK(keys.size() == 32 || keys.size() == 64);
  engineOf(env, arguments[0]).tables().setMac1Key(keys.first<32>(), keys.subspan(32));
  return nullptr;
}

napi_value setMtu(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).tables().setMtu(readU32(env, arguments[1]));
  return nullptr;
}

napi_value setRouteMtu(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).tables().setRouteMtu(readU32(env, arguments[1]));
  return nullptr;
}

napi_value setVtepMac(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  std::span<uint8_t> mac = readBytes(env, arguments[1]);
  CHECK(mac.size() == kMacLengthEthernet);
  engineOf(env, arguments[0]).tables().setVtepMac(loadMac(mac.data()));
  return nullptr;
}

napi_value setOwnAddresses(napi_env env, napi_callback_info info) {
  constexpr size_t each = 17;
  napi_value arguments[2];
  readArguments(env, info, arguments);
  std::span<uint8_t> bytes = readBytes(env, arguments[1]);
  CHECK(bytes.size() % each == 0);
  std::vector<OwnAddress> addresses;
  for (size_t at = 0; at < bytes.size(); at += each) {
    Family family = bytes[at] == 4 ? Family::ipv4 : Family::ipv6;
    addresses.push_back({family, loadAddress(family, bytes.data() + at + 1)});
  }
  engineOf(env, arguments[0]).tables().setOwnAddresses(std::move(addresses));
  return nullptr;
}

napi_value setEncapsulation(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  std::span<uint8_t> record = readBytes(env, arguments[2]);
  CHECK(record.size() == 64 && record[0] <= static_cast<uint8_t>(EncapsulationKind::udp));
  Encapsulation encapsulation;
  encapsulation.kind = static_cast<EncapsulationKind>(record[0]);
  encapsulation.mac = loadMac(record.data() + 1);
  encapsulation.vni = loadLe32(record.data() + 8);
  encapsulation.until = loadLe64(record.data() + 56);
  if (encapsulation.isClear()) encapsulation.endpoint = parseEndpoint(record.data() + 12);
  engineOf(env, arguments[0]).tables().setEncapsulation(readU32(env, arguments[1]), encapsulation);
  return nullptr;
}

napi_value addPeer(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).tables().addPeer(readU32(env, arguments[1]));
  return nullptr;
}

napi_value removePeer(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).removePeer(readU32(env, arguments[1]));
  return nullptr;
}

napi_value insertPrefix(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0])
      .tables()
      .insertPrefix(readBytes(env, arguments[1]), readU32(env, arguments[2]),
                    readU32(env, arguments[3]));
  return nullptr;
}

napi_value removePrefix(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0])
      .tables()
      .removePrefix(readBytes(env, arguments[1]), readU32(env, arguments[2]));
  return nullptr;
}

napi_value publishRoutes(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).tables().publishRoutes();
  return nullptr;
}

napi_value setEndpoint(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0])
      .tables()
      .setEndpoint(readU32(env, arguments[1]), readEndpoint(env, arguments[2]));
  return nullptr;
}

napi_value installKeypair(napi_env env, napi_callback_info info) {
  napi_value arguments[7];
  readArguments(env, info, arguments);
  std::span<uint8_t> indices = readBytes(env, arguments[2]);
  std::span<uint8_t> keys = readBytes(env, arguments[3]);
  CHECK(indices.size() == 8 && keys.size() == 64);
  KeypairMaterial material{};
  std::memcpy(&material.localIndex, indices.data(), 4);
  std::memcpy(&material.remoteIndex, indices.data() + 4, 4);
  std::memcpy(material.sendKey.data(), keys.data(), 32);
  std::memcpy(material.receiveKey.data(), keys.data() + 32, 32);
  material.createdAt = readTime(env, arguments[4]);
  material.isInitiator = readBool(env, arguments[5]);
  std::span<uint8_t> kind = readBytes(env, arguments[6]);
  CHECK(kind.size() == 4 && kind[1] >= 1 && kind[1] <= 2 && kind[2] <= kAnyLane);
  material.takesControl = kind[0] != 0;
  material.suite = static_cast<Suite>(kind[1]);
  material.lane = kind[2];
  material.trustsChecksums = kind[3] != 0;
  engineOf(env, arguments[0]).tables().installKeypair(readU32(env, arguments[1]), material);
  explicit_bzero(&material, sizeof material);
  return nullptr;
}

napi_value useKeypair(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0])
      .tables()
      .useKeypair(readU32(env, arguments[1]), readU32(env, arguments[2]));
  return nullptr;
}

napi_value removeKeypair(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  Engine& engine = engineOf(env, arguments[0]);
  engine.tables().removeKeypair(readU32(env, arguments[1]));
  engine.collect();
  return nullptr;
}

napi_value flushStaged(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).flushStaged(readU32(env, arguments[1]), readBool(env, arguments[2]));
  return nullptr;
}

napi_value dropStaged(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).dropStaged(readU32(env, arguments[1]));
  return nullptr;
}

napi_value sendKeepalive(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).sendKeepalive(readU32(env, arguments[1]));
  return nullptr;
}

napi_value noteHandshake(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0])
      .tables()
      .noteHandshake(readU32(env, arguments[1]), readBool(env, arguments[2]),
                     readU32(env, arguments[3]), readTime(env, arguments[4]));
  return nullptr;
}

napi_value sendControl(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  readArguments(env, info, arguments);
  std::span<uint8_t> message = readBytes(env, arguments[3]);
  CHECK(message.size() <= kMaxControl);
  engineOf(env, arguments[0])
      .sendControl(readU32(env, arguments[1]), readU32(env, arguments[2]), message);
  return nullptr;
}

napi_value readActivity(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  engineOf(env, arguments[0]).readActivity(readU32(env, arguments[1]));
  return nullptr;
}

napi_value send(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  Engine& engine = engineOf(env, arguments[0]);
  return makeNumber(
      env, engine.sendHandshake(readEndpoint(env, arguments[1]), readBytes(env, arguments[2])));
}

napi_value takeEvents(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  Engine& engine = engineOf(env, arguments[0]);
  engine.collect();
  return makeBytes(env, engine.events().take(readU32(env, arguments[1])));
}

// Arrays over the counter blocks themselves: reading costs no call.
napi_value counters(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  napi_value list = nullptr;
  NAPI_CHECK(napi_create_array(env, &list));
  uint32_t index = 0;
  const std::shared_ptr<Engine>& engine = handleOf(env, arguments[0]).engine;
  for (CounterBlock* block : engine->counterBlocks()) {
    constexpr size_t words = kCounterCount + kDropCount;
    napi_value buffer = nullptr;
    napi_value array = nullptr;
    NAPI_CHECK(napi_create_external_arraybuffer(env, block, words * sizeof(Word), finalizeShare,
                                                new std::shared_ptr<Engine>(engine), &buffer));
    NAPI_CHECK(napi_create_typedarray(env, napi_biguint64_array, words, buffer, 0, &array));
    NAPI_CHECK(napi_set_element(env, list, index++, array));
  }
  return list;
}

napi_value traffic(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  PeerTraffic peer = engineOf(env, arguments[0]).tables().traffic(readU32(env, arguments[1]));
  uint64_t* words = nullptr;
  napi_value array = makeWords(env, 4 + kDropCount, words);
  words[0] = peer.rxBytes;
  words[1] = peer.txBytes;
  words[2] = peer.rxPackets;
  words[3] = peer.txPackets;
  std::copy(peer.drops.begin(), peer.drops.end(), words + 4);
  return array;
}

}  // namespace

Engine& readEngine(napi_env env, napi_value value) { return engineOf(env, value); }

void registerEngine(napi_env env, napi_value exports) {
  exportFunction(env, exports, "engineOpen", open);
  exportFunction(env, exports, "engineClose", close);
  exportFunction(env, exports, "engineSetMac1Key", setMac1Key);
  exportFunction(env, exports, "engineSetMtu", setMtu);
  exportFunction(env, exports, "engineSetRouteMtu", setRouteMtu);
  exportFunction(env, exports, "engineSetVtepMac", setVtepMac);
  exportFunction(env, exports, "engineSetOwnAddresses", setOwnAddresses);
  exportFunction(env, exports, "engineSetEncapsulation", setEncapsulation);
  exportFunction(env, exports, "engineAddPeer", addPeer);
  exportFunction(env, exports, "engineRemovePeer", removePeer);
  exportFunction(env, exports, "engineInsertPrefix", insertPrefix);
  exportFunction(env, exports, "engineRemovePrefix", removePrefix);
  exportFunction(env, exports, "enginePublishRoutes", publishRoutes);
  exportFunction(env, exports, "engineSetEndpoint", setEndpoint);
  exportFunction(env, exports, "engineInstallKeypair", installKeypair);
  exportFunction(env, exports, "engineUseKeypair", useKeypair);
  exportFunction(env, exports, "engineRemoveKeypair", removeKeypair);
  exportFunction(env, exports, "engineFlushStaged", flushStaged);
  exportFunction(env, exports, "engineDropStaged", dropStaged);
  exportFunction(env, exports, "engineSendKeepalive", sendKeepalive);
  exportFunction(env, exports, "engineSendControl", sendControl);
  exportFunction(env, exports, "engineNoteHandshake", noteHandshake);
  exportFunction(env, exports, "engineReadActivity", readActivity);
  exportFunction(env, exports, "engineSend", send);
  exportFunction(env, exports, "engineTakeEvents", takeEvents);
  exportFunction(env, exports, "engineCounters", counters);
  exportFunction(env, exports, "engineTraffic", traffic);
}

}  // namespace heddle
