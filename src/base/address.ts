/**
 * Addresses, prefixes and endpoints: parsed once at the edge, immutable after, with one canonical
 * text each (RFC 5952 for IPv6). An IPv4-mapped IPv6 address is normalised to IPv4, so one host has
 * one form.
 */

import { present } from './assert.js';
import { pack, unpack } from './bytes.js';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  /** 4 or 16 in network byte order; a new array each time it is read. */
  readonly bytes: Uint8Array;
  /** The map key. */
  readonly text: string;
}

/** The bits of `address` behind `length` are zero. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
  readonly text: string;
}

/** A mesh has several for each of thousands of members: it keeps what it is asked for, no more. */
class PackedAddress implements Address {
  readonly packed: string;
  #text: string | undefined;

  /** Of 4 or 16 bytes, no IPv4-mapped ones. */
  constructor(bytes: Uint8Array) {
    this.packed = pack(bytes);
  }

  get family(): Family {
    return this.packed.length === 4 ? 4 : 6;
  }

  get bytes(): Uint8Array {
    return unpack(this.packed);
  }

  get text(): string {
    this.#text ??= formatAddress(this.bytes);
    return this.#text;
  }
}

class MaskedAddress implements Prefix {
  readonly address: Address;
  readonly length: number;
  #text: string | undefined;

  constructor(address: Address, length: number) {
    this.address = address;
    this.length = length;
  }

  get text(): string {
    this.#text ??= withLength(formatAddress(this.address.bytes), this.length);
    return this.#text;
  }
}

/** An outer address and UDP port: `192.0.2.1:51820` or `[2001:db8::1]:51820`. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
  readonly text: string;
  /**
   * Where its datagrams reached us, so that ours leave from there; absent: the kernel chooses. Not
   * part of `text`.
   */
  readonly local?: LocalAddress;
  /**
   * Its datagrams carry a VXLAN header with this network identifier in front of each message
   * (`vxlan-sealed`); absent: none. Not part of `text`.
   */
  readonly vni?: number;
}

export interface LocalAddress {
  readonly address: Address;
  /** 0 stands for every interface. */
  readonly interfaceIndex: number;
}

/** An address of an interface together with its on-link prefix length: `10.0.0.1/24`. */
export interface InterfaceAddress {
  readonly address: Address;
  readonly length: number;
  readonly text: string;
}

/** An Ethernet address: `02:00:5e:10:00:01`. */
export interface Mac {
  /** 6 bytes, never written after construction. */
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Six bytes in hexadecimal, of either case, between colons or hyphens. */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return macFromBytes(
    Uint8Array.from(text.split(/[:-]/), (part) => Number.parseInt(part, 16)),
    0,
  );
}

/** Copies 6 bytes from `at`. */
export function macFromBytes(bytes: Uint8Array, at: number): Mac {
  const own = bytes.slice(at, at + 6);
  const text = Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  return { bytes: own, text };
}

export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Copies 4 or 16 bytes from `at`. */
export function addressFromBytes(bytes: Uint8Array, at: number, family: Family): Address {
  const own = bytes.subarray(at, at + (family === 4 ? 4 : 16));
  return family === 6 && isMapped(own) ? addressFromBytes(own, 12, 4) : new PackedAddress(own);
}

export function parseAddress(text: string): Address | undefined {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return bytes && addressFromBytes(bytes, 0, bytes.length === 4 ? 4 : 6);
}

/**
 * Takes `10.0.0.0/8` or a bare address (a host prefix); bits behind the length are cleared, as wg
 * does.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const parsed = parseInterfaceAddress(text);
  return parsed && prefixOf(parsed.address, parsed.length);
}

/** The length counts in the family as written: `::ffff:10.0.0.0/104` is `10.0.0.0/8`. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(host);
  if (!address) return undefined;
  const bits = bitsOf(address.family);
  const writtenBits = host.includes(':') ? 128 : 32;
  const written = slash < 0 ? writtenBits : parseDecimal(text.slice(slash + 1));
  if (written === undefined) return undefined;
  const length = written - (writtenBits - bits);
  if (length < 0 || length > bits) return undefined;
  return { address, length, text: withLength(address.text, length) };
}

export function prefixOf(address: Address, length: number): Prefix {
  const { bytes } = address;
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(8, Math.max(0, length - 8 * i));
    bytes[i] = (bytes[i] ?? 0) & (0xff00 >> kept);
  }
  return new MaskedAddress(new PackedAddress(bytes), length);
}

export function endpointOf(address: Address, port: number): Endpoint {
  const text = address.family === 6 ? ['[', address.text, ']:', port] : [address.text, ':', port];
  return { address, port, text: text.join('') };
}

/** The same place, left to the kernel's choice of where ours leave from. */
export function withoutLocal({ local: _, ...rest }: Endpoint): Endpoint {
  return rest;
}

/** The same place in another form: behind VXLAN with this identifier, or bare. */
export function withVni({ vni: _, ...rest }: Endpoint, vni: number | undefined): Endpoint {
  return vni === undefined ? rest : { ...rest, vni };
}

/** A literal endpoint; a name needs resolving first, see `parseHostPort`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parsed = parseHostPort(text);
  const address = parsed && parseAddress(parsed.host);
  return address && parsed && endpointOf(address, parsed.port);
}

/** Splits `host:port` or `[v6]:port`; the port is 1 to 65535. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = match && parseDecimal(present(match[3], 'the port matched'));
  if (!match || port === undefined || port === null || port < 1 || port > 65535) return undefined;
  const bracketed = match[1];
  if (bracketed !== undefined && !parseIpv6(bracketed)) return undefined;
  return { host: bracketed ?? present(match[2], 'one host form matched'), port };
}

function parseDecimal(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : undefined;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    const value = part.length <= 3 ? parseDecimal(part) : undefined;
    if (value === undefined || value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Colon-separated groups as bytes; the last may be a dotted IPv4 address where `mayEndInIpv4`. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const dotted = mayEndInIpv4 && i === groups.length - 1 ? parseIpv4(group) : undefined;
      if (!dotted) return undefined;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes.length <= 16 ? bytes : undefined;
}

/** One string, where a template keeps its parts as well. */
function withLength(address: string, length: number): string {
  return [address, '/', length].join('');
}

function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

/**
 * RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups as `::`.
 */
function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [bestAt, bestLength] = [i, length];
    if (length > 0) i += length;
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (bestAt < 0) return text(0, 8);
  return [text(0, bestAt), '::', text(bestAt + bestLength, 8)].join('');
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}
