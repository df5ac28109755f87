// Who gets a datagram: by its full 32-bit type, with the exact length of that type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datapath/drop.h"
#include "wire/wireguard.h"

namespace heddle {

enum class Destination : uint8_t { dropped, handshake, data };

struct Demux {
  Destination destination = Destination::dropped;
  Drop reason = Drop::none;  // why it was dropped
};

inline Demux demux(std::span<const uint8_t> datagram) {
  constexpr Demux wrongLength{Destination::dropped, Drop::datagramLength};
  if (datagram.size() < 4) return wrongLength;
  size_t expected = 0;
  switch (messageType(datagram.data())) {
    case kTypeInitiation:
      expected = kInitiationLength;
      break;
    case kTypeResponse:
      expected = kResponseLength;
      break;
    case kTypeCookie:
      expected = kCookieLength;
      break;
    case kTypeData:
    case kTypeHeddle:
    case kTypeHeddlePartial:
      return datagram.size() < kDataOverhead ? wrongLength : Demux{Destination::data, Drop::none};
    default:
      return {Destination::dropped, Drop::datagramType};
  }
  return datagram.size() == expected ? Demux{Destination::handshake, Drop::none} : wrongLength;
}

}  // namespace heddle
