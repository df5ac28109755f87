/**
 * The production hand: the walk runs in native lanes; here its tables are written and its events
 * and counters read.
 */

import type { Endpoint } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import { concat } from '../base/bytes.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Instant } from '../base/time.js';
import { NATIVE_COUNTERS, record, WALK_COUNTERS } from '../datapath/counters.js';
import { DROPS } from '../datapath/drop.js';
import type { PeerTraffic, TableWrite, WalkEvent } from '../datapath/tables.js';
import type { ClearPort } from '../encap/encapsulation.js';
import type { OffloadSwitches } from '../node/offloads.js';
import { type Footing, type Hand, type HandCounters, HandError } from './hand.js';
import type { Addon, Engine, EngineOptions } from './native.js';
import {
  emitAddresses,
  emitEncapsulation,
  emitEndpoint,
  emitKeypairKind,
  parseEvents,
} from './native_events.js';

/** How engineSetClearPorts tells a port of bare IP packets. */
const UDP_FLAG = 1 << 16;

/** As an engine's, but for `lanes`, which are 1 where absent. */
export type HandOptions = Omit<EngineOptions, 'lanes'> & Partial<Pick<EngineOptions, 'lanes'>>;

export class NativeHand implements Hand {
  readonly kind = 'native';
  readonly lanes: number;
  readonly interfaceName: string;
  #listenPort: number;
  readonly #addon: Addon;
  readonly #engine: Engine;
  readonly #blocks: readonly BigUint64Array[];
  readonly #remarks: readonly string[];
  #wake: () => void = () => {};
  #routesChanged = false;
  #closed = false;

