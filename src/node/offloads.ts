/**
 * The kernel's offloads that carry many packets in one call, each with a switch: what is asked for
 * (OffloadSwitches), and what became of it (OffloadState).
 */

/** In the order of native/io/offloads.h. */
export const OFFLOADS = ['tunTcp', 'tunUdp', 'udpGso', 'udpGro', 'checksums'] as const;

/**
 * `tunTcp`, `tunUdp`: super-packets of TCP and UDP, read from and written to the TUN. `udpGso`,
 * `udpGro`: many outer datagrams in one send, and in one receive. `checksums`: inner checksums that
 * are still to be made, from and to the TUN, and between peers that trust each other with it.
 */
export type Offload = (typeof OFFLOADS)[number];

/** `on`: refuse to run without; `auto`: where the self-test passes; `off`: never. */
export type OffloadSwitch = 'on' | 'off' | 'auto';

export type OffloadSwitches = Readonly<Record<Offload, OffloadSwitch>>;

/** What was made of an offload, and how it does. */
export interface OffloadState {
  readonly isOn: boolean;
  /** The switch, or the outcome of the self-test. */
  readonly why: string;
  /**
   * Where it failed lately and is done without: destinations of `udpGso`; 1 for all of another
   * offload.
   */
  readonly resting: number;
  /** When the first of these began to rest, as the clock of the datapath tells; 0: none does. */
  readonly since: number;
}

export type OffloadStates = Readonly<Record<Offload, OffloadState>>;

/** Bytes of payload that the kernel holds for the outer sockets: wanted, and given. */
export interface SocketBuffers {
  readonly asked: number;
  readonly receive: number;
  readonly send: number;
}

export const AUTO_OFFLOADS: OffloadSwitches = {
  tunTcp: 'auto',
  tunUdp: 'auto',
  udpGso: 'auto',
  udpGro: 'auto',
  checksums: 'auto',
};

export const NO_OFFLOADS: OffloadSwitches = {
  tunTcp: 'off',
  tunUdp: 'off',
  udpGso: 'off',
  udpGro: 'off',
  checksums: 'off',
};
