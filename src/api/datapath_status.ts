/**
 * What the datapath runs on, as a part of the status document: offloads and why they are in use or
 * not, who seals, the sockets' buffers, and the limits of the interface.
 */

import { elapsed, type Instant, instant, toSeconds } from '../base/time.js';
import type {
  Offload,
  OffloadState,
  OffloadStates,
  OffloadSwitch,
  OffloadSwitches,
  SocketBuffers,
} from '../node/offloads.js';

export interface OffloadStatus {
  readonly switch: OffloadSwitch;
  readonly isOn: boolean;
  /** The switch, or the outcome of the self-test at the start. */
  readonly why: string;
  /** Destinations that `udpGso` failed for lately; 1 where another offload failed. */
  readonly resting: number;
  /** Since the first of them was done without; null where none is. */
  readonly restingSeconds: number | null;
}

export interface AeadStatus {
  readonly suite: string;
  readonly backend: string;
  readonly reason: string;
}

export interface SocketBufferStatus {
  readonly askedBytes: number;
  readonly receiveBytes: number;
  readonly sendBytes: number;
}

export interface LinkStatus {
  readonly transmitQueueLength: number;
  /** The largest super-packet that the kernel hands over. */
  readonly gsoMaxSegments: number;
  readonly gsoMaxBytes: number;
}

/** Null or empty where the datapath has no such thing, as the reference one, or cannot tell. */
export interface DatapathStatus {
  readonly offloads: Readonly<Record<Offload, OffloadStatus>> | null;
  readonly aead: readonly AeadStatus[];
  readonly socketBuffers: SocketBufferStatus | null;
  readonly link: LinkStatus | null;
}

/** What it is made from. */
export interface DatapathSource {
  readonly switches: OffloadSwitches;
  readonly footing: DatapathFooting | undefined;
  readonly link: LinkStatus | undefined;
}

export interface DatapathFooting {
  readonly offloads: OffloadStates;
  readonly buffers: SocketBuffers;
  readonly aead: readonly AeadStatus[];
}

export function datapathStatus(source: DatapathSource | undefined, now: Instant): DatapathStatus {
  const { footing, link } = source ?? {};
  return {
    offloads: source && footing ? offloadStatus(source.switches, footing.offloads, now) : null,
    aead: (footing?.aead ?? []).map(({ suite, backend, reason }) => ({ suite, backend, reason })),
    socketBuffers: footing && footing.buffers.asked > 0 ? bufferStatus(footing.buffers) : null,
    link: link ? linkStatus(link) : null,
  };
}

export interface BufferWarning {
  readonly code: 'buffers_clamped';
  readonly text: string;
  readonly fix: string;
}

/** Where the kernel gave less than was asked for. */
export function judgeBuffers({ socketBuffers }: DatapathStatus): BufferWarning[] {
  const { askedBytes = 0, receiveBytes = 0, sendBytes = 0 } = socketBuffers ?? {};
  if (Math.min(receiveBytes, sendBytes) >= askedBytes) return [];
  const given = `${receiveBytes} bytes to receive and ${sendBytes} to send`;
  return [
    {
      code: 'buffers_clamped',
      text: `the UDP sockets have ${given}, not ${askedBytes}: bursts will be dropped`,
      fix: 'raise net.core.rmem_max and net.core.wmem_max, or give heddle CAP_NET_ADMIN; restart',
    },
  ];
}

function offloadStatus(
  switches: OffloadSwitches,
  states: OffloadStates,
  now: Instant,
): Record<Offload, OffloadStatus> {
  const one = (name: Offload): OffloadStatus => ({
    switch: switches[name],
    isOn: states[name].isOn,
    why: states[name].why,
    resting: states[name].resting,
    restingSeconds: restingSeconds(states[name], now),
  });
  return {
    tunTcp: one('tunTcp'),
    tunUdp: one('tunUdp'),
    udpGso: one('udpGso'),
    udpGro: one('udpGro'),
    checksums: one('checksums'),
  };
}

function restingSeconds({ resting, since }: OffloadState, now: Instant): number | null {
  return resting === 0 ? null : Math.floor(toSeconds(elapsed(instant(since), now)));
}

function bufferStatus({ asked, receive, send }: SocketBuffers): SocketBufferStatus {
  return { askedBytes: asked, receiveBytes: receive, sendBytes: send };
}

function linkStatus({ transmitQueueLength, gsoMaxSegments, gsoMaxBytes }: LinkStatus): LinkStatus {
  return { transmitQueueLength, gsoMaxSegments, gsoMaxBytes };
}
