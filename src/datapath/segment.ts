/**
 * Cuts a TCP or UDP super-packet into the packets it stands for, as a network card would (Linux
 * net/ipv4/tcp_offload.c and udp_offload.c), and finishes checksums that the kernel left to the
 * card. Only native lanes see super-packets; this is what native/datapath/segment.cc is compared
 * with.
 *
 * Of each packet: its own lengths and checksums; IPv4 identifiers count up; TCP sequence numbers go
 * on by what was sent before. FIN and PSH belong to the last byte, so only the last packet has
 * them; CWR is said once, by the first.
 */

import { storeBe16 } from '../base/bytes.js';
import { checksumOf, sumBytes } from '../wire/checksum.js';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../base/ip_protocol.js';
import {
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Identifier,
  ipv4MoreFragments,
  ipv4Protocol,
  setIpv4Checksum,
  setIpv4TotalLength,
} from '../wire/ipv4.js';
import { IPV6_HEADER_BYTES, ipv6NextHeader, setIpv6PayloadLength } from '../wire/ipv6.js';
import {
  setTcpChecksum,
  setTcpFlags,
  setTcpSequence,
  TCP_CWR,
  TCP_FIN,
  TCP_HEADER_BYTES,
  TCP_PSH,
  tcpFlags,
  tcpHeaderLength,
  tcpSequence,
} from '../wire/tcp.js';
import { setUdpChecksum, setUdpLength, UDP_HEADER_BYTES } from '../wire/udp.js';
import {
  VIRTIO_GSO_ECN,
  VIRTIO_GSO_NONE,
  VIRTIO_GSO_TCPV4,
  VIRTIO_GSO_TCPV6,
  VIRTIO_GSO_UDP_L4,
  VIRTIO_NEEDS_CSUM,
  type VirtioNetHeader,
} from '../wire/virtio_net.js';
import { innerFamily, innerLength } from './classify.js';

/** Headers that are longer are refused: longer than any that the kernel makes. */
const HEADER_MOST_BYTES = 256;
const IPV4_IDENTIFIER_AT = 4;

/** How a super-packet is laid out. */
interface Layout {
  readonly isTcp: boolean;
  readonly transportAt: number;
  readonly payloadAt: number;
  /** Payload bytes of each packet but the last. */
  readonly segment: number;
}

/**
 * The packets that one read of a TUN device amounts to, in order, in new bytes. Undefined when
 * header and packet contradict each other, or are of a kind that is never asked for.
 */
export function segment(header: VirtioNetHeader, packet: Uint8Array): Uint8Array[] | undefined {
  if (header.gsoType === VIRTIO_GSO_NONE) {
    const isPartial = (header.flags & VIRTIO_NEEDS_CSUM) !== 0;
    const whole = isPartial ? completeChecksum(header, packet) : packet.slice();
    return whole && [whole];
  }
  const layout = layoutOf(header, packet);
  if (!layout) return undefined;
  const payload = packet.length - layout.payloadAt;
  const count = Math.max(1, Math.ceil(payload / layout.segment));
  return Array.from({ length: count }, (_, index) => cut(packet, layout, { index, count }));
}

function cut(
  packet: Uint8Array,
  layout: Layout,
  place: { readonly index: number; readonly count: number },
): Uint8Array {
  const { isTcp, transportAt, payloadAt } = layout;
  const before = place.index * layout.segment;
  const slice = packet.subarray(payloadAt + before, payloadAt + before + layout.segment);
  const cutOut = new Uint8Array(payloadAt + slice.length);
  cutOut.set(packet.subarray(0, payloadAt));
  cutOut.set(slice, payloadAt);
  setLengths(cutOut, place.index);
  if (isTcp) {
    const isLast = place.index === place.count - 1;
    const cleared = (isLast ? 0 : TCP_FIN | TCP_PSH) | (place.index === 0 ? 0 : TCP_CWR);
    setTcpFlags(cutOut, transportAt, tcpFlags(packet, transportAt) & ~cleared);
    setTcpSequence(cutOut, transportAt, (tcpSequence(packet, transportAt) + before) >>> 0);
    setTcpChecksum(cutOut, transportAt, { packetAt: 0, end: cutOut.length });
  } else {
    setUdpLength(cutOut, transportAt, cutOut.length - transportAt);
    setUdpChecksum(cutOut, transportAt, 0);
  }
  return cutOut;
}

