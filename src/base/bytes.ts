/** Operations on byte arrays that every folder needs; none keeps a reference to its arguments. */

/** The bytes of all parts, one after the other, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Equality whose time does not depend on the content; for secrets and tags. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function isZero(bytes: Uint8Array): boolean {
  let sum = 0;
  for (const byte of bytes) sum |= byte;
  return sum === 0;
}

/** Overwrites secrets whose life has ended. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0);
}

/**
 * A copy whose bytes lie outside the collector's heap. Small arrays lie within, where the collector
 * moves them and leaves their bytes behind, out of reach of `wipe`: not for secrets that stay.
 */
export function copySecret(secret: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new ArrayBuffer(secret.length));
  copy.set(secret);
  return copy;
}

const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  const pairs: string[] = [];
  for (const byte of bytes) pairs.push(HEX_PAIRS[byte] ?? '');
  // Added up it would keep its parts in memory, too, for as long as it is kept itself.
  return pairs.join('');
}

/**
 * One character a byte: the smallest form that bytes can be kept in, and one that can be a key. A
 * small array takes some 200 bytes besides its content, a string 16. Compares as bytes do.
 */
export function pack(bytes: Uint8Array): string {
  // To spread the bytes as arguments is ten times as slow.
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

/** The bytes of a packed string, in a new array. */
export function unpack(packed: string): Uint8Array {
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
}

const TEXTS: Readonly<Record<string, never>> = Object.create(null);

/**
 * The same text, kept once in memory for all that were passed through here. Reading a property
 * makes the engine look the name up in its own table of names, which holds none that nobody else
 * does; where an engine did not, the text would be the same all the same.
 */
export function shared<T extends string>(text: T): T {
  return TEXTS[text] ?? text;
}

/** The bytes that `text` spells in hexadecimal, or undefined when it does not. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 §4, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63);
    text += left > 1 ? BASE64.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? BASE64.charAt(group & 63) : '=';
  }
  return text;
}

/** Canonical RFC 4648 §4 only: padded, no white space, unused bits zero. Undefined otherwise. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let i = 0, at = 0; i < text.length; i += 4) {
    let group = 0;
    for (let j = 0; j < 4; j++)
      group = (group << 6) | Math.max(0, BASE64.indexOf(text.charAt(i + j)));
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8)
      bytes[at++] = (group >> shift) & 255;
  }
  return toBase64(bytes) === text ? bytes : undefined;
}

export function loadLe16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

export function storeLe16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function loadLe32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

export function storeLe32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function loadLe64(bytes: Uint8Array, at: number): bigint {
  return BigInt(loadLe32(bytes, at)) | (BigInt(loadLe32(bytes, at + 4)) << 32n);
}

export function storeLe64(bytes: Uint8Array, at: number, value: bigint): void {
  storeLe32(bytes, at, Number(value & 0xffffffffn));
  storeLe32(bytes, at + 4, Number((value >> 32n) & 0xffffffffn));
}

export function loadBe16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function storeBe16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function loadBe32(bytes: Uint8Array, at: number): number {
  return ((loadBe16(bytes, at) << 16) | loadBe16(bytes, at + 2)) >>> 0;
}

export function storeBe32(bytes: Uint8Array, at: number, value: number): void {
  storeBe16(bytes, at, value >>> 16);
  storeBe16(bytes, at + 2, value & 0xffff);
}
