// How a peer's packets cross the underlay: the twin of src/encap/encapsulation.ts.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "path/endpoint_table.h"
#include "wire/ethernet.h"

namespace heddle {

enum class EncapsulationKind : uint8_t { wireguard, vxlanSealed, vxlan, udp };

inline constexpr Instant kForever = UINT64_MAX;

// Immutable once the walk sees it.
struct Encapsulation {
  EncapsulationKind kind = EncapsulationKind::wireguard;
  uint32_t vni = 0;  // both vxlan kinds; 0 otherwise
  // Of clear kinds.
  Endpoint endpoint{};
  Mac mac{};  // vxlan: the peer's VTEP
  Instant until = kForever;

  bool isClear() const {
    return kind == EncapsulationKind::vxlan || kind == EncapsulationKind::udp;
  }
  PortKind port() const {
    if (kind == EncapsulationKind::vxlan) return PortKind::vxlan;
    return kind == EncapsulationKind::udp ? PortKind::udp : PortKind::sealed;
  }
};

// Whether two clear peers are found alike.
inline bool isSamePlace(const Encapsulation& a, const Encapsulation& b) {
  return a.kind == b.kind && a.vni == b.vni && a.endpoint == b.endpoint && a.mac == b.mac;
}

}  // namespace heddle
