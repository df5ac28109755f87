// Checksums that somebody left for the hardware: a kernel that sends VXLAN over a device of its own
// host (veth, virtio) puts only the pseudo-header's sum into the inner TCP or UDP checksum, and
// notes beside the packet that the rest is missing (Linux CHECKSUM_PARTIAL, linux/skbuff.h). The
// note does not reach a socket. A packet whose checksum is that very sum gets a whole one. The twin
// is src/datapath/fill_checksum.ts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle {

// Of a packet of exactly innerLength bytes.
void fillChecksum(uint8_t* packet, size_t length);

}  // namespace heddle
