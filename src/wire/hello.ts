/**
 * The hello: what a peer of heddle's own protocol can do and wants, in the body of a control
 * message. Fields in any order, each
 *
 *   0        1        2
 *   +--------+--------+----------------+
 *   | tag    | length | value          |
 *   +--------+--------+----------------+
 *
 * tag  value
 * 1    version: 16 bits, little endian; 1
 * 2    suites: a byte each, the preferred first; 1 ChaCha20-Poly1305, 2 AES-256-GCM
 * 3    lanes: 8 bits, 1 to 8
 * 4    flags: 8 bits; bit 0: takes packets whose checksum field holds the pseudo-header's sum;
 *      bit 1: acknowledged, the other side's hello of this session came, and what follows from both
 *      is installed; bit 2: resuming, still sends with another session of the same two
 *
 * Unknown tags, suites and flags are ignored, and so is what a longer value has behind the bits
 * named here. Of two fields of one tag the first counts. What is missing is as with a stock peer:
 * version 1, ChaCha20-Poly1305 only, one lane, no flags. ChaCha20-Poly1305 is understood by all,
 * named or not. Malformed is a field that is cut short or too short for its tag, version 0, and a
 * number of lanes that is none. Source: heddle's protocol, version 1.
 */

import { assert } from '../base/assert.js';
import { loadLe16, storeLe16 } from '../base/bytes.js';

export const HELLO_VERSION = 1;
/** Lanes of a node, at most. */
export const HELLO_LANES = 8;

const TAG_VERSION = 1;
const TAG_SUITES = 2;
const TAG_LANES = 3;
const TAG_FLAGS = 4;
const FIELD_HEADER_BYTES = 2;

const FLAG_CHECKSUMS = 0x01;
const FLAG_ACKNOWLEDGED = 0x02;
const FLAG_RESUMING = 0x04;

/** By their bytes on the wire. */
const SUITES = new Map<number, HelloSuite>([
  [1, 'chacha20-poly1305'],
  [2, 'aes-256-gcm'],
]);

export type HelloSuite = 'chacha20-poly1305' | 'aes-256-gcm';

export interface Hello {
  /** Of the sender's protocol: 1 or later. */
  readonly version: number;
  /** Those known here, the preferred first; ChaCha20-Poly1305 is always among them. */
  readonly suites: readonly HelloSuite[];
  /** 1 to HELLO_LANES. */
  readonly lanes: number;
  readonly takesPartialChecksums: boolean;
  readonly isAcknowledged: boolean;
  readonly isResuming: boolean;
}

/** Whether every field stands whole in `body`. */
export function checkHello(body: Uint8Array): boolean {
  let at = 0;
  while (at + FIELD_HEADER_BYTES <= body.length) at += FIELD_HEADER_BYTES + (body[at + 1] ?? 0);
  return at === body.length;
}

/** Undefined when it is malformed. */
export function parseHello(body: Uint8Array): Hello | undefined {
  if (!checkHello(body)) return undefined;
  const versionBytes = fieldOf(body, TAG_VERSION);
  const lanesBytes = fieldOf(body, TAG_LANES);
  const flagBytes = fieldOf(body, TAG_FLAGS);
  if (versionBytes && versionBytes.length < 2) return undefined;
  if (lanesBytes?.length === 0 || flagBytes?.length === 0) return undefined;
  const version = versionBytes ? loadLe16(versionBytes, 0) : HELLO_VERSION;
  const lanes = lanesBytes?.[0] ?? 1;
  if (version === 0 || lanes < 1 || lanes > HELLO_LANES) return undefined;
  const flags = flagBytes?.[0] ?? 0;
  return {
    version,
    suites: suitesIn(fieldOf(body, TAG_SUITES)),
    lanes,
    takesPartialChecksums: (flags & FLAG_CHECKSUMS) !== 0,
    isAcknowledged: (flags & FLAG_ACKNOWLEDGED) !== 0,
    isResuming: (flags & FLAG_RESUMING) !== 0,
  };
}

/** The body, with every field. */
export function emitHello(hello: Hello): Uint8Array {
  const { version, suites, lanes } = hello;
  assert(version >= 1 && version <= 0xffff, 'a version has 16 bits');
  assert(lanes >= 1 && lanes <= HELLO_LANES, 'a node has 1 to 8 lanes');
  const versionBytes = new Uint8Array(2);
  storeLe16(versionBytes, 0, version);
  const suiteBytes = [...SUITES].filter(([, suite]) => suites.includes(suite));
  suiteBytes.sort(([, a], [, b]) => suites.indexOf(a) - suites.indexOf(b));
  return Uint8Array.from([
    ...[TAG_VERSION, versionBytes.length, ...versionBytes],
    ...[TAG_SUITES, suiteBytes.length, ...suiteBytes.map(([byte]) => byte)],
    ...[TAG_LANES, 1, lanes],
    ...[TAG_FLAGS, 1, flagsOf(hello)],
  ]);
}

export function formatHello(hello: Hello): string {
  const flags = [
    ...(hello.takesPartialChecksums ? ['partial-checksums'] : []),
    ...(hello.isAcknowledged ? ['acknowledged'] : []),
    ...(hello.isResuming ? ['resuming'] : []),
  ];
  const { version, suites, lanes } = hello;
  return `hello ${version} suites ${suites.join(',')} lanes ${lanes} flags ${flags.join(',')}`;
}

function flagsOf(hello: Hello): number {
  return (
    (hello.takesPartialChecksums ? FLAG_CHECKSUMS : 0) |
    (hello.isAcknowledged ? FLAG_ACKNOWLEDGED : 0) |
    (hello.isResuming ? FLAG_RESUMING : 0)
  );
}

/** The first value of this tag; `checkHello` holds. */
function fieldOf(body: Uint8Array, tag: number): Uint8Array | undefined {
  for (let at = 0; at < body.length; ) {
    const end = at + FIELD_HEADER_BYTES + (body[at + 1] ?? 0);
    if (body[at] === tag) return body.subarray(at + FIELD_HEADER_BYTES, end);
    at = end;
  }
  return undefined;
}

function suitesIn(bytes: Uint8Array | undefined): HelloSuite[] {
  const suites = new Set<HelloSuite>();
  for (const byte of bytes ?? []) {
    const suite = SUITES.get(byte);
    if (suite) suites.add(suite);
  }
  return [...suites.add('chacha20-poly1305')];
}
