/** bench/flood: the words that start it, and what it prints. */

import { z } from 'zod';

export const FLOOD_PORT = 9001;
export const FLOOD_BYTES = 64;
/** Before anything is counted: queues fill, and a tunnel finds its pace. */
export const FLOOD_WARM_MS = 100;

export type FloodKind = 'single' | 'batch';

export function floodSender(
  program: string,
  flood: { address: string; kind: FloodKind; milliseconds: number; bytes?: number },
): string[] {
  const { address, kind, milliseconds, bytes = FLOOD_BYTES } = flood;
  const to = [address, String(FLOOD_PORT), String(bytes)];
  return [program, 'send', ...to, String(milliseconds), kind];
}

export function floodSink(
  program: string,
  { address, windowMs, bytes = FLOOD_BYTES }: { address: string; windowMs: number; bytes?: number },
): string[] {
  const at = [address, String(FLOOD_PORT), String(bytes)];
  return [program, 'sink', ...at, String(FLOOD_WARM_MS), String(windowMs)];
}

const line = z.object({ packets: z.number(), seconds: z.number().positive() });

/** Packets a second, of the last line that an end printed. Throws where that is no figure. */
export function parseFlood(text: string): number {
  const last = text.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error('the flood measured nothing: no packet arrived');
  const { packets, seconds } = line.parse(JSON.parse(last));
  return packets / seconds;
}

/**
 * Of a device that carried nothing but UDP packets of one size: how many there were. It may have
 * counted a super-packet as one, but its bytes tell how much was in it.
 */
export function packetsOf(
  { bytes, units }: { bytes: number; units: number },
  headerBytes: number,
): number {
  return (bytes - units * headerBytes) / FLOOD_BYTES;
}
