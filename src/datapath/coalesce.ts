/**
 * Which opened packets may go to the TUN as one super-packet, and what that looks like. Cutting it
 * again (segment.ts) gives the same packets, in the same order within a flow. Only native lanes
 * write super-packets; this is what native/datapath/coalesce.cc is compared with.
 *
 * Two packets join when the second is what a network card would cut next: TCP or UDP without IP
 * options, extension headers or fragments; all header fields equal but lengths, checksums, PSH, the
 * sequence number, which goes on, and the IPv4 identifier, which counts up unless fragmenting is
 * forbidden; right checksums, for the kernel will make new ones. PSH or a shorter payload ends a
 * super-packet. ECN and CWR stay as they are on the wire: a difference in them keeps packets apart.
 * Nested tunnels are left alone, because their drivers lose super-packets.
 *
 * Limits: OPEN_MOST flows at a time, the oldest is written for a newer one; one IP packet's length;
 * UDP_SEGMENTS_MOST datagrams.
 */

import { equal, loadBe16, storeBe16 } from '../base/bytes.js';
import { foldSum, isSumRight, sumBytes, sumPseudoHeader } from '../wire/checksum.js';
import { PROTOCOL_TCP } from '../base/ip_protocol.js';
import {
  ipv4DontFragment,
  ipv4Identifier,
  ipv4TimeToLive,
  ipv4TypeOfService,
  isIpv4ChecksumRight,
  setIpv4Checksum,
  setIpv4TotalLength,
} from '../wire/ipv4.js';
import { IPV6_HEADER_BYTES, ipv6HopLimit, setIpv6PayloadLength } from '../wire/ipv6.js';
import {
  setTcpFlags,
  TCP_ACK,
  TCP_CHECKSUM_AT,
  TCP_ECE,
  TCP_PSH,
  tcpAcknowledgement,
  tcpFlags,
  tcpSequence,
  tcpUrgentPointer,
  tcpWindow,
} from '../wire/tcp.js';
import { setUdpLength, UDP_CHECKSUM_AT, udpChecksum } from '../wire/udp.js';
import {
  emitVirtioNet,
  VIRTIO_GSO_NONE,
  VIRTIO_GSO_TCPV4,
  VIRTIO_GSO_TCPV6,
  VIRTIO_GSO_UDP_L4,
  VIRTIO_NEEDS_CSUM,
  VIRTIO_NET_BYTES,
  type VirtioNetHeader,
} from '../wire/virtio_net.js';
import { classify, type Flow, innerFamily, isSameFlow, type Transport } from './classify.js';

export interface CoalesceOptions {
  readonly tcp: boolean;
  /** Only where the kernel takes UDP_L4 writes (6.2). */
  readonly udp: boolean;
}

const OPEN_MOST = 8;
const PACKET_MOST_BYTES = 65_535;
/** Kernels before 6.9 take 64. */
const UDP_SEGMENTS_MOST = 63;
/** VXLAN, VXLAN on Linux's own port, Geneve. */
const TUNNEL_PORTS: readonly number[] = [4789, 8472, 6081];
/** Data offset and reserved bits, behind which flags follow. */
const TCP_OFFSET_AT = 12;
const TCP_OPTIONS_AT = 20;
const IPV4_FRAGMENT_AT = 6;

/** Packets of one flow that are to be one super-packet, in order; at least one. */
interface Open {
  readonly flow: Flow;
  readonly transport: Transport;
  readonly packets: Uint8Array[];
  /** Payload bytes of the first packet. */
  readonly segment: number;
  /** The super-packet's length so far. */
  length: number;
}

/**
 * The frames to write, in order: a virtio-net header and a packet each. `packets` are whole IPv4 or
 * IPv6 packets without padding, of one receive. Packets of different flows may change places,
 * packets of one flow never do.
 */
