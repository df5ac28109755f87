/**
 * The typed face of the addon: loads it and checks that both sides of the border mean the same by
 * their tables.
 */

import { createRequire } from 'node:module';
import type { Suite } from '../crypto/suite.js';
import { NATIVE_COUNTERS, WALK_COUNTERS } from '../datapath/counters.js';
import { DROPS } from '../datapath/drop.js';
import type { OffloadStates, OffloadSwitches, SocketBuffers } from '../node/offloads.js';

declare const engineBrand: unique symbol;
/**
 * The native packet path of one node; every function below that takes one is called on the
 * JavaScript thread.
 */
export type Engine = { readonly [engineBrand]: true };

declare const watchBrand: unique symbol;
/** A subscription to rtnetlink's notices. */
export type NetlinkWatch = { readonly [watchBrand]: true };

/** What netlinkWatchTake tells. `overrun`: notices were lost, so anything may have changed. */
export const NETLINK_CHANGES = { link: 1, address: 2, route: 4, rule: 8, overrun: 16 } as const;

/** How an engine is opened. */
export interface EngineOptions {
  /** The interface's name; empty for the channel backend, which keeps packets in memory. */
  readonly tun: string;
  /** The channel backend's packets have a virtio-net header where `tunTcp` is not off. */
  readonly offloads: OffloadSwitches;
  /** The outer UDP port; 0 lets the kernel choose. */
  readonly port: number;
  /**
   * False: no threads; `enginePump` walks once on the caller's thread at the time it is given
   * (channel backend only).
   */
  readonly threads: boolean;
  /**
   * 1 to MAX_LANES. Several need a TUN device of their own making; the channel backend's packets
   * and datagrams are then the first lane's.
   */
  readonly lanes: number;
}

/** The backend that seals a suite. */
export interface AeadBackendReport {
  readonly suite: Suite;
  /**
   * `own`: vector code of ours; `low-level`: OpenSSL's assembly below its public interface; `evp`:
   * that interface.
   */
  readonly backend: string;
  /** For a person: the library, and why nothing faster. */
  readonly reason: string;
  /** All that could seal it here, slowest first. */
  readonly usable: readonly string[];
}

/**
 * Functions that can fail return a negative errno. Endpoints are 44 bytes, see `emitEndpoint` in
 * native_endpoint.ts; times are microseconds since boot; peers are slots.
 */
