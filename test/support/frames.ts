/**
 * Frames and questions of Ethernet for tests, written out byte by byte: nothing of src/ parses or
 * sums here, so that what tests expect does not come from what they test.
 */

import { fold, pseudoSum, sum16 } from './inner_packets.js';
import { hex } from './vectors.js';

export const BROADCAST = 'ffffffffffff';

/** Where an IPv6 host asks for `fd00::host` (RFC 2464 §7). */
export function solicitedNodeMac(host: number): string {
  return `3333ff0000${host.toString(16).padStart(2, '0')}`;
}

export interface FrameOptions {
  /** The first byte of the VXLAN header. */
  readonly flags?: number;
  readonly vni: number;
  /** Twelve hexadecimal digits, as `source`. */
  readonly destination: string;
  readonly source: string;
  readonly ethertype: number;
}

/** An Ethernet frame behind a VXLAN header. */
export function vxlanFrame(options: FrameOptions, payload: Uint8Array): Uint8Array {
  const { flags = 8, vni, destination, source, ethertype } = options;
  const frame = new Uint8Array(22 + payload.length);
  frame.set([flags, 0, 0, 0, vni >> 16, vni >> 8, vni, 0]);
  frame.set(hex(destination), 8);
  frame.set(hex(source), 14);
  frame.set([ethertype >> 8, ethertype], 20);
  frame.set(payload, 22);
  return frame;
}

export interface ArpOptions {
  /** 1 asks, 2 answers. */
  readonly operation?: number;
  readonly senderMac: string;
  readonly sender: string;
  readonly targetMac?: string;
  readonly target: string;
}

export function arp(options: ArpOptions): Uint8Array {
  const { operation = 1, senderMac, sender, targetMac = '000000000000', target } = options;
  const message = new Uint8Array(28);
  message.set([0, 1, 8, 0, 6, 4, 0, operation]);
  message.set(hex(senderMac), 8);
  message.set(sender.split('.').map(Number), 14);
  message.set(hex(targetMac), 18);
  message.set(target.split('.').map(Number), 24);
  return message;
}

export interface NeighbourOptions {
  /** 135 asks, 136 answers. */
  readonly type?: number;
  readonly code?: number;
  readonly hops?: number;
  /** 32 hexadecimal digits. */
  readonly source: string;
  readonly destination?: string;
  readonly target: string;
  /** Of an answer: R, S and O in the upper three. */
  readonly flags?: number;
  readonly options?: Uint8Array;
}

/** An IPv6 packet with a neighbour solicitation or advertisement, its checksum right. */
export function neighbour(options: NeighbourOptions): Uint8Array {
  const { type = 135, code = 0, hops = 255, flags = 0, target } = options;
  const { destination = `ff0200000000000000000001ff${target.slice(26)}` } = options;
  const content = options.options ?? new Uint8Array(0);
  const length = 24 + content.length;
  const packet = new Uint8Array(40 + length);
  packet.set([0x60, 0, 0, 0, length >> 8, length, 58, hops]);
  packet.set(hex(options.source), 8);
  packet.set(hex(destination), 24);
  packet.set([type, code, 0, 0, flags], 40);
  packet.set(hex(target), 48);
  packet.set(content, 64);
  const sum = ~fold(pseudoSum(packet, 58, length) + sum16(packet.subarray(40)));
  packet.set([(sum >> 8) & 0xff, sum & 0xff], 42);
  return packet;
}

/** The address `fd00::host` in hexadecimal digits. */
export function ipv6Hex(host: number): string {
  return `fd${host.toString(16).padStart(30, '0')}`;
}
