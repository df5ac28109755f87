// Ethernet frames behind VXLAN headers, in the clear: the twin of src/encap/vxlan.ts.
//
// A packet goes out in a frame from our VTEP to the peer's, whatever neighbours it came from: the
// TUN has no Ethernet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "encap/encapsulation.h"
#include "wire/vxlan.h"

namespace heddle {

// What stands before an inner packet.
inline constexpr size_t kFrameOverhead = kVxlanHeader + kEthernetHeader;
// The shortest inner packet is an IPv4 header.
inline constexpr size_t kShortestFrame = kFrameOverhead + 20;

inline void emitFrameHeader(uint8_t* at, const Encapsulation& peer, const Mac& own,
                            uint16_t etherType) {
  emitVxlan(at, peer.vni);
  emitEthernet(at + kVxlanHeader, peer.mac, own, etherType);
}

}  // namespace heddle
