/**
 * IP protocol numbers (IANA "Protocol Numbers") that heddle looks at; the same in IPv4's protocol
 * and IPv6's next header.
 */

export const PROTOCOL_HOP_BY_HOP = 0;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ROUTING = 43;
export const PROTOCOL_FRAGMENT = 44;
export const PROTOCOL_AUTHENTICATION = 51;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_NO_NEXT = 59;
export const PROTOCOL_DESTINATION = 60;
export const PROTOCOL_MOBILITY = 135;
export const PROTOCOL_HIP = 139;
export const PROTOCOL_SHIM6 = 140;
