/**
 * From the shape of a configuration to its value, and what is wrong between its parts: keys that
 * are missing, names, keys and prefixes that stand twice, settings of another encapsulation. Peers
 * in the clear are config_clear_peers.ts's.
 */

import { parseHostPort, parseInterfaceAddress, parseMac, parsePrefix } from '../base/address.js';
import { present } from '../base/assert.js';
import { isZero } from '../base/bytes.js';
import { seconds } from '../base/time.js';
import { KEY_BYTES } from '../crypto/suite.js';
import { clamp, formatKey, parseKey } from '../crypto/keys.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { DEFAULT_SEALED_VNI } from '../encap/encapsulation.js';
import type { Config, MeshSettings, PeerConfig } from '../node/config.js';
import { OFFLOADS } from '../node/offloads.js';
import { vtepMacOf } from '../node/vtep_mac.js';
import { ClearPeerReader } from './config_clear_peers.js';
import type { Path } from './config_document.js';
import { formatPath } from './config_fault.js';
import {
  type FileShape,
  LEAST_IPV6_MTU,
  PUBLIC_KEY_TEXT,
  type PeerShape,
} from './config_schema.js';
import { type ConfigPlace, SecretReader } from './config_secrets.js';
import type { FaultList } from './fault_list.js';
import { PeerClaims, prefixesOf } from './peer_claims.js';

/** As much of a public key as names a peer that has no name. */
const NAME_LENGTH = 8;

/** What judging a configuration takes of a suite: to know this host's own public key. */
export type KeyDerivation = Pick<CryptoSuite, 'publicKey'>;

export class ConfigReader {
  readonly #faults: FaultList;
  readonly #crypto: KeyDerivation;
  readonly #secrets: SecretReader;
  readonly #claims: PeerClaims;

  constructor(place: ConfigPlace, faults: FaultList, crypto: KeyDerivation) {
    this.#faults = faults;
    this.#crypto = crypto;
    this.#secrets = new SecretReader(place, faults);
    this.#claims = new PeerClaims(faults);
  }

  /** Undefined where it has a fault that leaves nothing to return. */
  read(shape: FileShape): Config | undefined {
    const privateKey = this.#readPrivateKey(shape);
    const publicKey = privateKey && this.#crypto.publicKey(privateKey);
    if (publicKey) this.#noteOwnKey(shape, formatKey(publicKey));
    const peers = [...shape.peers.entries()].flatMap(([i, peer]) => this.#readPeer(peer, i) ?? []);
    const given = shape.vtepMac === undefined ? undefined : parseMac(shape.vtepMac);
    const vtepMac = given ?? (publicKey && vtepMacOf(publicKey));
    const clear = new ClearPeerReader(this.#faults, this.#claims, {
      listenPort: shape.listenPort,
      vtepMac,
      sealedPrefixes: peers.flatMap((peer) => peer.allowedIps),
    });
    const clearPeers = [...shape.peers.entries()].flatMap(([i, peer]) => clear.read(peer, i) ?? []);
    const addresses = shape.addresses.map((text) =>
      present(parseInterfaceAddress(text), 'the schema checked the address'),
    );
    this.#judgeAddresses(addresses.map((address) => address.text));
    const prefixes = [...peers, ...clearPeers].flatMap((peer) => peer.allowedIps);
    const hasIpv6 = [...addresses, ...prefixes].some((each) => each.address.family === 6);
    if (hasIpv6 && shape.mtu !== undefined && shape.mtu < LEAST_IPV6_MTU) {
      this.#faults.addExpected(['mtu'], `at least ${LEAST_IPV6_MTU} because IPv6 is configured`);
    }
    this.#judgeOffloads(shape);
    this.#judgeLanes(shape);
    if (!privateKey) return undefined;
    return {
      interface: shape.interface,
      privateKey,
      ...meshSettings(shape),
      ...(given ? { vtepMac: given } : {}),
      listenPort: shape.listenPort,
      addresses,
      ...(shape.mtu === undefined ? {} : { mtu: shape.mtu }),
      table: shape.table,
      fwMark: shape.fwMark === 'off' ? 0 : shape.fwMark,
      datapath: shape.datapath,
      ...(shape.offloads ? { offloads: shape.offloads } : {}),
      ...(shape.ciphers ? { ciphers: shape.ciphers } : {}),
      ...(shape.lanes === 'auto' ? {} : { lanes: shape.lanes }),
      peers,
      clearPeers,
    };
  }

