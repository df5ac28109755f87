/**
 * A native engine with offload over its channel backend, with one peer who owns everything: what it
 * makes of super-packets, and what super-packets it makes.
 */

import { parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat } from '../../src/base/bytes.js';
import { NativeHand } from '../../src/io/native_hand.js';
import { emitEndpoint } from '../../src/io/native_events.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';
import { addonHere } from './twin.js';
import { ENDPOINT, keypair, opened, PEER, sealed, START } from './walk_rig.js';

const KEYPAIR = keypair(1);

export class OffloadEngine {
  readonly #addon = addonHere();
  readonly #hand = new NativeHand(this.#addon, {
    tun: '',
    offloads: AUTO_OFFLOADS,
    port: 0,
    threads: false,
  });
  #received = 0n;

  constructor() {
    const hand = this.#hand;
    // No bound, so that the length of what is cut is not what stops it.
    hand.write({ kind: 'setMtu', mtu: 100_000 }, START);
    hand.write({ kind: 'addPeer', peer: PEER }, START);
    for (const text of ['0.0.0.0/0', '::/0']) {
      const prefix = present(parsePrefix(text), 'a prefix');
      hand.write({ kind: 'insertPrefix', prefix, peer: PEER }, START);
    }
    hand.write({ kind: 'setEndpoint', peer: PEER, endpoint: ENDPOINT }, START);
    hand.write({ kind: 'installKeypair', peer: PEER, keypair: KEYPAIR }, START);
    hand.write({ kind: 'useKeypair', peer: PEER, localIndex: KEYPAIR.localIndex }, START);
    hand.commit();
  }

  /** What the walk sends of one read of the TUN device: the packets with their padding. */
  cut(frame: Uint8Array): Uint8Array[] {
    const { engine } = this.#hand;
    this.#addon.channelPutPacket(engine, frame);
    this.#addon.enginePump(engine, START);
    const datagrams = this.#addon.channelTakeDatagrams(engine);
    return datagrams.map(({ datagram }) => present(opened(KEYPAIR, datagram), 'what opens'));
  }

  /** The frames that the walk writes of `plaintexts` that arrive in one receive. */
  join(plaintexts: readonly Uint8Array[]): Uint8Array[] {
    const { engine } = this.#hand;
    // A receive has datagrams of one length: each is padded to the longest.
    const padded = Math.max(...plaintexts.map(({ length }) => length));
    const datagrams = plaintexts.map((plaintext) => {
      const whole = new Uint8Array(padded);
      whole.set(plaintext);
      return sealed(KEYPAIR, this.#received++, whole);
    });
    const segment = present(datagrams[0], 'a datagram').length;
    const source = emitEndpoint(ENDPOINT);
    this.#addon.channelPutDatagram(engine, source, concat(...datagrams), segment, 0);
    this.#addon.enginePump(engine, START);
    return this.#addon.channelTakePackets(engine);
  }

  dropped(reason: 'inner_malformed' | 'opened_malformed' | 'opened_protocol'): number {
    return Number(this.#hand.counters().drops[reason]);
  }

  close(): void {
    this.#hand.close();
  }
}
