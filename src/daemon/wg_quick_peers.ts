/** The [Peer] sections of a wg-quick file turned into the peers of heddle's configuration. */

import { parseHostPort, parsePrefix } from '../base/address.js';
import { isZero } from '../base/bytes.js';
import { nameIn, type Section } from './wg_quick.js';
import { type Remarks, SectionReader } from './wg_quick_section.js';

const GREATEST_KEEPALIVE = 0xffff;

interface ReadPeer {
  readonly reader: SectionReader;
  readonly publicKey: string;
  /** Keys of a peer in the configuration file, but for the name and the prefixes. */
  readonly shape: Readonly<Record<string, unknown>>;
  /** By their text, with their lines. */
  readonly prefixes: Map<string, number>;
}

/** `ownKey`: our public key, which is no peer. */
export function importPeers(
  sections: readonly Section[],
  ownKey: string,
  remarks: Remarks,
): Readonly<Record<string, unknown>>[] {
  const peers = sections.flatMap((section) => {
    return readPeer(new SectionReader(section, remarks), ownKey) ?? [];
  });
  refuseTwins(peers);
  moveToLater(peers);
  const names = chooseNames(peers);
  return peers.map(({ publicKey, shape, prefixes }, i) => ({
    ...(names[i] === undefined ? {} : { name: names[i] }),
    publicKey,
    ...shape,
    allowedIps: [...prefixes.keys()],
  }));
}

function readPeer(reader: SectionReader, ownKey: string): ReadPeer | undefined {
  const { line } = reader.section;
  const publicKey = reader.key('publickey');
  const presharedKey = reader.key('presharedkey');
  const keepalive = reader.number('persistentkeepalive', GREATEST_KEEPALIVE, 'off') ?? 0;
  const shape = {
    ...(presharedKey && !isZero(presharedKey.bytes)
      ? { presharedKey: presharedKey.setting.value }
      : {}),
    ...readEndpoint(reader),
    ...(keepalive === 0 ? {} : { persistentKeepalive: keepalive }),
  };
  const prefixes = readPrefixes(reader);
  for (const { name, line: at } of reader.others()) {
    const advice = 'it is no key of [Peer] that heddle knows; check its spelling';
    reader.note(at, `${name} left out: ${advice}`);
  }
  if (!publicKey) {
    if (reader.all('publickey').length === 0) reader.fault(line, '[Peer] has no PublicKey');
    return undefined;
  }
  const { setting, bytes } = publicKey;
  if (isZero(bytes)) reader.fault(setting.line, 'PublicKey: a key of zeros is nobody');
  if (setting.value !== ownKey) return { reader, publicKey: setting.value, shape, prefixes };
  reader.note(setting.line, '[Peer] left out: its key is that of this host itself');
  return undefined;
}

function readEndpoint(reader: SectionReader): { endpoint?: string } {
  const setting = reader.one('endpoint');
  if (!setting) return {};
  if (parseHostPort(setting.value)) return { endpoint: setting.value };
  const expected = 'expected host:port, such as vpn.example.org:51820 or [2001:db8::1]:51820';
  reader.fault(setting.line, `Endpoint: found "${setting.value}", ${expected}`);
  return {};
}

function readPrefixes(reader: SectionReader): Map<string, number> {
  const prefixes = new Map<string, number>();
  for (const { line, value } of reader.list('allowedips')) {
    // Newer tools may write that a prefix is added.
    const prefix = parsePrefix(value.replace(/^\+/, ''));
    if (prefix) prefixes.set(prefix.text, line);
    else reader.fault(line, `AllowedIPs: found "${value}", expected a prefix such as 10.0.0.0/24`);
  }
  return prefixes;
}

function refuseTwins(peers: readonly ReadPeer[]): void {
  const lines = new Map<string, number>();
  for (const { reader, publicKey } of peers) {
    const { line } = reader.section;
    const first = lines.get(publicKey);
    if (first === undefined) lines.set(publicKey, line);
    else reader.fault(line, `[Peer] has the key of the one in line ${first}; make them one`);
  }
}

function moveToLater(peers: readonly ReadPeer[]): void {
  const owners = new Map<string, ReadPeer>();
  for (const peer of peers) {
    for (const [text, line] of peer.prefixes) {
      const before = owners.get(text);
      owners.set(text, peer);
      if (!before) continue;
      const at = before.prefixes.get(text) ?? line;
      before.reader.note(at, `${text} left out: line ${line} gives it to a later peer`);
      before.prefixes.delete(text);
    }
  }
}

/** A name that two peers would have is left to neither. */
function chooseNames(peers: readonly ReadPeer[]): (string | undefined)[] {
  const names = peers.map(({ reader }) => nameIn(reader.section.comments));
  const counts = new Map<string | undefined, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return names.map((name) => (counts.get(name) === 1 ? name : undefined));
}
