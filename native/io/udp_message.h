// One sendmsg and one recvmsg of outer datagrams, with what stands beside the bytes: UDP GSO and
// GRO (Linux net/ipv4/udp_offload.c), the local address (ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO),
// the traffic class and the hop limit.
#pragma once

#include <cstdint>
#include <span>

#include "io/ports.h"

namespace heddle {

struct SendOptions {
  int flags = 0;         // of sendmsg(2)
  int trafficClass = 0;  // IP_TOS or IPV6_TCLASS; 0 is the socket's own
  int hops = 0;          // IP_TTL or IPV6_HOPLIMIT; 0 is the socket's own
};

// Sends datagrams lying back to back, `segment` bytes each but for a shorter last one, from `fd`,
// which is of the endpoint's family. 0 or a negative errno.
int sendDatagrams(int fd, const Endpoint& to, std::span<const uint8_t> bytes, size_t segment,
                  const SendOptions& options);

// Receives into `buffer` without waiting and fills in all of `received` but its arrival;
// `overflows` becomes the socket's SO_RXQ_OVFL where the datagram tells it. 0 or a negative errno.
int receiveDatagrams(int fd, std::span<uint8_t> buffer, Received& received, uint32_t& overflows);

}  // namespace heddle
