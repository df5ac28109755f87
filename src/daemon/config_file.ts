/**
 * The configuration file: from its bytes to a Config, or to every fault in it at once. Three
 * passes, each only when the one before found nothing that blinds it: YAML (config_document.ts),
 * the shape (config_schema.ts), and here what depends on more than one key: secrets and the mode of
 * their files, names, keys and prefixes that stand twice.
 */

import { dirname, resolve } from 'node:path';
import type { $ZodIssue } from 'zod/v4/core';
import { parseHostPort, parseInterfaceAddress, parsePrefix } from '../base/address.js';
import { present } from '../base/assert.js';
import { isZero, wipe } from '../base/bytes.js';
import { seconds } from '../base/time.js';
import { clamp, formatKey, parseKey } from '../crypto/keys.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { FileError, quote, readFile, readPrivateFile } from '../io/files.js';
import type { Config, PeerConfig } from '../node/config.js';
import { ConfigDocument, type Path } from './config_document.js';
import {
  ConfigError,
  describeFound,
  describeText,
  type Fault,
  formatPath,
} from './config_fault.js';
import {
  CONFIG_SCHEMA,
  type FileShape,
  LEAST_IPV6_MTU,
  PEER_KEYS,
  type PeerShape,
  SECRET_KEYS,
  TOP_KEYS,
} from './config_schema.js';
import { nearest } from './nearest.js';

/** Room for 2^16 peers with a few prefixes each; a file beyond it is something else. */
export const CONFIG_LIMIT = 8 * 1024 * 1024;
const KEY_FILE_LIMIT = 4096;
/** As much of a public key as names a peer that has no name. */
const NAME_LENGTH = 8;

/**
 * What judging a configuration takes of a suite: to know this host's own public key when a peer has
 * it.
 */
export type KeyDerivation = Pick<CryptoSuite, 'publicKey'>;

/** Reads and judges the file. Throws ConfigError with every fault. */
export function readConfigFile(file: string, crypto: KeyDerivation): Config {
  try {
    const { bytes, mode } = readFile(file, CONFIG_LIMIT);
    return parseConfig({ file, bytes, mode }, crypto);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError(file, [{ line: 0, column: 0, message: error.message }], error);
  }
}

export interface ConfigSource {
  /** The file's path: for messages, and where relative paths start. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The file's permission bits. */
  readonly mode: number;
}

/** Judges a configuration that was read. Throws ConfigError with every fault. */
export function parseConfig(source: ConfigSource, crypto: KeyDerivation): Config {
  const document = new ConfigDocument(source.bytes);
  if (document.faults.length > 0) throw new ConfigError(source.file, document.faults);
  const faults = new Faults(document);
  judgeMode(source, document.value, faults);
  const parsed = CONFIG_SCHEMA.safeParse(document.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) faults.addIssue(issue);
    throw new ConfigError(source.file, faults.list);
  }
  const config = new Reader(source, faults, crypto).read(parsed.data);
  if (config && faults.list.length === 0) return config;
  throw new ConfigError(source.file, faults.list);
}

/** A file that holds a secret must be its owner's alone. */
function judgeMode(source: ConfigSource, value: unknown, faults: Faults): void {
  if ((source.mode & 0o077) === 0) return;
  const path = findSecret(value, []);
  if (!path) return;
  const mode = `0${source.mode.toString(8)}`;
  faults.addAtKey(
    path,
    `${formatPath(path)}: a secret stands in a file of mode ${mode} that others may read; ` +
      `run: chmod 600 ${quote(source.file)}`,
  );
}

function findSecret(value: unknown, path: Path): Path | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (SECRET_KEYS.includes(key)) return [...path, key];
    const found = findSecret(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}

/** The faults found so far, each placed in the document. */
class Faults {
  readonly list: Fault[] = [];
  readonly #document: ConfigDocument;

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  /** The same fault once: the schema may find it by two rules. */
  add(path: Path, message: string): void {
    const place = this.#document.positionOf(path);
    const last = this.list.at(-1);
    const isSame = last?.line === place.line && last.column === place.column;
    if (!isSame || last.message !== message) this.list.push({ ...place, message });
  }