  /**
   * Opens the TUN and the UDP port and starts the lanes. Throws HandError naming the part that
   * failed.
   */
  constructor(addon: Addon, { lanes = 1, ...others }: HandOptions) {
    const options = { lanes, ...others };
    const opened = addon.engineOpen(options, () => this.#closed || this.#wake());
    if ('errno' in opened) throw openingError(addon, options, opened);
    this.lanes = lanes;
    this.#addon = addon;
    this.#engine = opened.engine;
    this.interfaceName = opened.name;
    this.#listenPort = opened.port;
    this.#remarks = opened.remarks;
    this.#blocks = addon.engineCounters(opened.engine);
  }

  /** The engine behind this hand, for tests that use the channel backend. */
  get engine(): Engine {
    return this.#engine;
  }

  get listenPort(): number {
    return this.#listenPort;
  }

  onEvents(wake: () => void): void {
    this.#wake = wake;
  }

  write(write: TableWrite, now: Instant): void {
    if (write.kind === 'insertPrefix' || write.kind === 'removePrefix') this.#writePrefix(write);
    else this.#writePeer(write, now);
  }

  commit(): void {
    if (this.#routesChanged) this.#addon.enginePublishRoutes(this.#engine);
    this.#routesChanged = false;
  }

  send(peer: PeerSlot | undefined, endpoint: Endpoint, datagram: Uint8Array, now: Instant): void {
    const failed = this.#addon.engineSend(this.#engine, emitEndpoint(endpoint), datagram);
    if (failed === 0 && peer !== undefined) {
      this.#addon.engineNoteHandshake(this.#engine, peer, true, datagram.length, now);
    }
  }

  takeEvents(out: WalkEvent[], limit: number): boolean {
    const before = out.length;
    parseEvents(this.#addon.engineTakeEvents(this.#engine, limit), out);
    return out.length - before >= limit;
  }

  counters(): HandCounters {
    const words = new BigUint64Array(WALK_COUNTERS.length + NATIVE_COUNTERS.length + DROPS.length);
    for (const block of this.#blocks) {
      for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0n) + (block[i] ?? 0n);
    }
    const native = words.subarray(WALK_COUNTERS.length);
    return {
      walk: record(WALK_COUNTERS, words),
      native: record(NATIVE_COUNTERS, native),
      drops: record(DROPS, native.subarray(NATIVE_COUNTERS.length)),
    };
  }

  traffic(peer: PeerSlot): PeerTraffic {
    const words = this.#addon.engineTraffic(this.#engine, peer);
    const [rxBytes = 0n, txBytes = 0n, rxPackets = 0n, txPackets = 0n] = words;
    return { rxBytes, txBytes, rxPackets, txPackets, drops: record(DROPS, words.subarray(4)) };
  }

  setOffloads(offloads: OffloadSwitches): void {
    const refused = this.#addon.engineSetOffloads(this.#engine, offloads);
    if (refused !== '') throw offloadError(refused);
  }

  footing(now: Instant): Footing {
    return {
      offloads: this.#addon.engineOffloads(this.#engine, now),
      buffers: this.#addon.engineBuffers(this.#engine),
      aead: this.#addon.aeadBackends(),
    };
  }

  setMark(mark: number): void {
    const failed = this.#addon.engineSetMark(this.#engine, mark);
    if (failed < 0) {
      const code = this.#addon.errnoName(-failed);
      throw new HandError(code, `Set firewall mark ${mark} on the UDP port: ${code}`);
    }
  }

  setListenPort(port: number): void {
    const opened = this.#addon.engineSetListenPort(this.#engine, port);
    if (opened < 0) throw portError(this.#addon, port, -opened);
    this.#listenPort = opened;
  }

  setClearPorts(ports: readonly ClearPort[]): void {
    const words = ports.map(({ port, kind }) => (kind === 'udp' ? UDP_FLAG | port : port));
    const failed = this.#addon.engineSetClearPorts(this.#engine, Uint32Array.from(words));
    if (failed < 0) {
      const code = this.#addon.errnoName(-failed);
      const list = ports.map(({ port }) => port).join(', ');
      const advice = "another program, or the kernel's own VXLAN device, has one of them";
      throw new HandError(code, `Open the UDP ports of clear peers (${list}): ${code}; ${advice}`);
    }
  }

  hasTun(): boolean {
    return this.#addon.engineHasTun(this.#engine);
  }

  reopenTun(): void {
    const failed = this.#addon.engineReopenTun(this.#engine);
    if (failed < 0) {
      const code = this.#addon.errnoName(-failed);
      throw new HandError(code, `Make the TUN interface "${this.interfaceName}" again: ${code}`);
    }
  }

  remarks(): readonly string[] {
    return this.#remarks;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#addon.engineClose(this.#engine);
  }

  /** Prefixes are gathered and published together: a table of 100,000 is built once. */
  #writePrefix(write: TableWrite & { kind: 'insertPrefix' | 'removePrefix' }): void {
    const { address, length } = write.prefix;
    if (write.kind === 'insertPrefix') {
      this.#addon.engineInsertPrefix(this.#engine, address.bytes, length, write.peer);
    } else {
      this.#addon.engineRemovePrefix(this.#engine, address.bytes, length);
    }
    this.#routesChanged = true;
  }

  #installKeypair({ peer, keypair }: TableWrite & { kind: 'installKeypair' }): void {
    const { localIndex, remoteIndex, sendKey, receiveKey, createdAt, isInitiator } = keypair;
    const indices = Uint32Array.of(localIndex, remoteIndex);
    const keys = concat(sendKey, receiveKey);
    const [addon, engine] = [this.#addon, this.#engine];
    const kind = emitKeypairKind(keypair);
    addon.engineInstallKeypair(engine, peer, indices, keys, createdAt, isInitiator, kind);
    keys.fill(0);
  }

  #writePeer(
    write: Exclude<TableWrite, { kind: 'insertPrefix' | 'removePrefix' }>,
    now: Instant,
  ): void {
    const [addon, engine] = [this.#addon, this.#engine];
    switch (write.kind) {
      case 'setMac1Key':
        return addon.engineSetMac1Key(
          engine,
          write.other ? concat(write.key, write.other) : write.key,
        );
      case 'setMtu':
        return addon.engineSetMtu(engine, write.mtu);
      case 'setRouteMtu':
        return addon.engineSetRouteMtu(engine, write.mtu);
      case 'setVtepMac':
        return addon.engineSetVtepMac(engine, write.mac.bytes);
      case 'setOwnAddresses':
        return addon.engineSetOwnAddresses(engine, emitAddresses(write.addresses));
      case 'setEncapsulation':
        return addon.engineSetEncapsulation(
          engine,
          write.peer,
          emitEncapsulation(write.encapsulation),
        );
      case 'addPeer':
        return addon.engineAddPeer(engine, write.peer);
      case 'removePeer':
        this.#routesChanged = true;
        return addon.engineRemovePeer(engine, write.peer);
      case 'setEndpoint':
        return addon.engineSetEndpoint(engine, write.peer, emitEndpoint(write.endpoint));
      case 'installKeypair':
        return this.#installKeypair(write);
      case 'useKeypair':
        return addon.engineUseKeypair(engine, write.peer, write.localIndex);
      case 'removeKeypair':
        return addon.engineRemoveKeypair(engine, write.localIndex);
      case 'flushStaged':
        return addon.engineFlushStaged(engine, write.peer, write.orKeepalive);
      case 'dropStaged':
        return addon.engineDropStaged(engine, write.peer);
      case 'sendKeepalive':
        return addon.engineSendKeepalive(engine, write.peer);
      case 'sendControl':
        return addon.engineSendControl(engine, write.peer, write.localIndex, write.message);
      case 'noteHandshake':
        return addon.engineNoteHandshake(
          engine,
          write.peer,
          write.direction === 'sent',
          write.bytes,
          now,
        );
      case 'readActivity':
        return addon.engineReadActivity(engine, write.peer);
      default:
        return unreachable(write);
    }
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  'tun/ENOENT': 'there is no /dev/net/tun: run "modprobe tun", or give the container the device',
  'tun/EPERM': 'heddle needs CAP_NET_ADMIN: run it as root',
  'tun/EACCES': 'heddle needs CAP_NET_ADMIN: run it as root',
  'tun/EBUSY': 'an interface of that name is in use: stop its owner, or set another "interface"',
  'tun/EINVAL': 'the kernel refuses that interface name: set another "interface"',
  'udp/EADDRINUSE': 'another program has that port: stop it, or set another "listenPort"',
};

/** `refused`: which one, and why. */
function offloadError(refused: string): HandError {
  const name = refused.slice(0, refused.indexOf(':'));
  const advice = `set \`offloads: {${name}: auto}\` to run without it here`;
  return new HandError('OFFLOAD', `Use the offload ${refused}; ${advice}`);
}

function portError(addon: Addon, port: number, errno: number): HandError {
  const code = addon.errnoName(errno);
  const advice = ADVICE[`udp/${code}`];
  return new HandError(code, `Open UDP port ${port}: ${code}${advice ? `; ${advice}` : ''}`);
}

function openingError(
  addon: Addon,
  options: EngineOptions,
  failed: { step: string; errno: number; why: string },
): HandError {
  if (failed.step === 'offload') return offloadError(failed.why);
  const code = addon.errnoName(failed.errno);
  const what =
    failed.step === 'tun'
      ? `Open the TUN interface "${options.tun}"`
      : `Open UDP port ${options.port}`;
  const advice = ADVICE[`${failed.step}/${code}`];
  return new HandError(code, `${what}: ${code}${advice ? `; ${advice}` : ''}`);
}
