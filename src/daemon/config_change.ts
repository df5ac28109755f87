/**
 * What differs between two configurations, in lines for a person: what a running daemon applies,
 * and what only a restart does. No line holds a secret.
 */

import type { Prefix } from '../base/address.js';
import { equal, toBase64 } from '../base/bytes.js';
import { toSeconds } from '../base/time.js';
import type { ClearPeerConfig, Config, HostPort, PeerConfig } from '../node/config.js';
import { AUTO_OFFLOADS, OFFLOADS } from '../node/offloads.js';

export interface ConfigChange {
  /** One line a setting. */
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
}

/** Prefixes and the like that a line names; the count of the others follows. */
const NAMED = 4;
const NONE = 'none';

export function describeChange(before: Config, after: Config): ConfigChange {
  return {
    applied: [
      ...ownChanges(before, after),
      ...peerChanges(before.peers, after.peers),
      ...clearPeerChanges(before.clearPeers, after.clearPeers),
    ],
    needsRestart: [
      ...changed('interface', before.interface, after.interface),
      ...changed('mesh', meshText(before), meshText(after)),
      ...changed('datapath', before.datapath, after.datapath),
      ...changed('lanes', before.lanes ?? 'auto', after.lanes ?? 'auto'),
    ],
  };
}

/** The configuration that a running daemon can take over: `next` but for what needs a restart. */
export function withoutRestart(running: Config, next: Config): Config {
  const { lanes: _lanes, meshSettings: _mesh, ...rest } = next;
  const { interface: name, datapath, lanes, meshSettings } = running;
  return {
    ...rest,
    ...(lanes === undefined ? {} : { lanes }),
    ...(meshSettings ? { meshSettings } : {}),
    interface: name,
    datapath,
  };
}

function ownChanges(before: Config, after: Config): string[] {
  const isNewKey = !equal(before.privateKey, after.privateKey);
  return [
    ...(isNewKey ? ['privateKey: replaced'] : []),
    ...changed('listenPort', before.listenPort, after.listenPort),
    ...listChange('addresses', texts(before.addresses), texts(after.addresses)),
    ...changed('mtu', before.mtu ?? 'measured', after.mtu ?? 'measured'),
    ...changed('table', before.table, after.table),
    ...changed('fwMark', before.fwMark, after.fwMark),
    ...offloadChanges(before, after),
    ...changed('ciphers', ciphersText(before), ciphersText(after)),
    ...changed('vtepMac', before.vtepMac?.text ?? 'derived', after.vtepMac?.text ?? 'derived'),
  ];
}

function offloadChanges(before: Config, after: Config): string[] {
  const [had, has] = [before.offloads ?? AUTO_OFFLOADS, after.offloads ?? AUTO_OFFLOADS];
  return OFFLOADS.flatMap((name) => changed(`offloads.${name}`, had[name], has[name]));
}

function peerChanges(before: readonly PeerConfig[], after: readonly PeerConfig[]): string[] {
  const known = new Map(before.map((peer) => [toBase64(peer.publicKey), peer]));
  const lines: string[] = [];
  for (const peer of after) {
    const key = toBase64(peer.publicKey);
    const was = known.get(key);
    known.delete(key);
    if (!was) lines.push(`peer ${peer.name}: added`);
    else lines.push(...peerChange(was, peer).map((line) => `peer ${peer.name}: ${line}`));
  }
  for (const { name } of known.values()) lines.push(`peer ${name}: removed`);
  return lines;
}

function peerChange(before: PeerConfig, after: PeerConfig): string[] {
  return [
    ...changed('name', before.name, after.name),
    ...presharedKeyChange(before.presharedKey, after.presharedKey),
    ...changed('endpoint', placeText(before.endpoint), placeText(after.endpoint)),
    ...listChange('allowedIps', texts(before.allowedIps), texts(after.allowedIps)),
    ...changed('persistentKeepalive', keepaliveText(before), keepaliveText(after)),
    ...changed('protocol', before.protocol ?? 'wireguard', after.protocol ?? 'wireguard'),
    ...changed('encapsulation', sealedText(before), sealedText(after)),
  ];
}

