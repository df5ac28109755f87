/**
 * Reading and writing of control-plane bytes, field by field, little endian. A reader never throws:
 * what would go beyond the end yields zeros and marks it as overrun, so that a parser asks once, at
 * its end, whether all was there (`isWhole`). Not for packets: the walk reads those in place.
 */

import { assert } from './assert.js';
import { fromHex, toHex } from './bytes.js';
import { NODE_ID_BYTES, type NodeId, nodeId } from './identifiers.js';

const TWO_32 = 0x1_0000_0000;
/** Integers of 64 bits are read and written up to here; what is larger reads as overrun. */
const LARGEST = Number.MAX_SAFE_INTEGER;

export class Reader {
  readonly #bytes: Uint8Array;
  #at: number;
  #isOverrun = false;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Of the next byte. */
  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Nothing was read that is not there; what is left over does not matter. */
  get isSound(): boolean {
    return !this.#isOverrun;
  }

  /** Everything was read, and nothing that is not there. */
  get isWhole(): boolean {
    return !this.#isOverrun && this.left === 0;
  }

  /** For a value that is none: what is read from here on does not count. */
  fail(): void {
    this.#isOverrun = true;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#bytes[at] ?? 0);
  }

  u16(): number {
    const low = this.u8();
    return low + this.u8() * 0x100;
  }

  u32(): number {
    const low = this.u16();
    return low + this.u16() * 0x1_0000;
  }

  /** At most 2^53 - 1; a larger one fails. */
  u64(): number {
    const low = this.u32();
    const value = low + this.u32() * TWO_32;
    if (value <= LARGEST) return value;
    this.fail();
    return 0;
  }

  /** A view; shorter where it is not there. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(length) : this.#bytes.subarray(at, at + length);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  nodeId(): NodeId {
    return nodeId(toHex(this.bytes(NODE_ID_BYTES)));
  }

  /** UTF-8 behind a length of one byte; bytes that are none fail. A byte order mark is a letter. */
  text(): string {
    const bytes = this.bytes(this.u8());
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.fail();
      return '';
    }
  }

  #take(length: number): number {
    if (this.#isOverrun || length > this.left) {
      this.#isOverrun = true;
      return -1;
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Grows as needed. */
export class Writer {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    assert(value >= 0 && value <= 0xff, 'a byte has 8 bits');
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    assert(value >= 0 && value <= 0xffff, 'a short has 16 bits');
    return this.u8(value & 0xff).u8(value >>> 8);
  }

  u32(value: number): this {
    assert(value >= 0 && value < TWO_32, 'a word has 32 bits');
    return this.u16(value % 0x1_0000).u16(Math.floor(value / 0x1_0000));
  }

  /** 0 to 2^53 - 1. */
  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'an integer is safe');
    return this.u32(value % TWO_32).u32(Math.floor(value / TWO_32));
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  nodeId(id: NodeId): this {
    const bytes = fromHex(id);
    assert(bytes?.length === NODE_ID_BYTES, 'a node id is 16 hexadecimal digits');
    return this.bytes(bytes);
  }

  /** UTF-8 behind a length of one byte: at most 255 bytes. */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u8(bytes.length).bytes(bytes);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}