  addAtKey(path: Path, message: string): void {
    this.list.push({ ...this.#document.positionOfKey(path), message });
  }

  addIssue(issue: $ZodIssue): void {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#addUnknownKey(path, key);
      return;
    }
    const value = valueAt(this.#document.value, path);
    const name = path.length === 0 ? 'the file' : formatPath(path);
    this.add(path, `${name}: found ${describeFound(value, path)}, expected ${issue.message}`);
  }

  #addUnknownKey(path: Path, key: string): void {
    const known = path.length === 0 ? TOP_KEYS : PEER_KEYS;
    const meant = nearest(key, known);
    const hint = meant ? `did you mean "${meant}"?` : `expected one of ${known.join(', ')}`;
    const place = path.length === 0 ? '' : `${formatPath(path)}: `;
    this.addAtKey([...path, key], `${place}unknown key ${describeText(key)}; ${hint}`);
  }
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.getOwnPropertyDescriptor(found, step)?.value;
  }
  return found;
}

/** Turns the shape into the value, and notes what is wrong between its parts. */
class Reader {
  readonly #source: ConfigSource;
  readonly #faults: Faults;
  readonly #crypto: KeyDerivation;
  /** What was seen, and which peer had it first. */
  readonly #names = new Map<string, number>();
  readonly #keys = new Map<string, number>();
  readonly #prefixes = new Map<string, number>();

  constructor(source: ConfigSource, faults: Faults, crypto: KeyDerivation) {
    this.#source = source;
    this.#faults = faults;
    this.#crypto = crypto;
  }

  read(shape: FileShape): Config | undefined {
    const privateKey = this.#readPrivateKey(shape);
    if (privateKey) this.#noteOwnKey(shape, privateKey);
    const peers = shape.peers.map((peer, i) => this.#readPeer(peer, i));
    const addresses = shape.addresses.map((text) =>
      present(parseInterfaceAddress(text), 'the schema checked the address'),
    );
    this.#judgeAddresses(addresses.map((address) => address.text));
    const prefixes = peers.flatMap((peer) => peer.allowedIps);
    const hasIpv6 = [...addresses, ...prefixes].some((each) => each.address.family === 6);
    if (hasIpv6 && shape.mtu !== undefined && shape.mtu < LEAST_IPV6_MTU) {
      const expected = `expected at least ${LEAST_IPV6_MTU} because IPv6 is configured`;
      this.#faults.add(['mtu'], `mtu: found the number ${shape.mtu}, ${expected}`);
    }
    if (!privateKey) return undefined;
    return {
      interface: shape.interface,
      privateKey,
      listenPort: shape.listenPort,
      addresses,
      ...(shape.mtu === undefined ? {} : { mtu: shape.mtu }),
      table: shape.table,
      fwMark: shape.fwMark === 'off' ? 0 : shape.fwMark,
      datapath: shape.datapath,
      peers,
      clearPeers: [],
    };
  }

  #readPrivateKey(shape: FileShape): Uint8Array | undefined {
    const key = this.#readSecret([], 'privateKey', shape.privateKey, shape.privateKeyFile);
    if (key) {
      clamp(key);
      return key;
    }
    if (shape.privateKey === undefined && shape.privateKeyFile === undefined) {
      const hint = 'make one with `heddle keygen`';
      this.#faults.add([], `missing key: expected privateKey or privateKeyFile; ${hint}`);
    }
    return undefined;
  }

