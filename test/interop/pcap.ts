/** The UDP datagrams over IPv4 in a capture of an Ethernet link (pcap, version 2.4). */

import { loadBe16, loadLe32 } from '../../src/base/bytes.js';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_UDP = 17;
const UDP_HEADER = 8;

export interface CapturedDatagram {
  /** Dotted, without the port. */
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

function datagramIn(frame: Uint8Array): CapturedDatagram | undefined {
  if (loadBe16(frame, ETHERNET_HEADER - 2) !== ETHERTYPE_IPV4) return undefined;
  const packet = frame.subarray(ETHERNET_HEADER);
  if (packet[9] !== PROTOCOL_UDP || (loadBe16(packet, 6) & 0x3fff) !== 0) return undefined;
  const udp = packet.subarray(4 * ((packet[0] ?? 0) & 15), loadBe16(packet, 2));
  const payload = udp.slice(UDP_HEADER, loadBe16(udp, 4));
  return { source: packet.subarray(12, 16).join('.'), sourcePort: loadBe16(udp, 0), payload };
}