export interface Addon {
  bootTime(): number;
  layout(): { readonly counters: readonly string[]; readonly drops: readonly string[] };
  /** How each suite is sealed here. */
  aeadBackends(): readonly AeadBackendReport[];
  /** Whether AES-256-GCM is fast on this CPU. */
  hasAesInstructions(): boolean;
  /**
   * Compares a usable backend with EVP at every length up to `limit`; empty, or what differs first.
   */
  aeadCompare(suite: Suite, backend: string, limit: number): string;
  /** Ciphertext and tag by a usable backend. 32-byte key, 12-byte nonce. */
  aeadSeal(
    suite: Suite,
    backend: string,
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array;
  /** Undefined when the tag does not match. */
  aeadOpen(
    suite: Suite,
    backend: string,
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
  errnoName(errno: number): string;
  processHygiene(): void;
  openTun(name: string, blocking: boolean): { fd: number; name: string } | number;
  /** False once the device was deleted; true in another namespace, too. */
  tunIsThere(fd: number): boolean;
  closeFd(fd: number): void;
  /** Sends rtnetlink messages on a fresh socket; all reply messages, or a negative errno. */
  netlinkRequest(request: Uint8Array): Uint8Array | number;
  /**
   * Subscribes to changes of links, addresses, routes and rules; `wake` is called when the first of
   * a burst arrives. A negative errno when it fails.
   */
  netlinkWatch(wake: () => void): NetlinkWatch | number;
  /** What changed since the last take: bits of NETLINK_CHANGES; re-arms `wake`. */
  netlinkWatchTake(watch: NetlinkWatch): number;
  netlinkWatchClose(watch: NetlinkWatch): void;

  engineOpen(
    options: EngineOptions,
    wake: () => void,
  ):
    | { engine: Engine; name: string; port: number; remarks: string[] }
    | { step: string; errno: number; why: string };
  engineClose(engine: Engine): void;
  engineSetMark(engine: Engine, mark: number): number;
  /** Empty, or which one is switched on and fails its self-test, and why. */
  engineSetOffloads(engine: Engine, offloads: OffloadSwitches): string;
  engineOffloads(engine: Engine, now: number): OffloadStates;
  /** Zeros with the channel backend. */
  engineBuffers(engine: Engine): SocketBuffers;
  /** One key of 32 bytes, or two. */
  engineSetMac1Key(engine: Engine, keys: Uint8Array): void;
  engineSetMtu(engine: Engine, mtu: number): void;
  engineSetRouteMtu(engine: Engine, mtu: number): void;
  /** 6 bytes. */
  engineSetVtepMac(engine: Engine, mac: Uint8Array): void;
  /** 17 bytes each: family (4 or 6), address. */
  engineSetOwnAddresses(engine: Engine, addresses: Uint8Array): void;
  /** 64 bytes, see `emitEncapsulation` in native_events.ts. */
  engineSetEncapsulation(engine: Engine, peer: number, record: Uint8Array): void;
  /** Each port, with 1 << 16 set where it is one of `udp`, not `vxlan`. 0 or a negative errno. */
  engineSetClearPorts(engine: Engine, ports: Uint32Array): number;
  /** The port, or a negative errno. */
  engineSetListenPort(engine: Engine, port: number): number;
  engineHasTun(engine: Engine): boolean;
  /** 0 or a negative errno. */
  engineReopenTun(engine: Engine): number;
  engineAddPeer(engine: Engine, peer: number): void;
  engineRemovePeer(engine: Engine, peer: number): void;
  /** Staged until enginePublishRoutes. */
  engineInsertPrefix(engine: Engine, address: Uint8Array, length: number, peer: number): void;
  engineRemovePrefix(engine: Engine, address: Uint8Array, length: number): void;
  enginePublishRoutes(engine: Engine): void;
  engineSetEndpoint(engine: Engine, peer: number, endpoint: Uint8Array): void;
  engineInstallKeypair(
    engine: Engine,
    peer: number,
    indices: Uint32Array,
    keys: Uint8Array,
    createdAt: number,
    isInitiator: boolean,
    /** takesControl, suite (its number in a hello), lane (8: any), trustsChecksums: a byte each. */
    kind: Uint8Array,
  ): void;
  engineUseKeypair(engine: Engine, peer: number, localIndex: number): void;
  engineRemoveKeypair(engine: Engine, localIndex: number): void;
  engineFlushStaged(engine: Engine, peer: number, orKeepalive: boolean): void;
  engineDropStaged(engine: Engine, peer: number): void;
  engineSendKeepalive(engine: Engine, peer: number): void;
  engineSendControl(engine: Engine, peer: number, localIndex: number, message: Uint8Array): void;
  engineNoteHandshake(
    engine: Engine,
    peer: number,
    sent: boolean,
    bytes: number,
    now: number,
  ): void;
  engineReadActivity(engine: Engine, peer: number): void;
  engineSend(engine: Engine, endpoint: Uint8Array, datagram: Uint8Array): number;
  /** Up to `limit` event records back to back, see native_events.ts; empty when none waits. */
  engineTakeEvents(engine: Engine, limit: number): Uint8Array;
  /**
   * The blocks of counters as they are written, one a thread: WALK_COUNTERS, NATIVE_COUNTERS,
   * DROPS.
   */
  engineCounters(engine: Engine): BigUint64Array[];
  /** rxBytes, txBytes, rxPackets, txPackets, then the peer's drops in the order of DROPS. */
  engineTraffic(engine: Engine, peer: number): BigUint64Array;

  enginePump(engine: Engine, now: number): void;
  channelPutPacket(engine: Engine, packet: Uint8Array): void;
  /**
   * One receive: datagrams back to back, `segment` bytes each but for a shorter last one. `arrival`
   * is 0 for the listen port, else a clear port as in engineSetClearPorts.
   */
  channelPutDatagram(
    engine: Engine,
    source: Uint8Array,
    bytes: Uint8Array,
    segment: number,
    arrival: number,
  ): void;
  channelTakePackets(engine: Engine): Uint8Array[];
  /** `port` is which one it left from: 0 the listen port, 1 a source port, 2 a clear port. */
  channelTakeDatagrams(
    engine: Engine,
  ): { endpoint: Uint8Array; datagram: Uint8Array; hops: number; port: number }[];
  /** Makes the next `count` sends of the channel backend fail with this errno. */
  channelFailSends(engine: Engine, errno: number, count: number): void;
}

/** Loads the addon of this source tree. Throws when it is not built or is of another version. */
export function loadAddon(): Addon {
  const addon = createRequire(import.meta.url)(
    '../../../native/build/release/heddle.node',
  ) as Addon;
  const layout = addon.layout();
  const counters = [...WALK_COUNTERS, ...NATIVE_COUNTERS].join();
  if (layout.counters.join() !== counters || layout.drops.join() !== DROPS.join()) {
    throw new Error('Load the native addon: it is of another version, run "npm run build"');
  }
  return addon;
}