  /** A secret that stands in the file or in one of its own. */
  #readSecret(
    path: Path,
    name: string,
    inline: string | undefined,
    file: string | undefined,
  ): Uint8Array | undefined {
    if (inline !== undefined && file !== undefined) {
      const where = formatPath([...path, `${name}File`]);
      this.#faults.addAtKey([...path, `${name}File`], `${where}: ${name} is given too; keep one`);
      return undefined;
    }
    if (inline !== undefined) return parseKey(inline);
    if (file === undefined) return undefined;
    return this.#readSecretFile([...path, `${name}File`], file);
  }

  #readSecretFile(path: Path, file: string): Uint8Array | undefined {
    const absolute = resolve(dirname(this.#source.file), file);
    try {
      const bytes = readPrivateFile(absolute, KEY_FILE_LIMIT);
      const key = parseKey(new TextDecoder().decode(bytes).trim());
      wipe(bytes);
      if (key) return key;
      const expected = 'expected one line with 32 bytes in base64 (44 characters)';
      this.#faults.add(path, `${formatPath(path)}: "${absolute}" does not hold a key, ${expected}`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#faults.add(path, `${formatPath(path)}: ${error.message}`);
    }
    return undefined;
  }

  #noteOwnKey(shape: FileShape, privateKey: Uint8Array): void {
    const own = formatKey(this.#crypto.publicKey(privateKey));
    const at = shape.peers.findIndex((peer) => peer.publicKey === own);
    if (at < 0) return;
    const path = ['peers', at, 'publicKey'];
    this.#faults.add(path, `${formatPath(path)}: this is the public key of this host itself`);
  }

  #readPeer(shape: PeerShape, i: number): PeerConfig {
    const path: Path = ['peers', i];
    const publicKey = present(parseKey(shape.publicKey), 'the schema checked the key');
    if (isZero(publicKey)) this.#add([...path, 'publicKey'], 'a key of zeros is nobody');
    this.#claim(this.#keys, shape.publicKey, i, [...path, 'publicKey'], 'has this public key');
    const name = shape.name ?? shape.publicKey.slice(0, NAME_LENGTH);
    const nameAt = shape.name === undefined ? path : [...path, 'name'];
    this.#claim(this.#names, name, i, nameAt, `is named ${describeText(name)}`);
    const { presharedKey: inline, presharedKeyFile: file } = shape;
    const presharedKey = this.#readSecret(path, 'presharedKey', inline, file);
    const endpoint = shape.endpoint === undefined ? undefined : parseHostPort(shape.endpoint);
    const keepalive = shape.persistentKeepalive;
    return {
      name,
      publicKey,
      ...(presharedKey ? { presharedKey } : {}),
      ...(endpoint ? { endpoint } : {}),
      allowedIps: this.#readPrefixes(shape, i),
      ...(keepalive === 'off' || keepalive === 0
        ? {}
        : { persistentKeepalive: seconds(keepalive) }),
    };
  }

  #readPrefixes(shape: PeerShape, i: number): PeerConfig['allowedIps'] {
    const own = new Map<string, PeerConfig['allowedIps'][number]>();
    for (const [j, text] of shape.allowedIps.entries()) {
      const prefix = present(parsePrefix(text), 'the schema checked the prefix');
      if (own.has(prefix.text)) continue;
      own.set(prefix.text, prefix);
      this.#claim(
        this.#prefixes,
        prefix.text,
        i,
        ['peers', i, 'allowedIps', j],
        `has ${prefix.text}, and a prefix belongs to one peer`,
      );
    }
    return [...own.values()];
  }

  #judgeAddresses(texts: readonly string[]): void {
    for (const [i, text] of texts.entries()) {
      if (texts.indexOf(text) < i) this.#add(['addresses', i], `${text} stands here twice`);
    }
  }

  /** Notes that peer `i` has `text`, or the fault that another had it before. */
  #claim(seen: Map<string, number>, text: string, i: number, path: Path, what: string): void {
    const first = seen.get(text);
    if (first === undefined) seen.set(text, i);
    else this.#add(path, `peers[${first}] already ${what}`);
  }

  #add(path: Path, message: string): void {
    this.#faults.add(path, `${formatPath(path)}: ${message}`);
  }
}
