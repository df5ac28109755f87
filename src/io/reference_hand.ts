/**
 * The reference hand: the TypeScript walk over a TUN file and Node's dgram. Right and readable;
 * every packet enters JavaScript.
 */

import type { Endpoint } from '../base/address.js';
import type { PeerSlot } from '../base/identifiers.js';
import { type Instant, instant } from '../base/time.js';
import type { Drop } from '../datapath/drop.js';
import type { ClearPort } from '../encap/encapsulation.js';
import { behindVxlan } from '../encap/vxlan.js';
import type { PeerTraffic, TableWrite, WalkEvent } from '../datapath/tables.js';
import { Walk, type WalkInput } from '../datapath/walk.js';
import type { WalkOutput } from '../datapath/walk_output.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { Clock } from './clock.js';
import { type Hand, type HandCounters, HandError } from './hand.js';
import type { Addon } from './native.js';
import { Netlink } from './netlink.js';
import { ReferencePorts } from './reference_ports.js';
import { TunFile } from './tun.js';

export interface ReferenceParts {
  readonly addon: Addon;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
}

export class ReferenceHand implements Hand {
  readonly kind = 'reference';
  readonly lanes = 1;
  readonly interfaceName: string;
  readonly #addon: Addon;
  readonly #walk: Walk;
  readonly #clock: Clock;
  #tun: TunFile;
  readonly #ports: ReferencePorts;
  readonly #netlink: Netlink;
  readonly #events: WalkEvent[] = [];
  readonly #outputs: WalkOutput[] = [];
  /** When the walk was given something last. */
  #now = instant(0);
  #wake: () => void = () => {};

  /** Opens the UDP port. Throws HandError. */
  private constructor(parts: ReferenceParts, tun: TunFile, port: number) {
    this.#addon = parts.addon;
    this.#walk = new Walk({ suite: parts.suite });
    this.#clock = parts.clock;
    this.#netlink = new Netlink(parts.addon);
    this.interfaceName = tun.name;
    this.#ports = new ReferencePorts(port, {
      received: (datagram, source, arrival) => this.#receive(datagram, source, arrival),
      sendFailed: (reason, peer) => this.#failed(reason, peer),
    });
    this.#tun = tun;
    this.#startTun();
  }

  /** Opens the TUN and the UDP port. Throws HandError naming the part that failed. */
  static open(
    parts: ReferenceParts,
    options: { readonly tun: string; readonly port: number },
  ): ReferenceHand {
    const opened = parts.addon.openTun(options.tun, true);
    if (typeof opened === 'number') {
      const code = parts.addon.errnoName(-opened);
      throw new HandError(code, `Open the TUN interface "${options.tun}": ${code}`);
    }
    const tun = new TunFile(parts.addon, opened);
    try {
      return new ReferenceHand(parts, tun, options.port);
    } catch (error) {
      tun.close(new Netlink(parts.addon));
      throw error;
    }
  }

  get listenPort(): number {
    return this.#ports.listenPort;
  }

  onEvents(wake: () => void): void {
    this.#wake = wake;
  }

  write(write: TableWrite, now: Instant): void {
    this.#handle({ kind: 'write', write }, now);
    this.#carryOut(false);
  }

  commit(): void {}

  send(peer: PeerSlot | undefined, endpoint: Endpoint, datagram: Uint8Array, now: Instant): void {
    const { vni } = endpoint;
    this.#ports.send(endpoint, vni === undefined ? datagram : behindVxlan(datagram, vni));
    if (peer === undefined) return;
    const note = {
      kind: 'noteHandshake',
      peer,
      direction: 'sent',
      bytes: datagram.length,
    } as const;
    this.#handle({ kind: 'write', write: note }, now);
  }

  takeEvents(out: WalkEvent[], limit: number): boolean {
    out.push(...this.#events.splice(0, limit));
    return this.#events.length > 0;
  }

  counters(): HandCounters {
    const { walk, drops } = this.#walk.counters();
    return { walk: { ...walk, packet_to_javascript: walk.inner_in + walk.opened }, drops };
  }

  traffic(peer: PeerSlot): PeerTraffic {
    return this.#walk.traffic(peer);
  }

  setOffloads(): void {}

  setMark(mark: number): void {
    if (mark === 0) return;
    const what = `Set firewall mark ${mark} on the UDP port: the reference datapath cannot`;
    throw new HandError('EOPNOTSUPP', `${what}; use "datapath: native", or "table: off"`);
  }

  setListenPort(port: number): void {
    this.#ports.setListenPort(port);
  }

  setClearPorts(ports: readonly ClearPort[]): void {
    this.#ports.setClearPorts(ports);
  }

  hasTun(): boolean {
    return this.#tun.isThere();
  }

  reopenTun(): void {
    const opened = this.#addon.openTun(this.interfaceName, true);
    if (typeof opened === 'number') {
      const code = this.#addon.errnoName(-opened);
      throw new HandError(code, `Make the TUN interface "${this.interfaceName}" again: ${code}`);
    }
    this.#tun.forget();
    this.#tun = new TunFile(this.#addon, opened);
    this.#startTun();
  }

  remarks(): readonly string[] {
    return ['the reference datapath is for comparison: use "datapath: native" for speed'];
  }

  close(): void {
    this.#ports.close();
    this.#tun.close(this.#netlink);
  }

  #startTun(): void {
    this.#tun.start((packet) => {
      this.#handle({ kind: 'packet', packet }, this.#clock.now());
      this.#carryOut(true);
    });
  }

  #receive(datagram: Uint8Array, source: Endpoint, arrival: ClearPort | undefined): void {
    const to = arrival ? { arrival } : {};
    this.#handle({ kind: 'datagram', datagram, source, ...to }, this.#clock.now());
    this.#carryOut(true);
  }

  /**
   * Something that the walk handed out came to nothing. That may be known while the walk's caller
   * still goes on at its own time, so the clock is not asked.
   */
  #failed(reason: Drop, peer: PeerSlot | undefined): void {
    this.#handle({ kind: 'failed', reason, ...(peer === undefined ? {} : { peer }) }, this.#now);
  }

  #handle(input: WalkInput, now: Instant): void {
    this.#now = now;
    this.#walk.handle(input, now);
  }

  #carryOut(mayWake: boolean): void {
    this.#outputs.length = 0;
    this.#walk.drain(this.#outputs);
    for (const output of this.#outputs) {
      if (output.kind === 'datagram') {
        this.#ports.send(output.endpoint, output.datagram, output);
      } else if (output.kind === 'event') this.#events.push(output.event);
      else if (!this.#tun.write(output.packet)) {
        this.#failed('tun_write', undefined);
      }
    }
    if (mayWake && this.#events.length > 0) this.#wake();
  }
}