function presharedKeyChange(
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): string[] {
  if (before && after) return equal(before, after) ? [] : ['presharedKey replaced'];
  if (before) return ['presharedKey removed'];
  return after ? ['presharedKey added'] : [];
}

/** A clear peer is the way to it: another way is another peer. */
function clearPeerChanges(
  before: readonly ClearPeerConfig[],
  after: readonly ClearPeerConfig[],
): string[] {
  const known = new Map(before.map((peer) => [wayText(peer), peer]));
  const lines: string[] = [];
  for (const peer of after) {
    const was = known.get(wayText(peer));
    known.delete(wayText(peer));
    if (!was) {
      lines.push(`peer ${peer.name}: added, in the clear`);
      continue;
    }
    const changes = [
      ...changed('name', was.name, peer.name),
      ...listChange('allowedIps', texts(was.allowedIps), texts(peer.allowedIps)),
      ...changed('plaintextUntil', untilText(was), untilText(peer)),
    ];
    lines.push(...changes.map((line) => `peer ${peer.name}: ${line}`));
  }
  for (const { name } of known.values()) lines.push(`peer ${name}: removed`);
  return lines;
}

function changed(what: string, before: string | number, after: string | number): string[] {
  return before === after ? [] : [`${what}: ${before} -> ${after}`];
}

function listChange(what: string, before: readonly string[], after: readonly string[]): string[] {
  const [had, has] = [new Set(before), new Set(after)];
  const added = after.filter((text) => !had.has(text));
  const removed = before.filter((text) => !has.has(text));
  const parts = [...named('+', added), ...named('-', removed)];
  return parts.length === 0 ? [] : [`${what}: ${parts.join(' ')}`];
}

function named(sign: string, list: readonly string[]): string[] {
  const shown = list.slice(0, NAMED).map((text) => `${sign}${text}`);
  const hidden = list.length - shown.length;
  return hidden > 0 ? [...shown, `${sign}${hidden} more`] : shown;
}

function texts(list: readonly Pick<Prefix, 'text'>[]): string[] {
  return list.map(({ text }) => text);
}

function placeText(place: HostPort | undefined): string {
  return place ? `${place.host}:${place.port}` : NONE;
}

function keepaliveText({ persistentKeepalive }: PeerConfig): string {
  return persistentKeepalive === undefined ? 'off' : `${toSeconds(persistentKeepalive)} s`;
}

function meshText({ meshSettings }: Config): string {
  if (!meshSettings) return 'off';
  const { name, announce, subnetLength, acceptsDefaultRoutes } = meshSettings;
  const words = [
    ...(name === undefined ? [] : [`name ${name}`]),
    ...(announce.length === 0 ? [] : [`announce ${texts(announce).join(' ')}`]),
    ...(subnetLength === undefined ? [] : [`subnet ${subnetLength}`]),
    ...(acceptsDefaultRoutes ? ['acceptDefaultRoutes'] : []),
  ];
  return words.join(', ') || 'on';
}

function ciphersText({ ciphers }: Config): string {
  return ciphers?.join(', ') ?? 'all';
}

function sealedText({ sealedVni }: PeerConfig): string {
  return sealedVni === undefined ? 'wireguard' : `vxlan-sealed with VNI ${sealedVni}`;
}

function wayText({ carrier, endpoint }: ClearPeerConfig): string {
  if (carrier.kind === 'udp') return `udp ${endpoint.text}`;
  return `vxlan ${endpoint.text} ${carrier.vni} ${carrier.mac.text}`;
}

function untilText({ plaintextUntil }: ClearPeerConfig): string {
  return plaintextUntil === undefined ? 'never' : new Date(plaintextUntil / 1000).toISOString();
}
