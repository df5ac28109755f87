// One rtnetlink exchange (rtnetlink(7)): requests out on a fresh socket, all their replies back.
// The messages themselves are built and read in src/wire/netlink.ts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heddle {

// Sends `requests`, netlink messages back to back, each of which asks for an acknowledgement or is
// a dump, and appends all replies to `replies`, until each request has had its NLMSG_ERROR (an
// acknowledgement has error 0) or NLMSG_DONE. 0 or a negative errno; -ETIMEDOUT when the kernel did
// not answer within two seconds.
int netlinkExchange(std::span<const uint8_t> requests, std::vector<uint8_t>& replies);

}  // namespace heddle
