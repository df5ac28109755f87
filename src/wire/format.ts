/**
 * One line about any bytes, in the manner of tcpdump, for trace logs and for tests that fail: an
 * inner IP packet, or an outer WireGuard datagram. Never fails, and never shows payload or key
 * material.
 */

import { addressFromBytes, endpointOf } from '../base/address.js';
import { loadBe16 } from '../base/bytes.js';
import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_NO_NEXT,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../base/ip_protocol.js';
import {
  checkIpv4,
  ipv4Destination,
  ipv4FragmentOffset,
  ipv4HeaderLength,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalLength,
} from './ipv4.js';
import {
  checkIpv6,
  findIpv6Upper,
  IPV6_HEADER_BYTES,
  ipv6Destination,
  ipv6PayloadLength,
  ipv6Source,
} from './ipv6.js';
import {
  checkTcp,
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  tcpAcknowledgement,
  tcpDestinationPort,
  tcpFlags,
  tcpHeaderLength,
  tcpSequence,
  tcpSourcePort,
  tcpWindow,
} from './tcp.js';
import { checkUdp, UDP_HEADER_BYTES, udpDestinationPort, udpLength, udpSourcePort } from './udp.js';
import {
  DATA_LEAST_BYTES,
  type DataType,
  MESSAGE_DATA,
  MESSAGE_HEDDLE,
  MESSAGE_HEDDLE_PARTIAL,
  parseMessage,
} from './wireguard.js';

/** Where the upper protocol of a packet stands, and the packet's addresses. */
interface Upper {
  readonly version: string;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly at: number;
  readonly end: number;
  readonly fragmentOffset: number;
}

/** An inner packet: `IP 10.0.0.1:1234 > 10.0.0.2:80: TCP [S], seq 1, win 65535, length 0`. */
export function formatPacket(packet: Uint8Array): string {
  if (packet.length === 0) return 'empty';
  const upper = upperOfIpv4(packet) ?? upperOfIpv6(packet);
  if (!upper) return `not a whole IP packet, length ${packet.length}`;
  const { protocol, at, end } = upper;
  if (upper.fragmentOffset > 0) {
    const where = `fragment of protocol ${protocol} at ${upper.fragmentOffset}`;
    return `${hosts(upper)}: ${where}, length ${end - at}`;
  }
  if (protocol === PROTOCOL_TCP && checkTcp(packet, at, end)) return formatTcp(packet, upper);
  if (protocol === PROTOCOL_UDP && checkUdp(packet, at, end)) return formatUdp(packet, upper);
  if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6) return formatIcmp(packet, upper);
  const name = protocol === PROTOCOL_NO_NEXT ? 'nothing' : `protocol ${protocol}`;
  return `${hosts(upper)}: ${name}, length ${end - at}`;
}

const FORMS: Readonly<Record<DataType, string>> = {
  [MESSAGE_DATA]: 'WireGuard',
  [MESSAGE_HEDDLE]: 'heddle',
  [MESSAGE_HEDDLE_PARTIAL]: 'heddle partial',
};

/** An outer datagram: `WireGuard data, receiver 0x00000007, counter 12, length 96`. */
export function formatDatagram(datagram: Uint8Array): string {
  const length = `length ${datagram.length}`;
  const message = parseMessage(datagram);
  switch (message?.kind) {
    case 'initiation':
      return `WireGuard initiation, sender ${index(message.sender)}, ${length}`;
    case 'response': {
      const parties = `sender ${index(message.sender)}, receiver ${index(message.receiver)}`;
      return `WireGuard response, ${parties}, ${length}`;
    }
    case 'cookieReply':
      return `WireGuard cookie reply, receiver ${index(message.receiver)}, ${length}`;
    case 'data': {
      const name = datagram.length === DATA_LEAST_BYTES ? 'keepalive' : 'data';
      const where = `receiver ${index(message.receiver)}, counter ${message.counter}`;
      return `${FORMS[message.type]} ${name}, ${where}, ${length}`;
    }
    case undefined:
      return `not WireGuard, ${length}`;
  }
}

