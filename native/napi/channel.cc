// The channel backend's ends, for tests: packets and datagrams put to the walk and taken from it.
#include "io/channel.h"
#include "io/engine.h"
#include "napi/exports.h"

namespace heddle {

namespace {

ChannelTun& tunOf(napi_env env, napi_value value) {
  ChannelTun* tun = readEngine(env, value).channelTun();
  CHECK(tun != nullptr);
  return *tun;
}

ChannelUdp& udpOf(napi_env env, napi_value value) {
  ChannelUdp* udp = readEngine(env, value).channelUdp();
  CHECK(udp != nullptr);
  return *udp;
}

napi_value pump(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  readEngine(env, arguments[0]).pump(static_cast<uint64_t>(readNumber(env, arguments[1])));
  return nullptr;
}

napi_value putPacket(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  readArguments(env, info, arguments);
  std::span<uint8_t> packet = readBytes(env, arguments[1]);
  tunOf(env, arguments[0]).toWalk.put({packet.begin(), packet.end()});
  return nullptr;
}

napi_value putDatagram(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  readArguments(env, info, arguments);
  std::span<uint8_t> source = readBytes(env, arguments[1]);
  std::span<uint8_t> bytes = readBytes(env, arguments[2]);
  auto segment = static_cast<size_t>(readNumber(env, arguments[3]));
  auto arrival = static_cast<uint32_t>(readNumber(env, arguments[4]));
  CHECK(source.size() == kEndpointBytes);
  CHECK(bytes.empty() || segment > 0);
  ChannelDatagram datagram{parseEndpoint(source.data()), {bytes.begin(), bytes.end()}, segment};
  if (arrival != 0) {
    datagram.arrival = {.kind = (arrival & kUdpPort) != 0 ? PortKind::udp : PortKind::vxlan,
                        .port = static_cast<uint16_t>(arrival)};
  }
  udpOf(env, arguments[0]).toWalk.put(std::move(datagram));
  return nullptr;
}

napi_value takePackets(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  ChannelTun& tun = tunOf(env, arguments[0]);
  napi_value list = nullptr;
  NAPI_CHECK(napi_create_array(env, &list));
  std::vector<uint8_t> packet;
  for (uint32_t i = 0; tun.fromWalk.take(packet); i++) {
    NAPI_CHECK(napi_set_element(env, list, i, makeBytes(env, packet)));
  }
  return list;
}

napi_value takeDatagrams(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  readArguments(env, info, arguments);
  ChannelUdp& udp = udpOf(env, arguments[0]);
  napi_value list = nullptr;
  NAPI_CHECK(napi_create_array(env, &list));
  ChannelDatagram datagram;
  for (uint32_t i = 0; udp.fromWalk.take(datagram); i++) {
    std::array<uint8_t, kEndpointBytes> endpoint{};
    emitEndpoint(datagram.endpoint, endpoint.data());
    napi_value entry = nullptr;
    NAPI_CHECK(napi_create_object(env, &entry));
    NAPI_CHECK(napi_set_named_property(env, entry, "endpoint", makeBytes(env, endpoint)));
    NAPI_CHECK(napi_set_named_property(env, entry, "datagram", makeBytes(env, datagram.bytes)));
    NAPI_CHECK(napi_set_named_property(env, entry, "hops", makeNumber(env, datagram.via.hops)));
    auto kind = static_cast<double>(datagram.via.kind);
    NAPI_CHECK(napi_set_named_property(env, entry, "port", makeNumber(env, kind)));
    NAPI_CHECK(napi_set_element(env, list, i, entry));
  }
  return list;
}

napi_value failSends(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  readArguments(env, info, arguments);
  udpOf(env, arguments[0])
      .failSends({.error = static_cast<int>(readNumber(env, arguments[1])),
                  .count = static_cast<int>(readNumber(env, arguments[2]))});
  return nullptr;
}

}  // namespace

void registerChannel(napi_env env, napi_value exports) {
  exportFunction(env, exports, "enginePump", pump);
  exportFunction(env, exports, "channelPutPacket", putPacket);
  exportFunction(env, exports, "channelPutDatagram", putDatagram);
  exportFunction(env, exports, "channelTakePackets", takePackets);
  exportFunction(env, exports, "channelTakeDatagrams", takeDatagrams);
  exportFunction(env, exports, "channelFailSends", failSends);
}

}  // namespace heddle
