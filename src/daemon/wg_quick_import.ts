/**
 * A wg-quick file turned into a configuration of heddle's, as YAML: what heddle has too is taken
 * over, what it has not is left out and told with its line, and what is wrong is a fault.
 *
 * Where one prefix stands at two peers, the later has it; our own public key as a peer is nobody.
 * Both as with `wg`.
 */

import { stringify } from 'yaml';
import { parseInterfaceAddress } from '../base/address.js';
import { isZero, wipe } from '../base/bytes.js';
import { clamp, formatKey } from '../crypto/keys.js';
import type { KeyDerivation } from './config_reader.js';
import { DEFAULT_INTERFACE, INTERFACE_PATTERN } from './config_schema.js';
import { type LineFault, parseWgQuick, type Section, type Setting } from './wg_quick.js';
import { importPeers } from './wg_quick_peers.js';
import { type Remarks, SectionReader } from './wg_quick_section.js';

export type Imported =
  | {
      readonly kind: 'imported';
      /** The configuration's text. Holds secrets. */
      readonly yaml: string;
      /** What was left out or changed, and what to do about it; in the order of the lines. */
      readonly notes: readonly LineFault[];
    }
  | { readonly kind: 'faulty'; readonly faults: readonly LineFault[] };

const GREATEST_PORT = 0xffff;
const GREATEST_U32 = 0xffff_ffff;
const GREATEST_MTU = 0xffff;
/** iproute2's own names, in /etc/iproute2/rt_tables. */
const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };
/** `wg set %i private-key FILE` in a command. */
const KEY_FILE = /\bprivate-key\s+(\/[\w./@+%-]+)(?=$|[\s;&|])/;

/** What heddle has not, and what to do instead. */
const ADVICE: Readonly<Record<string, string>> = {
  dns: 'heddle leaves the resolver alone; set it yourself, as with `resolvectl dns`',
  preup: 'heddle runs no commands; run this one before `heddle up`',
  postup: 'heddle runs no commands; run this one after `heddle up --detach`',
  predown: 'heddle runs no commands; run this one before `heddle down`',
  postdown: 'heddle runs no commands; run this one after `heddle down`',
  saveconfig: 'heddle never writes its configuration; `heddle show --wg` prints what runs',
};

/** `fileName`: without its folders; `wg0.conf` makes the interface `wg0`. */
export function importWgQuick(text: string, fileName: string, crypto: KeyDerivation): Imported {
  const file = parseWgQuick(text);
  const remarks: Remarks = { faults: [...file.faults], notes: [] };
  const sections = file.sections.filter(({ kind }) => kind === 'interface');
  const own = importInterface(merge(sections, remarks), fileName, remarks);
  const peers = importPeers(
    file.sections.filter(({ kind }) => kind === 'peer'),
    publicKeyOf(own.privateKey, crypto),
    remarks,
  );
  if (own.privateKey) wipe(own.privateKey);
  const byLine = (a: LineFault, b: LineFault): number => a.line - b.line;
  if (remarks.faults.length > 0) return { kind: 'faulty', faults: remarks.faults.sort(byLine) };
  const yaml = `# From ${fileName}, by heddle import.\n${stringify({ ...own.shape, peers })}`;
  return { kind: 'imported', yaml, notes: remarks.notes.sort(byLine) };
}

/** `wg` takes several [Interface] sections as one. */
function merge(sections: readonly Section[], remarks: Remarks): SectionReader {
  const settings = sections.flatMap((section) => section.settings);
  const line = sections[0]?.line ?? 1;
  return new SectionReader({ kind: 'interface', line, settings, comments: [] }, remarks);
}

function publicKeyOf(privateKey: Uint8Array | undefined, crypto: KeyDerivation): string {
  if (!privateKey) return '';
  const clamped = privateKey.slice();
  clamp(clamped);
  const publicKey = formatKey(crypto.publicKey(clamped));
  wipe(clamped);
  return publicKey;
}

