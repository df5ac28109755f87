/**
 * The peers of a configuration whose packets cross the underlay in the clear, and what is refused
 * of them: settings that belong to a seal, an outer address that is not certain, and any way in
 * which what is sealed could leave or come in unsealed.
 */

import {
  type Endpoint,
  endpointOf,
  type Mac,
  type Prefix,
  parseAddress,
  parseHostPort,
  parseMac,
} from '../base/address.js';
import { parseRfc3339 } from '../api/rfc3339.js';
import { PrefixOverlap } from '../api/prefix_overlap.js';
import { DEFAULT_CLEAR_VNI } from '../encap/encapsulation.js';
import type { ClearPeerConfig } from '../node/config.js';
import type { Path } from './config_document.js';
import { formatPath } from './config_fault.js';
import { MAC_TEXT, type PeerShape } from './config_schema.js';
import type { FaultList } from './fault_list.js';
import { type PeerClaims, prefixesOf } from './peer_claims.js';

type ClearKind = ClearPeerConfig['carrier']['kind'];

/** What peers in the clear must keep away from. */
export interface ClearPeerBounds {
  readonly listenPort: number;
  /** Our own; undefined where it is not known because the key is missing. */
  readonly vtepMac: Mac | undefined;
  readonly sealedPrefixes: readonly Prefix[];
}

export class ClearPeerReader {
  readonly #faults: FaultList;
  readonly #claims: PeerClaims;
  readonly #bounds: ClearPeerBounds;
  readonly #sealed: PrefixOverlap;
  /** The encapsulation of each clear port, and the peer that it is of. */
  readonly #ports = new Map<number, { readonly kind: ClearKind; readonly peer: number }>();

  constructor(faults: FaultList, claims: PeerClaims, bounds: ClearPeerBounds) {
    this.#faults = faults;
    this.#claims = claims;
    this.#bounds = bounds;
    this.#sealed = new PrefixOverlap(bounds.sealedPrefixes);
  }

  /** Undefined for a sealed peer, and for one with a fault that leaves nothing to return. */
  read(shape: PeerShape, i: number): ClearPeerConfig | undefined {
    const { encapsulation: kind } = shape;
    if (kind !== 'vxlan' && kind !== 'udp') return undefined;
    const path: Path = ['peers', i];
    this.#refuseSealedSettings(shape, kind, path);
    const endpoint = this.#readEndpoint(shape, kind, i);
    const carrier = kind === 'vxlan' ? this.#readVxlan(shape, path) : this.#readUdp(shape, path);
    const allowedIps = this.#readPrefixes(shape, i);
    const until = shape.plaintextUntil;
    const plaintextUntil = until === undefined ? undefined : parseRfc3339(until);
    if (!endpoint || !carrier) return undefined;
    const vni = carrier.kind === 'vxlan' ? ` with VNI ${carrier.vni}` : '';
    this.#claims.claim(`is at ${endpoint.text}${vni}`, i, [...path, 'endpoint']);
    const name = shape.name ?? endpoint.text;
    this.#claims.name(name, shape, i);
    return {
      name,
      carrier,
      endpoint,
      allowedIps,
      ...(plaintextUntil === undefined ? {} : { plaintextUntil }),
    };
  }

  #refuseSealedSettings(shape: PeerShape, kind: ClearKind, path: Path): void {
    const sealed = kind === 'vxlan' ? 'vxlan-sealed' : 'wireguard';
    const advice = `remove it, or use ${sealed}`;
    for (const key of ['publicKey', 'presharedKey', 'presharedKeyFile'] as const) {
      if (shape[key] === undefined) continue;
      this.#addAtKey([...path, key], `${kind} is in the clear and has no key; ${advice}`);
    }
    if (shape.persistentKeepalive !== 'off' && shape.persistentKeepalive !== 0) {
      const why = `${kind} is in the clear and has no keepalive; ${advice}`;
      this.#addAtKey([...path, 'persistentKeepalive'], why);
    }
    if (shape.protocol !== undefined) {
      this.#addAtKey([...path, 'protocol'], `${kind} has no sessions; ${advice}`);
    }
  }

  #readEndpoint(shape: PeerShape, kind: ClearKind, i: number): Endpoint | undefined {
    const path = ['peers', i, 'endpoint'];
    const at = shape.endpoint === undefined ? undefined : parseHostPort(shape.endpoint);
    const address = at && parseAddress(at.host);
    if (!at || !address) {
      const why = `because ${kind} is accepted from there alone`;
      this.#faults.addExpected(path, `an address, not a name, and the port of both ends, ${why}`);
      return undefined;
    }
    const { port } = at;
    if (port === this.#bounds.listenPort) {
      const hint = `${kind} needs a port of its own`;
      this.#add(path, `port ${port} is the listenPort, where only sealed messages come; ${hint}`);
    }
    const other = this.#ports.get(port);
    if (other && other.kind !== kind) {
      this.#add(path, `port ${port} is ${other.kind}'s by peers[${other.peer}]; use another`);
    } else if (!other) this.#ports.set(port, { kind, peer: i });
    return endpointOf(address, port);
  }

  #readVxlan(shape: PeerShape, path: Path): ClearPeerConfig['carrier'] | undefined {
    const macAt = [...path, 'vtepMac'];
    const mac = shape.vtepMac === undefined ? undefined : parseMac(shape.vtepMac);
    if (!mac) {
      const what = "the peer's VTEP, as `heddle status --json` or `ip link` there tell it";
      this.#faults.addExpected(macAt, `${MAC_TEXT}: ${what}`);
      return undefined;
    }
    if (mac.text === this.#bounds.vtepMac?.text) this.#add(macAt, 'this is our own VTEP');
    return { kind: 'vxlan', vni: shape.vni ?? DEFAULT_CLEAR_VNI, mac };
  }

  #readUdp(shape: PeerShape, path: Path): ClearPeerConfig['carrier'] {
    const hint = 'remove it, or use vxlan';
    if (shape.vni !== undefined) this.#addAtKey([...path, 'vni'], `udp has no VNI; ${hint}`);
    if (shape.vtepMac !== undefined) {
      this.#addAtKey([...path, 'vtepMac'], `udp carries no Ethernet; ${hint}`);
    }
    return { kind: 'udp' };
  }

  #readPrefixes(shape: PeerShape, i: number): Prefix[] {
    return prefixesOf(shape, i).map(({ prefix, path }) => {
      if (this.#sealed.overlaps(prefix)) {
        const why = 'what is sealed must not pass in the clear';
        this.#add(path, `${prefix.text} overlaps a prefix of a sealed peer, and ${why}`);
      } else this.#claims.prefix(prefix, i, path);
      return prefix;
    });
  }

  #add(path: Path, message: string): void {
    this.#faults.add(path, `${formatPath(path)}: ${message}`);
  }

  #addAtKey(path: Path, message: string): void {
    this.#faults.addAtKey(path, `${formatPath(path)}: ${message}`);
  }
}