  #readPrivateKey(shape: FileShape): Uint8Array | undefined {
    const key = this.#secrets.read(shape, [], 'privateKey');
    const hint = 'make one with `heddle keygen`';
    if (key && isZero(key)) {
      const at = shape.privateKey === undefined ? 'privateKeyFile' : 'privateKey';
      this.#faults.add([at], `${at}: a key of zeros is none; ${hint}`);
      return undefined;
    }
    if (key) clamp(key);
    else if (shape.privateKey === undefined && shape.privateKeyFile === undefined) {
      // The mesh has a key of its own.
      if (shape.mesh) return new Uint8Array(KEY_BYTES);
      this.#faults.add([], `missing key: expected privateKey or privateKeyFile; ${hint}`);
    }
    return key;
  }

  #noteOwnKey(shape: FileShape, own: string): void {
    const at = shape.peers.findIndex((peer) => peer.publicKey === own);
    if (at >= 0)
      this.#add(['peers', at, 'publicKey'], 'this is the public key of this host itself');
  }

  /** Undefined for a peer in the clear, and for one without a key. */
  #readPeer(shape: PeerShape, i: number): PeerConfig | undefined {
    const { encapsulation, publicKey: keyText } = shape;
    if (encapsulation === 'vxlan' || encapsulation === 'udp') return undefined;
    const path: Path = ['peers', i];
    this.#refuseClearSettings(shape, path);
    const publicKey = keyText === undefined ? undefined : parseKey(keyText);
    if (keyText === undefined || !publicKey) {
      this.#faults.addExpected([...path, 'publicKey'], PUBLIC_KEY_TEXT);
      return undefined;
    }
    if (isZero(publicKey)) this.#add([...path, 'publicKey'], 'a key of zeros is nobody');
    const keyAt = [...path, 'publicKey'];
    this.#claims.claim('has this public key', i, keyAt, keyText);
    const name = shape.name ?? keyText.slice(0, NAME_LENGTH);
    this.#claims.name(name, shape, i);
    const presharedKey = this.#secrets.read(shape, path, 'presharedKey');
    const endpoint = shape.endpoint === undefined ? undefined : parseHostPort(shape.endpoint);
    const prefixes = prefixesOf(shape, i);
    for (const each of prefixes) this.#claims.prefix(each.prefix, i, each.path);
    const keepalive = shape.persistentKeepalive;
    return {
      name,
      publicKey,
      ...(presharedKey ? { presharedKey } : {}),
      ...(endpoint ? { endpoint } : {}),
      allowedIps: prefixes.map(({ prefix }) => prefix),
      ...(keepalive === 'off' || keepalive === 0
        ? {}
        : { persistentKeepalive: seconds(keepalive) }),
      ...(shape.protocol === 'heddle' ? { protocol: shape.protocol } : {}),
      ...(encapsulation === 'wireguard' ? {} : { sealedVni: shape.vni ?? DEFAULT_SEALED_VNI }),
    };
  }

  #refuseClearSettings(shape: PeerShape, path: Path): void {
    const { encapsulation } = shape;
    if (shape.vni !== undefined && encapsulation === 'wireguard') {
      this.#addAtKey([...path, 'vni'], 'wireguard has no VNI; remove it, or use vxlan-sealed');
    }
    if (shape.vtepMac !== undefined) {
      this.#addAtKey(
        [...path, 'vtepMac'],
        'only a peer with encapsulation vxlan has it; remove it',
      );
    }
    if (shape.plaintextUntil !== undefined) {
      const why = `${encapsulation} is sealed, and does not end; remove it`;
      this.#addAtKey([...path, 'plaintextUntil'], why);
    }
  }

  #judgeOffloads({ offloads, datapath }: FileShape): void {
    if (!offloads || datapath === 'native') return;
    for (const name of OFFLOADS.filter((each) => offloads[each] === 'on')) {
      this.#add(['offloads', name], 'the reference datapath has no offloads; use auto or off');
    }
  }

  #judgeLanes({ lanes, datapath }: FileShape): void {
    if (lanes === 'auto' || lanes === 1 || datapath === 'native') return;
    this.#add(['lanes'], 'the reference datapath has one lane; use 1 or auto');
  }

  #judgeAddresses(texts: readonly string[]): void {
    for (const [i, text] of texts.entries()) {
      if (texts.indexOf(text) < i) this.#add(['addresses', i], `${text} stands here twice`);
    }
  }

  #add(path: Path, message: string): void {
    this.#faults.add(path, `${formatPath(path)}: ${message}`);
  }

  #addAtKey(path: Path, message: string): void {
    this.#faults.addAtKey(path, `${formatPath(path)}: ${message}`);
  }
}

function meshSettings({ mesh }: FileShape): { meshSettings?: MeshSettings } {
  if (mesh === false) return {};
  if (mesh === true) return { meshSettings: { announce: [], acceptsDefaultRoutes: false } };
  const { name, announce, subnet, acceptDefaultRoutes } = mesh;
  return {
    meshSettings: {
      ...(name === undefined ? {} : { name }),
      announce: announce.map((text) => present(parsePrefix(text), 'the schema checked it')),
      ...(subnet === undefined ? {} : { subnetLength: subnet }),
      acceptsDefaultRoutes: acceptDefaultRoutes,
    },
  };
}