export function coalesce(packets: readonly Uint8Array[], options: CoalesceOptions): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let opened: Open[] = [];
  const write = (chosen: (open: Open) => boolean) => {
    frames.push(...opened.filter(chosen).map(frameOf));
    opened = opened.filter((open) => !chosen(open));
  };
  for (const packet of packets) {
    const flow = classify(packet);
    const transport = joinable(flow, packet, options);
    const found = transport && opened.find((open) => isSameFlow(open.flow, flow));
    if (found && follows(found, packet, transport)) {
      const isLast = payloadOf(packet, transport) < found.segment || isPush(packet, transport);
      found.packets.push(packet);
      found.length += payloadOf(packet, transport);
      if (isLast) write((open) => open === found);
      continue;
    }
    write((open) =>
      flow.transport ? isSameFlow(open.flow, flow) : open.flow.hosts === flow.hosts,
    );
    if (!transport || isPush(packet, transport)) {
      frames.push(single(packet));
      continue;
    }
    const segment = payloadOf(packet, transport);
    opened.push({ flow, transport, packets: [packet], segment, length: packet.length });
    if (opened.length === OPEN_MOST) write((open) => open === opened[0]);
  }
  write(() => true);
  return frames;
}

/** The packet's transport when it may stand in a super-packet at all. */
function joinable(flow: Flow, packet: Uint8Array, options: CoalesceOptions): Transport | undefined {
  const { transport } = flow;
  if (!transport || payloadOf(packet, transport) === 0) return undefined;
  if (transport.protocol === PROTOCOL_TCP) {
    const others = tcpFlags(packet, transport.at) & ~(TCP_PSH | TCP_ECE);
    return options.tcp && others === TCP_ACK ? transport : undefined;
  }
  const ports = [transport.sourcePort, transport.destinationPort];
  const isTunnel = ports.some((port) => TUNNEL_PORTS.includes(port));
  return options.udp && !isTunnel ? transport : undefined;
}

/** Whether `packet`, of the same flow, is what comes behind the packets of `open`. */
function follows(open: Open, packet: Uint8Array, transport: Transport): boolean {
  const [first = packet] = open.packets;
  const payload = payloadOf(packet, transport);
  if (transport.payloadAt !== open.transport.payloadAt || payload > open.segment) return false;
  if (open.length + payload > PACKET_MOST_BYTES) return false;
  if (!ipFollows(first, packet, open.packets.length)) return false;
  const sent = open.length - transport.payloadAt;
  const isNext =
    transport.protocol === PROTOCOL_TCP
      ? tcpFollows(first, packet, { ...transport, sent })
      : udpFollows(first, packet, { ...transport, count: open.packets.length });
  return isNext && areSumsRight(first, open.transport) && areSumsRight(packet, transport);
}

function ipFollows(first: Uint8Array, packet: Uint8Array, count: number): boolean {
  if (innerFamily(first) === 6) {
    const isSameClass = equal(first.subarray(0, 4), packet.subarray(0, 4));
    return isSameClass && ipv6HopLimit(first, 0) === ipv6HopLimit(packet, 0);
  }
  if (ipv4TypeOfService(first, 0) !== ipv4TypeOfService(packet, 0)) return false;
  if (ipv4TimeToLive(first, 0) !== ipv4TimeToLive(packet, 0)) return false;
  if (loadBe16(first, IPV4_FRAGMENT_AT) !== loadBe16(packet, IPV4_FRAGMENT_AT)) return false;
  if (ipv4DontFragment(packet, 0)) return true;
  return ipv4Identifier(packet, 0) === ((ipv4Identifier(first, 0) + count) & 0xffff);
}

/** `sent` payload bytes are there before. */
function tcpFollows(
  first: Uint8Array,
  packet: Uint8Array,
  { at, payloadAt, sent }: { at: number; payloadAt: number; sent: number },
): boolean {
  const options = (bytes: Uint8Array) => bytes.subarray(at + TCP_OPTIONS_AT, payloadAt);
  return (
    tcpSequence(packet, at) === (tcpSequence(first, at) + sent) >>> 0 &&
    tcpAcknowledgement(packet, at) === tcpAcknowledgement(first, at) &&
    packet[at + TCP_OFFSET_AT] === first[at + TCP_OFFSET_AT] &&
    (tcpFlags(packet, at) | TCP_PSH) === (tcpFlags(first, at) | TCP_PSH) &&
    tcpWindow(packet, at) === tcpWindow(first, at) &&
    tcpUrgentPointer(packet, at) === tcpUrgentPointer(first, at) &&
    equal(options(packet), options(first))
  );
}

