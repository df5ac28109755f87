/**
 * Why the walk drops a packet: a closed list, in this order in `native/datapath/drop.h` too. Every
 * drop is counted under exactly one reason and nothing else is done about it: no log line, no
 * answer to the network. Only the host's own senders are told of `no_route` and `no_endpoint`
 * (refusals.ts).
 */

export const DROPS = [
  // TUN -> wire
  'inner_malformed', // not IPv4 or IPv6, or its lengths contradict themselves
  'no_route', // the destination lies in no peer's allowed prefixes
  'no_endpoint', // the peer owns it, but nothing says where the peer is
  'inner_too_big', // longer than the tunnel's MTU
  'loop', // our own datagram to this peer came back: its endpoint is routed into the tunnel
  'staged_overflow', // the oldest staged packet made room for a newer one
  'staged_expired', // staged, but no session came of 90 s of handshakes, or the peer was removed
  'send_no_buffer', // ENOBUFS, EAGAIN, ENOMEM
  'send_unreachable', // ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL, ENODEV, EINVAL
  'send_refused', // EPERM, EACCES, ECONNREFUSED
  'send_too_big', // EMSGSIZE
  'send_failed', // any other errno
  // both ways, clear encapsulations
  'ttl', // udp: the packet's TTL or hop limit ended here
  'clear_ended', // the peer's plaintextUntil is past
  // wire -> TUN
  'datagram_length', // not the exact length of its type, or a data message below 32 bytes
  'datagram_type', // unknown message type or reserved bytes not zero
  'mac1', // the first MAC is wrong: not sent by anyone who knows our public key
  'handshake_overflow', // more handshakes waiting for the control plane than the queue holds
  'unknown_index', // no session has this receiver index
  'counter_limit', // the counter is at or past Reject-After-Messages
  'keypair_expired', // the keypair is older than Reject-After-Time
  'tag', // does not authenticate
  'replay', // counter seen before, or behind the window
  'opened_malformed', // authenticates, but the inner packet is not a whole IPv4 or IPv6 packet
  'opened_protocol', // authenticates, but its first nibble was never negotiated
  'opened_source', // the inner source address is not one of this peer's
  'control_length', // authenticates, but is a control message of more than MAX_CONTROL bytes
  'control_overflow', // more control messages waiting for the control plane than the queue holds
  'encapsulation', // a sealed message in another encapsulation than its peer's
  'clear_source', // no clear peer has this outer address and VNI
  'clear_header', // VXLAN's I bit is clear, or the frame or packet is cut short
  'clear_mac', // not to our VTEP's MAC, or from another peer's
  'clear_ethertype', // neither IPv4 nor IPv6, nor a neighbour question for our own address
  'tun_write', // the TUN device did not take the packet
] as const;

export type Drop = (typeof DROPS)[number];

/** The index of a reason in DROPS, as native code and counters use it. */
export function dropCode(reason: Drop): number {
  return DROPS.indexOf(reason);
}