interface ImportedInterface {
  readonly privateKey: Uint8Array | undefined;
  /** Keys of the configuration file. */
  readonly shape: Readonly<Record<string, unknown>>;
}

function importInterface(
  reader: SectionReader,
  fileName: string,
  remarks: Remarks,
): ImportedInterface {
  const privateKey = reader.key('privatekey');
  const name = interfaceName(fileName, remarks);
  const keyFile = privateKey ? undefined : findKeyFile(reader, name);
  if (privateKey && isZero(privateKey.bytes)) {
    reader.fault(privateKey.setting.line, 'PrivateKey: zeros are no key');
  }
  if (!privateKey && !keyFile && reader.all('privatekey').length === 0) {
    const hint = 'expected PrivateKey (`heddle keygen` makes one)';
    reader.fault(reader.section.line, `[Interface] has no private key; ${hint}`);
  }
  const fwMark = reader.number('fwmark', GREATEST_U32, 'off');
  const mtu = reader.number('mtu', GREATEST_MTU);
  const table = readTable(reader);
  const shape = {
    interface: name,
    ...(privateKey ? { privateKey: privateKey.setting.value } : {}),
    ...(keyFile === undefined ? {} : { privateKeyFile: keyFile }),
    listenPort: reader.number('listenport', GREATEST_PORT) ?? 0,
    addresses: readAddresses(reader),
    ...(mtu === undefined || mtu === 0 ? {} : { mtu }),
    ...(table === undefined ? {} : { table }),
    ...(fwMark === undefined || fwMark === 0 ? {} : { fwMark }),
  };
  for (const setting of reader.others()) leaveOut(reader, setting);
  return { privateKey: privateKey?.bytes, shape };
}

function interfaceName(fileName: string, remarks: Remarks): string {
  const name = fileName.replace(/\.conf$/, '');
  if (INTERFACE_PATTERN.test(name)) return name;
  const message = `the file's name is no interface's; the interface is named ${DEFAULT_INTERFACE}`;
  remarks.notes.push({ line: 1, message });
  return DEFAULT_INTERFACE;
}

/** A file from which a command of wg-quick's gives `wg` the private key. */
function findKeyFile(reader: SectionReader, interfaceName: string): string | undefined {
  for (const { key, value, line, name } of reader.section.settings) {
    const written = key === 'preup' || key === 'postup' ? KEY_FILE.exec(value)?.[1] : undefined;
    if (written === undefined) continue;
    const path = written.replaceAll('%i', interfaceName);
    reader.note(line, `${name} sets the private key from ${path}; privateKeyFile does so now`);
    return path;
  }
  return undefined;
}

function readAddresses(reader: SectionReader): string[] {
  const texts = new Set<string>();
  for (const { line, name, value } of reader.list('address')) {
    const address = parseInterfaceAddress(value);
    if (address) texts.add(address.text);
    else reader.fault(line, `${name}: found "${value}", expected an address such as 10.0.0.1/24`);
  }
  return [...texts];
}

function readTable(reader: SectionReader): number | string | undefined {
  const setting = reader.one('table');
  if (!setting) return undefined;
  const value = setting.value.toLowerCase();
  if (value === 'auto' || value === 'off') return value;
  const number = TABLES[value] ?? (/^\d{1,10}$/.test(value) ? Number(value) : 0);
  if (number >= 1 && number <= GREATEST_U32) return number;
  const expected = 'expected auto, off or the number of a table (see /etc/iproute2/rt_tables)';
  reader.fault(setting.line, `Table: found "${setting.value}", ${expected}`);
  return undefined;
}

/** The value stays unsaid: a command may hold a secret. */
function leaveOut(reader: SectionReader, { key, name, line }: Setting): void {
  const advice = ADVICE[key] ?? 'it is no key of [Interface] that heddle knows; check its spelling';
  reader.note(line, `${name} left out: ${advice}`);
}
