/** The UDP datagrams in a capture of an Ethernet link (pcap, version 2.4). */

import { addressFromBytes, type Family } from '../../src/base/address.js';
import { loadBe16, loadLe32 } from '../../src/base/bytes.js';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_HEADER = 40;
const PROTOCOL_UDP = 17;
const UDP_HEADER = 8;

export interface CapturedDatagram {
  /** In canonical text, without the port. */
  readonly source: string;
  readonly sourcePort: number;
  readonly payload: Uint8Array;
}

/** In the order of the capture; fragments and everything else are left out. */
export function datagramsIn(pcap: Uint8Array): CapturedDatagram[] {
  const found: CapturedDatagram[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= pcap.length; ) {
    const length = loadLe32(pcap, at + 8);
    at += RECORD_HEADER;
    const datagram = datagramIn(pcap.subarray(at, at + length));
    if (datagram) found.push(datagram);
    at += length;
  }
  return found;
}

/**
 * Flags and fragment offset (RFC 791 §3.1) of the source's IPv4 packets with UDP, in the order of
 * the capture.
 */
export function fragmentFieldsOf(pcap: Uint8Array, source: string): number[] {
  const fields: number[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= pcap.length; ) {
    const length = loadLe32(pcap, at + 8);
    at += RECORD_HEADER;
    const packet = pcap.subarray(at + ETHERNET_HEADER, at + length);
    const isUdp = packet[0] === 0x45 && packet[9] === PROTOCOL_UDP;
    if (isUdp && sourceOf(packet, 12, 4) === source) fields.push(loadBe16(packet, 6));
    at += length;
  }
  return fields;
}

function datagramIn(frame: Uint8Array): CapturedDatagram | undefined {
  const type = loadBe16(frame, ETHERNET_HEADER - 2);
  const packet = frame.subarray(ETHERNET_HEADER);
  if (type === ETHERTYPE_IPV6) {
    if (packet[6] !== PROTOCOL_UDP) return undefined;
    return captured(packet.subarray(IPV6_HEADER), sourceOf(packet, 8, 6));
  }
  if (type !== ETHERTYPE_IPV4) return undefined;
  if (packet[9] !== PROTOCOL_UDP || (loadBe16(packet, 6) & 0x3fff) !== 0) return undefined;
  const udp = packet.subarray(4 * ((packet[0] ?? 0) & 15), loadBe16(packet, 2));
  return captured(udp, sourceOf(packet, 12, 4));
}

function sourceOf(packet: Uint8Array, at: number, family: Family): string {
  return addressFromBytes(packet, at, family).text;
}

function captured(udp: Uint8Array, source: string): CapturedDatagram {
  const payload = udp.slice(UDP_HEADER, loadBe16(udp, 4));
  return { source, sourcePort: loadBe16(udp, 0), payload };
}
