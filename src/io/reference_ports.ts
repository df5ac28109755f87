/**
 * The UDP ports of the reference hand: the listen port, those of clear peers, and a few that clear
 * VXLAN is sent from. They may change while traffic goes on: what is new is opened before what is
 * old is closed, and a listen port that was left is read until nothing waits there.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import type { Drop } from '../datapath/drop.js';
import type { Via } from '../datapath/walk_output.js';
import type { ClearPort } from '../encap/encapsulation.js';
import { UdpPort } from './udp.js';

/** Source ports of clear VXLAN, each in both families. */
const SOURCE_PORTS = 4;
/** Turns of the event loop at most that a port is read after it was left. */
const LEAVING_TURNS = 64;

export interface PortEvents {
  /** `arrival` is absent on the listen port. */
  readonly received: (datagram: Uint8Array, source: Endpoint, arrival?: ClearPort) => void;
  readonly sendFailed: (reason: Drop, peer?: PeerSlot) => void;
}

export interface SendOptions {
  readonly peer?: PeerSlot;
  /** TTL or hop limit; 0 and absent: what hosts send with. */
  readonly hops?: number;
  /** Absent: the listen port. */
  readonly via?: Via;
}

export class ReferencePorts {
  readonly #events: PortEvents;
  #listen: UdpPort;
  /** By port number: the open ones, and what each is for. */
  #clear: ReadonlyMap<number, UdpPort> = new Map();
  #kinds: ReadonlyMap<number, ClearPort['kind']> = new Map();
  #sources: readonly UdpPort[] = [];
  readonly #leaving = new Set<UdpPort>();

  /** Opens the listen port; 0 chooses one. Throws HandError. */
  constructor(listenPort: number, events: PortEvents) {
    this.#events = events;
    this.#listen = this.#openListenPort(listenPort);
  }

  get listenPort(): number {
    return this.#listen.port;
  }

  /** Never throws; a failure is told by `sendFailed`, now or later. The datagram is not copied. */
  send(endpoint: Endpoint, datagram: Uint8Array, options: SendOptions = {}): void {
    const from = this.#portFor(endpoint, options.via);
    if (from) from.send(endpoint, datagram, options);
    else this.#events.sendFailed('send_failed', options.peer);
  }

  setListenPort(port: number): void {
    if (port === this.#listen.port) return;
    const before = this.#listen;
    this.#listen = this.#openListenPort(port);
    this.#leave(before);
  }

  setClearPorts(ports: readonly ClearPort[]): void {
    const next = new Map<number, UdpPort>();
    let sources: readonly UdpPort[] = [];
    try {
      for (const { port } of ports) {
        if (!next.has(port)) next.set(port, this.#clear.get(port) ?? this.#openClearPort(port));
      }
      const isSpread = ports.some(({ kind }) => kind === 'vxlan');
      if (isSpread) sources = this.#sources.length > 0 ? this.#sources : this.#openSources();
    } catch (error) {
      closeAllBut([...this.#clear.values()], [...next.values()]);
      throw error;
    }
    closeAllBut([...next.values(), ...sources], [...this.#clear.values(), ...this.#sources]);
    this.#clear = next;
    this.#kinds = new Map(ports.map(({ port, kind }) => [port, kind]));
    this.#sources = sources;
  }

  close(): void {
    const clear = this.#clear.values();
    for (const port of [this.#listen, ...clear, ...this.#sources, ...this.#leaving]) port.close();
  }

  #portFor(endpoint: Endpoint, via: Via | undefined): UdpPort | undefined {
    switch (via?.kind) {
      case undefined:
      case 'sealed':
        return this.#listen;
      case 'udp':
        return this.#clear.get(endpoint.port);
      case 'vxlan':
        return this.#sources[via.flow % SOURCE_PORTS];
    }
  }

  #openClearPort(port: number): UdpPort {
    const received = (datagram: Uint8Array, source: Endpoint): void => {
      const kind = this.#kinds.get(port);
      if (kind) this.#events.received(datagram, source, { port, kind });
    };
    return UdpPort.open(port, { received, sendFailed: this.#events.sendFailed });
  }

  #openSources(): UdpPort[] {
    const { sendFailed } = this.#events;
    // Whoever answers to them is not a VTEP: those send to the port of both ends.
    const events = { received: () => {}, sendFailed };
    return Array.from({ length: SOURCE_PORTS }, () => UdpPort.open(0, events));
  }

  #openListenPort(port: number): UdpPort {
    const { received, sendFailed } = this.#events;
    return UdpPort.open(port, { received: (bytes, from) => received(bytes, from), sendFailed });
  }

  #leave(port: UdpPort): void {
    this.#leaving.add(port);
    let left = LEAVING_TURNS;
    const look = (before: number): void => {
      left--;
      const { receivedCount } = port;
      // Between two immediates the sockets are read once.
      if (left > 0 && receivedCount !== before) {
        setImmediate(() => setImmediate(look, receivedCount));
        return;
      }
      port.close();
      this.#leaving.delete(port);
    };
    setImmediate(() => setImmediate(look, -1));
  }
}

function closeAllBut(kept: readonly UdpPort[], ports: readonly UdpPort[]): void {
  for (const port of ports) if (!kept.includes(port)) port.close();
}
