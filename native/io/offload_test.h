// Self-tests of the kernel's offloads: whether what it says it can do comes out right. Those of UDP
// send through the loopback between two sockets of this process; they end within a tenth of a
// second, whatever happens, and within a millisecond as a rule.
#pragma once

#include "io/offloads.h"

namespace heddle {

// Three segments and a shorter one, sent in one call, arrive as four datagrams, none altered.
// Untested where the loopback carries nothing, or no socket can be had there.
SelfTest testUdpGso();
// The same arrive in one call, with their length beside them.
SelfTest testUdpGro();

// Whether a TUN device takes the setting, and its virtio-net header has the length we count on. The
// device is left with this setting or with none.
SelfTest testTunTcp(int tun);
SelfTest testTunUdp(int tun);
SelfTest testTunChecksums(int tun);

}  // namespace heddle
