/**
 * Inner packets for tests, written out byte by byte: nothing of src/ parses or sums here, so that
 * what tests expect does not come from what they test.
 */

export interface InnerOptions {
  readonly source?: string;
  readonly destination?: string;
  /** Length of the whole packet; what is not header counts up from 0. */
  readonly bytes?: number;
}

/** An IPv4 packet of protocol 253 (for experiments, RFC 3692). */
export function ipv4(options: InnerOptions = {}): Uint8Array {
  const { source = '10.0.0.1', destination = '10.0.0.2', bytes = 28 } = options;
  const packet = counting(bytes);
  packet.set([0x45, 0, bytes >> 8, bytes, 0, 0, 0, 0, 64, 253, 0, 0]);
  packet.set(source.split('.').map(Number), 12);
  packet.set(destination.split('.').map(Number), 16);
  return packet;
}

/** An IPv6 packet without a next header; addresses are the last 16 bits behind `fd00::`. */
export function ipv6(
  options: { source?: number; destination?: number; bytes?: number } = {},
): Uint8Array {
  const { source = 1, destination = 2, bytes = 48 } = options;
  const packet = counting(bytes);
  const payload = bytes - 40;
  packet.set([0x60, 0, 0, 0, payload >> 8, payload, 59, 64]);
  packet.fill(0, 8, 40);
  packet.set([0xfd], 8);
  packet.set([source >> 8, source], 22);
  packet.set([0xfd], 24);
  packet.set([destination >> 8, destination], 38);
  return packet;
}

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}
