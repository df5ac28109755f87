/**
 * The part of a twin's random life that heddle peers have: sessions with sub-keypairs of lanes,
 * control messages, and messages that only somebody with the keys could make.
 */

import { present } from '../../src/base/assert.js';
import { concat, storeLe32, storeLe64 } from '../../src/base/bytes.js';
import { type SessionIndex, sessionIndex } from '../../src/base/identifiers.js';
import type { SeededRandom } from '../../src/base/random.js';
import type { Instant } from '../../src/base/time.js';
import { type KeypairMaterial, MAX_CONTROL } from '../../src/datapath/tables.js';
import { REJECT_AFTER_MESSAGES } from '../../src/session/constants.js';
import { ipv4, tcp, udp } from './inner_packets.js';
import { SUITE } from './walk_rig.js';

const BASES: readonly number[] = [16, 32, 48];
const LANES = 3;
const LANE_MARK = 8;
const TYPES: readonly number[] = [4, 0x48, 0x0100_0048];
const SUITES = ['aes-256-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const;

/** One keypair, as each of two hosts has it. */
export type KeypairOfTwo = readonly [here: KeypairMaterial, there: KeypairMaterial];

export class TwinHeddle {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** An index that a keypair may have here: a session's own, or that of a lane. */
  index(): SessionIndex {
    const lane = this.#random.below(LANES + 1);
    return sessionIndex(this.#one(BASES) + (lane === 0 ? 0 : LANE_MARK + lane - 1));
  }

  /** Its base keypair, and those of its lanes; perhaps it has none. */
  session(createdAt: Instant): KeypairOfTwo[] {
    const [here, there] = [this.#one(BASES), this.#one(BASES)];
    const suite = this.#one(SUITES);
    const lanes = this.#random.below(LANES + 1);
    return [
      this.#keypair(here, there, { createdAt, takesControl: true }),
      ...Array.from({ length: lanes }, (_, lane) =>
        this.#keypair(here + LANE_MARK + lane, there + LANE_MARK + lane, {
          createdAt,
          takesControl: this.#random.below(8) > 0,
          heddle: { suite, lane, trustsChecksums: this.#random.below(2) === 0 },
        }),
      ),
    ];
  }

  /** Mostly what begins as a control message does. */
  control(): Uint8Array {
    const message = this.#random.bytes(this.#one([1, 3, 16, 40, MAX_CONTROL, MAX_CONTROL - 1, 0]));
    if (message.length > 0 && this.#random.below(8) > 0) message[0] = 0x10;
    return message;
  }

  /** The other host's message with any counter and content, perhaps under another type. */
  forged(material: KeypairMaterial, contents: readonly Uint8Array[]): Uint8Array {
    const own = material.heddle ? this.#one([0x48, 0x48, 0x0100_0048]) : 4;
    const type = this.#random.below(10) === 0 ? this.#one(TYPES) : own;
    const isOdd = this.#random.below(3) === 0;
    return forge(material, {
      type,
      counter: this.#counter(),
      content: this.#one(isOdd ? contents : this.#contents()),
    });
  }

  /** More control messages than wait, for a host that may take them. */
  flood(material: KeypairMaterial, count: number): Uint8Array[] {
    const type = material.heddle ? 0x48 : 4;
    const first = BigInt(this.#random.below(1 << 30));
    return Array.from({ length: count }, (_, i) =>
      forge(material, { type, counter: first + BigInt(i), content: Uint8Array.of(0x10, i) }),
    );
  }

  #keypair(
    localIndex: number,
    remoteIndex: number,
    shared: Pick<KeypairMaterial, 'createdAt' | 'takesControl' | 'heddle'>,
  ): KeypairOfTwo {
    const [here, there] = [sessionIndex(localIndex), sessionIndex(remoteIndex)];
    const [one, other] = [this.#random.bytes(32), this.#random.bytes(32)];
    return [
      {
        ...{ localIndex: here, remoteIndex: there, sendKey: one, receiveKey: other },
        ...{ ...shared, isInitiator: true },
      },
      {
        ...{ localIndex: there, remoteIndex: here, sendKey: other, receiveKey: one },
        ...{ ...shared, isInitiator: false },
      },
    ];
  }

  #counter(): bigint {
    return this.#one([
      BigInt(this.#random.below(20_000)),
      BigInt(this.#random.below(64)),
      8128n,
      1n << 30n,
      (1n << 32n) - 1n,
      1n << 32n,
      1n << 40n,
      (1n << 40n) - 8128n,
      (1n << 40n) - 8129n,
      REJECT_AFTER_MESSAGES - 1n,
      REJECT_AFTER_MESSAGES,
      (1n << 64n) - 1n,
    ]);
  }

  /** What checksums are left out of, and what cannot be; control messages, too long as well. */
  #contents(): Uint8Array[] {
    const family = this.#one([4, 6] as const);
    const payload = this.#random.bytes(this.#random.below(64));
    const segment =
      this.#random.below(2) === 0 ? tcp({ family, payload }) : udp({ family, payload });
    const long = new Uint8Array(MAX_CONTROL + this.#random.below(3)).fill(0x11);
    const [padding, at] = [this.#random.below(16), this.#random.below(segment.length)];
    return [
      concat(segment, new Uint8Array(padding)),
      segment,
      changed(segment, at, this.#random.below(256)),
      segment.slice(0, at),
      tcp({ family: 4, payload, fragment: 0x2000 }),
      udp({ family, payload: 8, isSummed: false }),
      ipv4({ source: '10.0.0.2' }),
      new Uint8Array(0),
      this.control(),
      long,
      long,
    ];
  }

  #one<Item>(items: readonly Item[]): Item {
    return present(items[this.#random.below(items.length)], 'one of several');
  }
}

function forge(
  { localIndex, receiveKey: key, heddle }: KeypairMaterial,
  message: { readonly type: number; readonly counter: bigint; readonly content: Uint8Array },
): Uint8Array {
  const { type, counter, content } = message;
  const header = new Uint8Array(16);
  storeLe32(header, 0, type);
  storeLe32(header, 4, localIndex);
  storeLe64(header, 8, counter);
  const suite = heddle?.suite ?? 'chacha20-poly1305';
  return concat(header, SUITE.sealMessage({ suite, key, prefix: type >>> 24, counter }, content));
}

function changed(packet: Uint8Array, at: number, value: number): Uint8Array {
  return packet.map((byte, i) => (i === at ? value : byte));
}
