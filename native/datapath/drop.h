// Why the walk drops a packet: the same closed list, in the same order, as src/datapath/drop.ts.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace heddle {

enum class Drop : uint8_t {
  innerMalformed,
  noRoute,
  noEndpoint,
  innerTooBig,
  loop,
  stagedOverflow,
  stagedExpired,
  sendNoBuffer,
  sendUnreachable,
  sendRefused,
  sendTooBig,
  sendFailed,
  ttl,
  clearEnded,
  datagramLength,
  datagramType,
  mac1,
  handshakeOverflow,
  unknownIndex,
  counterLimit,
  keypairExpired,
  tag,
  replay,
  openedMalformed,
  openedProtocol,
  openedSource,
  controlLength,
  controlOverflow,
  encapsulation,
  clearSource,
  clearHeader,
  clearMac,
  clearEthertype,
  tunWrite,
  none,  // not a reason: the packet passed
};

inline constexpr size_t kDropCount = static_cast<size_t>(Drop::none);

inline constexpr std::array<std::string_view, kDropCount> kDropNames = {
    "inner_malformed",
    "no_route",
    "no_endpoint",
    "inner_too_big",
    "loop",
    "staged_overflow",
    "staged_expired",
    "send_no_buffer",
    "send_unreachable",
    "send_refused",
    "send_too_big",
    "send_failed",
    "ttl",
    "clear_ended",
    "datagram_length",
    "datagram_type",
    "mac1",
    "handshake_overflow",
    "unknown_index",
    "counter_limit",
    "keypair_expired",
    "tag",
    "replay",
    "opened_malformed",
    "opened_protocol",
    "opened_source",
    "control_length",
    "control_overflow",
    "encapsulation",
    "clear_source",
    "clear_header",
    "clear_mac",
    "clear_ethertype",
    "tun_write",
};

}  // namespace heddle