/** `count` datagrams are there before. Those with a checksum and those without stay apart. */
function udpFollows(
  first: Uint8Array,
  packet: Uint8Array,
  { at, count }: { at: number; count: number },
): boolean {
  const isSummed = (bytes: Uint8Array) => udpChecksum(bytes, at) !== 0;
  return count < UDP_SEGMENTS_MOST && isSummed(packet) === isSummed(first);
}

/**
 * A UDP datagram over IPv4 may have no checksum (RFC 768); over IPv6 it may not (RFC 8200 §8.1).
 */
function areSumsRight(packet: Uint8Array, { at, protocol }: Transport): boolean {
  const isIpv4 = innerFamily(packet) === 4;
  if (isIpv4 && !isIpv4ChecksumRight(packet, 0)) return false;
  if (protocol !== PROTOCOL_TCP && udpChecksum(packet, at) === 0) return isIpv4;
  const length = packet.length - at;
  const pseudo = sumPseudoHeader(packet, 0, { protocol, length });
  return isSumRight(pseudo + sumBytes(packet, at, length));
}

function isPush(packet: Uint8Array, { at, protocol }: Transport): boolean {
  return protocol === PROTOCOL_TCP && (tcpFlags(packet, at) & TCP_PSH) !== 0;
}

function payloadOf(packet: Uint8Array, { payloadAt }: Transport): number {
  return packet.length - payloadAt;
}

function frameOf(open: Open): Uint8Array {
  const [first = new Uint8Array(0), ...others] = open.packets;
  if (others.length === 0) return single(first);
  const { transport } = open;
  const whole = new Uint8Array(open.length);
  whole.set(first);
  let length = first.length;
  for (const packet of others) {
    whole.set(packet.subarray(transport.payloadAt), length);
    length += payloadOf(packet, transport);
    if (isPush(packet, transport)) {
      setTcpFlags(whole, transport.at, tcpFlags(whole, transport.at) | TCP_PSH);
    }
  }
  return framed(superHeader(whole, open), whole);
}

/**
 * Makes the headers of `whole` its own; the transport checksum is left to the kernel, the
 * pseudo-header's sum in its field.
 */
function superHeader(whole: Uint8Array, { flow, transport, segment }: Open): VirtioNetHeader {
  const { at, protocol, payloadAt } = transport;
  const isTcp = protocol === PROTOCOL_TCP;
  const length = whole.length - at;
  if (flow.family === 4) {
    setIpv4TotalLength(whole, 0, whole.length);
    setIpv4Checksum(whole, 0);
  } else {
    setIpv6PayloadLength(whole, 0, whole.length - IPV6_HEADER_BYTES);
  }
  if (!isTcp) setUdpLength(whole, at, length);
  const checksumOffset = isTcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;
  const pseudo = sumPseudoHeader(whole, 0, { protocol, length });
  storeBe16(whole, at + checksumOffset, foldSum(pseudo));
  const tcpType = flow.family === 4 ? VIRTIO_GSO_TCPV4 : VIRTIO_GSO_TCPV6;
  return {
    flags: VIRTIO_NEEDS_CSUM,
    gsoType: isTcp ? tcpType : VIRTIO_GSO_UDP_L4,
    headerLength: payloadAt,
    gsoSize: segment,
    checksumStart: at,
    checksumOffset,
  };
}

function single(packet: Uint8Array): Uint8Array {
  const header: VirtioNetHeader = {
    flags: 0,
    gsoType: VIRTIO_GSO_NONE,
    headerLength: 0,
    gsoSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
  };
  return framed(header, packet);
}

function framed(header: VirtioNetHeader, packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(VIRTIO_NET_BYTES + packet.length);
  emitVirtioNet(frame, 0, header);
  frame.set(packet, VIRTIO_NET_BYTES);
  return frame;
}
