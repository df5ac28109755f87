/**
 * The sealed peers of a configuration while a request edits them: which peer is selected, which are
 * there, and who has each prefix. What no edit touches is neither copied nor indexed, since a peer
 * may have 100,000 prefixes and the request one line.
 */

import type { Prefix } from '../base/address.js';
import { unreachable } from '../base/assert.js';
import { isZero, toBase64 } from '../base/bytes.js';
import type { Config, PeerConfig } from '../node/config.js';
import type { UapiEdit } from './uapi_edit.js';

/** What edits the selected peer. */
export type PeerEdit = Exclude<
  UapiEdit,
  { kind: 'privateKey' | 'listenPort' | 'fwMark' | 'replacePeers' | 'peer' }
>;

type Settings = Omit<PeerConfig, 'allowedIps'>;

interface Draft {
  readonly key: string;
  settings: Settings;
  /** By their text. */
  prefixes: Map<string, Prefix> | undefined;
  /** As long as `prefixes` is undefined. */
  readonly untouched: readonly Prefix[];
}

/** As much of a public key as names a peer that has no name. */
const NAME_LENGTH = 8;

export class PeerDrafts {
  readonly #before: Config;
  /** By public key, in base64. */
  readonly #drafts = new Map<string, Draft>();
  /** Those that are gone, for what the protocol cannot say of them when they come again. */
  readonly #gone = new Map<string, Settings>();
  /** Whose each prefix is; made by the first edit that asks. */
  #owners: Map<string, Draft> | undefined;
  #names: Set<string> | undefined;
  /** Undefined: edits concern nobody. */
  #selected: Draft | undefined;
  /** The selected peer was not there before it was selected. */
  #isNew = false;

  constructor(config: Config) {
    this.#before = config;
    for (const { allowedIps: untouched, ...settings } of config.peers) {
      const key = toBase64(settings.publicKey);
      this.#drafts.set(key, { key, settings, prefixes: undefined, untouched });
    }
  }

  get count(): number {
    return this.#drafts.size;
  }

  build(): PeerConfig[] {
    return Array.from(this.#drafts.values(), ({ settings, prefixes, untouched }) => ({
      ...settings,
      allowedIps: prefixes ? [...prefixes.values()] : untouched,
    }));
  }

  /** The peer with this key, new where there is none. */
  select(publicKey: Uint8Array): void {
    const key = toBase64(publicKey);
    const known = this.#drafts.get(key);
    this.#isNew = known === undefined;
    this.#selected = known ?? this.#create(key, publicKey);
  }

  selectNobody(): void {
    this.#selected = undefined;
  }

  remove(publicKey: Uint8Array): void {
    const draft = this.#drafts.get(toBase64(publicKey));
    if (draft) this.#remove(draft);
  }

  removeAll(): void {
    for (const { key, settings } of this.#drafts.values()) this.#gone.set(key, settings);
    this.#drafts.clear();
    this.#owners = undefined;
    this.#selected = undefined;
  }

  edit(edit: PeerEdit): void {
    const peer = this.#selected;
    if (!peer) return;
    switch (edit.kind) {
      case 'updateOnly':
        if (this.#isNew) this.#remove(peer);
        return;
      case 'remove':
        return this.#remove(peer);
      case 'presharedKey':
        peer.settings = withPresharedKey(peer.settings, edit.key);
        return;
      case 'endpoint': {
        const { address, port } = edit.endpoint;
        peer.settings = { ...peer.settings, endpoint: { host: address.text, port } };
        return;
      }
      case 'persistentKeepalive':
        peer.settings = withKeepalive(peer.settings, edit.interval);
        return;
      case 'replaceAllowedIps':
        for (const text of prefixesOf(peer).keys()) this.#owners?.delete(text);
        peer.prefixes = new Map();
        return;
      case 'allowIp':
        return this.#allow(peer, edit.prefix);
      case 'denyIp':
        if (prefixesOf(peer).delete(edit.prefix.text)) this.#owners?.delete(edit.prefix.text);
        return;
      default:
        return unreachable(edit);
    }
  }

  #create(key: string, publicKey: Uint8Array): Draft {
    const gone = this.#gone.get(key);
    const settings = { ...(gone ? unsayable(gone) : { name: this.#newName(key) }), publicKey };
    const draft = { key, settings, prefixes: undefined, untouched: [] };
    this.#drafts.set(key, draft);
    return draft;
  }

  #remove(draft: Draft): void {
    for (const text of prefixesOf(draft).keys()) this.#owners?.delete(text);
    this.#drafts.delete(draft.key);
    this.#gone.set(draft.key, draft.settings);
    this.#selected = undefined;
  }

  #allow(draft: Draft, prefix: Prefix): void {
    this.#owners ??= this.#readOwners();
    const owner = this.#owners.get(prefix.text);
    if (owner === draft) return;
    if (owner) prefixesOf(owner).delete(prefix.text);
    prefixesOf(draft).set(prefix.text, prefix);
    this.#owners.set(prefix.text, draft);
  }

  #readOwners(): Map<string, Draft> {
    const owners = new Map<string, Draft>();
    for (const draft of this.#drafts.values()) {
      for (const { text } of draft.prefixes?.values() ?? draft.untouched) owners.set(text, draft);
    }
    return owners;
  }

  /** Those that are gone keep theirs: they may come again. */
  #newName(key: string): string {
    this.#names ??= new Set(
      [...this.#before.peers, ...this.#before.clearPeers].map(({ name }) => name),
    );
    const short = key.slice(0, NAME_LENGTH);
    let name = short;
    for (let count = 2; this.#names.has(name); count++) name = `${short}-${count}`;
    this.#names.add(name);
    return name;
  }
}

function prefixesOf(draft: Draft): Map<string, Prefix> {
  draft.prefixes ??= new Map(draft.untouched.map((prefix) => [prefix.text, prefix]));
  return draft.prefixes;
}

/** What a peer that comes again keeps. */
function unsayable({ name, protocol, sealedVni }: Settings): Omit<Settings, 'publicKey'> {
  return {
    name,
    ...(protocol === undefined ? {} : { protocol }),
    ...(sealedVni === undefined ? {} : { sealedVni }),
  };
}

function withPresharedKey(settings: Settings, key: Uint8Array): Settings {
  const { presharedKey: _, ...others } = settings;
  return isZero(key) ? others : { ...others, presharedKey: key };
}

function withKeepalive(settings: Settings, interval: Settings['persistentKeepalive']): Settings {
  const { persistentKeepalive: _, ...others } = settings;
  return interval === undefined ? others : { ...others, persistentKeepalive: interval };
}