function upperOfIpv4(packet: Uint8Array): Upper | undefined {
  if (!checkIpv4(packet, 0)) return undefined;
  return {
    version: 'IP',
    source: ipv4Source(packet, 0),
    destination: ipv4Destination(packet, 0),
    protocol: ipv4Protocol(packet, 0),
    at: ipv4HeaderLength(packet, 0),
    end: ipv4TotalLength(packet, 0),
    fragmentOffset: ipv4FragmentOffset(packet, 0),
  };
}

function upperOfIpv6(packet: Uint8Array): Upper | undefined {
  const found = checkIpv6(packet, 0) ? findIpv6Upper(packet, 0) : undefined;
  if (!found) return undefined;
  return {
    version: 'IP6',
    source: ipv6Source(packet, 0),
    destination: ipv6Destination(packet, 0),
    protocol: found.protocol,
    at: found.at,
    end: IPV6_HEADER_BYTES + ipv6PayloadLength(packet, 0),
    fragmentOffset: found.fragmentOffset,
  };
}

const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [TCP_FIN, 'F'],
  [TCP_SYN, 'S'],
  [TCP_RST, 'R'],
  [TCP_PSH, 'P'],
  [TCP_ACK, '.'],
  [TCP_URG, 'U'],
  [TCP_ECE, 'E'],
  [TCP_CWR, 'W'],
];

function formatTcp(packet: Uint8Array, upper: Upper): string {
  const { at, end } = upper;
  const flags = tcpFlags(packet, at);
  const letters = FLAG_LETTERS.filter(([flag]) => (flags & flag) !== 0).map(([, text]) => text);
  const ack = (flags & TCP_ACK) !== 0 ? `, ack ${tcpAcknowledgement(packet, at)}` : '';
  const ports = { source: tcpSourcePort(packet, at), destination: tcpDestinationPort(packet, at) };
  const fields = `seq ${tcpSequence(packet, at)}${ack}, win ${tcpWindow(packet, at)}`;
  const length = end - at - tcpHeaderLength(packet, at);
  return `${flow(upper, ports)}: TCP [${letters.join('')}], ${fields}, length ${length}`;
}

function formatUdp(packet: Uint8Array, upper: Upper): string {
  const { at } = upper;
  const ports = { source: udpSourcePort(packet, at), destination: udpDestinationPort(packet, at) };
  return `${flow(upper, ports)}: UDP, length ${udpLength(packet, at) - UDP_HEADER_BYTES}`;
}

/** Types that people send by hand (RFC 792, RFC 4443) by name, the others by number. */
function formatIcmp(packet: Uint8Array, upper: Upper): string {
  const { at, end, protocol } = upper;
  const name = protocol === PROTOCOL_ICMP ? 'ICMP' : 'ICMP6';
  const length = `length ${end - at}`;
  if (end - at < 8) return `${hosts(upper)}: ${name}, ${length}`;
  const type = packet[at] ?? 0;
  const [request, reply] = protocol === PROTOCOL_ICMP ? [8, 0] : [128, 129];
  if (type !== request && type !== reply) {
    return `${hosts(upper)}: ${name} type ${type} code ${packet[at + 1] ?? 0}, ${length}`;
  }
  const kind = type === request ? 'echo request' : 'echo reply';
  const ids = `id ${loadBe16(packet, at + 4)}, seq ${loadBe16(packet, at + 6)}`;
  return `${hosts(upper)}: ${name} ${kind}, ${ids}, ${length}`;
}

function hosts(upper: Upper): string {
  return `${upper.version} ${addressOf(upper.source)} > ${addressOf(upper.destination)}`;
}

function flow(
  upper: Upper,
  ports: { readonly source: number; readonly destination: number },
): string {
  const source = endpointOf(addressFrom(upper.source), ports.source).text;
  const destination = endpointOf(addressFrom(upper.destination), ports.destination).text;
  return `${upper.version} ${source} > ${destination}`;
}

function addressOf(bytes: Uint8Array): string {
  return addressFrom(bytes).text;
}

function addressFrom(bytes: Uint8Array): ReturnType<typeof addressFromBytes> {
  return addressFromBytes(bytes, 0, bytes.length === 4 ? 4 : 6);
}

function index(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