function setLengths(packet: Uint8Array, index: number): void {
  if (innerFamily(packet) === 6) {
    setIpv6PayloadLength(packet, 0, packet.length - IPV6_HEADER_BYTES);
    return;
  }
  storeBe16(packet, IPV4_IDENTIFIER_AT, ipv4Identifier(packet, 0) + index);
  setIpv4TotalLength(packet, 0, packet.length);
  setIpv4Checksum(packet, 0);
}

function layoutOf(header: VirtioNetHeader, packet: Uint8Array): Layout | undefined {
  if (header.gsoSize === 0 || packet.length === 0) return undefined;
  if (innerLength(packet) !== packet.length) return undefined;
  const protocol = protocolOf(header.gsoType, innerFamily(packet));
  const transportAt = protocol && findTransport(header, packet, protocol);
  if (!transportAt) return undefined;
  const isTcp = protocol === PROTOCOL_TCP;
  const least = isTcp ? TCP_HEADER_BYTES : UDP_HEADER_BYTES;
  if (transportAt + least > packet.length) return undefined;
  const length = isTcp ? tcpHeaderLength(packet, transportAt) : UDP_HEADER_BYTES;
  const payloadAt = transportAt + length;
  if (length < least || payloadAt > packet.length || payloadAt > HEADER_MOST_BYTES)
    return undefined;
  return { isTcp, transportAt, payloadAt, segment: header.gsoSize };
}

/**
 * Which protocol a super-packet of this kind carries; undefined when the kind and the family
 * contradict each other.
 */
function protocolOf(gsoType: number, family: 4 | 6): number | undefined {
  switch (gsoType & ~VIRTIO_GSO_ECN) {
    case VIRTIO_GSO_TCPV4:
      return family === 4 ? PROTOCOL_TCP : undefined;
    case VIRTIO_GSO_TCPV6:
      return family === 6 ? PROTOCOL_TCP : undefined;
    case VIRTIO_GSO_UDP_L4:
      return PROTOCOL_UDP;
    default:
      return undefined;
  }
}

/**
 * Behind IPv6 extension headers only the kernel's word is taken for where the transport header
 * starts.
 */
function findTransport(
  header: VirtioNetHeader,
  packet: Uint8Array,
  protocol: number,
): number | undefined {
  if (innerFamily(packet) === 4) {
    const isFragment = ipv4MoreFragments(packet, 0) || ipv4FragmentOffset(packet, 0) > 0;
    if (ipv4Protocol(packet, 0) !== protocol || isFragment) return undefined;
    return ipv4HeaderLength(packet, 0);
  }
  if (ipv6NextHeader(packet, 0) === protocol) return IPV6_HEADER_BYTES;
  const isStated = (header.flags & VIRTIO_NEEDS_CSUM) !== 0;
  return isStated && header.checksumStart > IPV6_HEADER_BYTES ? header.checksumStart : undefined;
}

/**
 * A copy of a VIRTIO_NEEDS_CSUM packet with the checksum that it lacks; its field holds the
 * pseudo-header's sum. Undefined when the header points outside the packet.
 */
export function completeChecksum(
  header: VirtioNetHeader,
  packet: Uint8Array,
): Uint8Array | undefined {
  const start = header.checksumStart;
  const at = start + header.checksumOffset;
  if (at + 2 > packet.length) return undefined;
  const complete = packet.slice();
  const checksum = checksumOf(sumBytes(packet, start, packet.length - start));
  // Zero would say that there is none; 0xffff is the same number (RFC 768).
  storeBe16(complete, at, checksum === 0 ? 0xffff : checksum);
  return complete;
}
