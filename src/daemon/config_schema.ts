/**
 * The shape of the configuration file: which keys there are, what each may hold and what it means.
 * The messages say what is expected, for config_file.ts to print beside what it found; the
 * descriptions go into the shipped JSON Schema (configs/heddle.schema.json). What depends on more
 * than one key is judged in config_file.ts.
 */

import { z } from 'zod';
import { parseRfc3339 } from '../api/rfc3339.js';
import { parseHostPort, parseInterfaceAddress, parseMac, parsePrefix } from '../base/address.js';
import { MAX_PEERS } from '../base/identifiers.js';
import { DEFAULT_CLEAR_VNI, DEFAULT_SEALED_VNI } from '../encap/encapsulation.js';
import { MAX_LANES } from '../datapath/tables.js';
import { OFFLOADS } from '../node/offloads.js';
import { GREATEST_MTU } from '../route/host_plan.js';
import { isHostName } from '../wire/join.js';
import { GREATEST_SUBNET, LEAST_SUBNET } from './mesh_options.js';

export const DEFAULT_INTERFACE = 'heddle0';
export const DEFAULT_PORT = 51820;
/** What every IPv4 host must take (RFC 791 §3.1). */
export const LEAST_MTU = 576;
/** What every IPv6 link must carry (RFC 8200 §5). */
export const LEAST_IPV6_MTU = 1280;
const ANNOUNCED = 64;
const GREATEST_U32 = 0xffff_ffff;
const GREATEST_VNI = 0xff_ffff;

/** 32 bytes in canonical base64: the last character carries four bits. */
const KEY_PATTERN = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** What Linux takes as a link's name and what is safe in every place where a name stands. */
export const INTERFACE_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9_=+.-]{1,15}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses.
const NAME_PATTERN = /^[^\u0000-\u001f\u007f-\u009f]{1,63}$/;
const HOST_PATTERN =
  /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?):\d{1,5}$/;
const MAC_PATTERN = /^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/;
const TIME_PATTERN = /^\d{4}-\d\d-\d\d([Tt][0-9:.]{5,18}([Zz]|[+-]\d\d:\d\d))?$/;
const ADDRESS_PATTERN = /^[0-9a-fA-F:.]+(\/\d{1,3})?$/;

function text(expected: string, pattern: RegExp): z.ZodString {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

function whole(from: number, to: number, expected: string): z.ZodNumber {
  return z.int({ error: expected }).min(from, { error: expected }).max(to, { error: expected });
}

const KEY_TEXT = '32 bytes in base64 (44 characters)';

export const PUBLIC_KEY_TEXT = `the public key: ${KEY_TEXT}`;

function key(what: string): z.ZodString {
  return text(`${what}: ${KEY_TEXT}`, KEY_PATTERN);
}

function path(what: string): z.ZodString {
  const expected = `the path of a file with ${what}`;
  return z
    .string({ error: expected })
    .min(1, { error: expected })
    .max(4096, { error: expected })
    .refine((value) => !KEY_PATTERN.test(value), { error: `${expected}, not the key itself` });
}

const INTERFACE_TEXT = 'a name of 1 to 15 letters, digits or any of _ = + . -';
const PREFIX_TEXT = 'a prefix such as 10.0.0.0/24 or fd00::/64';
const ADDRESS_TEXT = 'an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64';
const ENDPOINT_TEXT = 'host:port, such as vpn.example.org:51820 or [2001:db8::1]:51820';
const KEEPALIVE_TEXT = 'seconds from 1 to 65535, or off';
const MARK_TEXT = 'a number from 0 to 0xffffffff, or off';
export const MAC_TEXT = 'the Ethernet address of one station, such as 02:00:5e:10:00:01';
const ENCAPSULATION_TEXT = 'wireguard, vxlan-sealed, vxlan or udp';
const UNTIL_TEXT =
  'a date such as 2027-01-31 (its beginning in UTC), or a time with its zone such as ' +
  '2027-01-31T18:00:00+01:00';
const TABLE_TEXT = 'auto, off, or the number of a routing table from 1 to 4294967295';

const prefix = text(PREFIX_TEXT, ADDRESS_PATTERN).refine(
  (value) => parsePrefix(value) !== undefined,
  {
    error: PREFIX_TEXT,
  },
);
const interfaceAddress = text(ADDRESS_TEXT, ADDRESS_PATTERN).refine(
  (value) => parseInterfaceAddress(value) !== undefined,
  { error: ADDRESS_TEXT },
);
const endpoint = text(ENDPOINT_TEXT, HOST_PATTERN).refine(
  (value) => parseHostPort(value) !== undefined,
  { error: ENDPOINT_TEXT },
);

const mac = text(MAC_TEXT, MAC_PATTERN).refine(isStation, { error: MAC_TEXT });

/** Neither a group's address nor nobody's. */
function isStation(value: string): boolean {
  const bytes = parseMac(value)?.bytes;
  return bytes !== undefined && ((bytes[0] ?? 1) & 1) === 0 && bytes.some((byte) => byte !== 0);
}

function offload(meaning: string): z.ZodDefault<z.ZodEnum<{ on: 'on'; off: 'off'; auto: 'auto' }>> {
  return z
    .enum(['on', 'off', 'auto'], { error: 'on, off or auto' })
    .default('auto')
    .describe(meaning);
}

const offloads = z.strictObject(
  {
    tunTcp: offload('Super-packets of TCP from and to the interface (TSO)'),
    tunUdp: offload('Super-packets of UDP from and to the interface (USO, Linux 6.2)'),
    udpGso: offload('Many outer datagrams in one send (UDP_SEGMENT)'),
    udpGro: offload('Many outer datagrams in one receive (UDP_GRO)'),
    checksums: offload('Inner checksums left to the kernel, and to peers with protocol heddle'),
  },
  { error: `a map with any of ${OFFLOADS.join(', ')}` },
);

const CIPHERS_TEXT =
  'a list of aes-256-gcm and chacha20-poly1305, each once, the second always among them';

const ciphers = z
  .array(z.enum(['aes-256-gcm', 'chacha20-poly1305'], { error: CIPHERS_TEXT }), {
    error: CIPHERS_TEXT,
  })
  .refine((list) => list.includes('chacha20-poly1305') && new Set(list).size === list.length, {
    error: CIPHERS_TEXT,
  });

const HOST_NAME_TEXT = '1 to 63 small letters, digits and hyphens, no hyphen at an end';
const SUBNET_TEXT = `the length of a prefix, from ${LEAST_SUBNET} to ${GREATEST_SUBNET}`;

/** What the words of `heddle up` say, for every start. */
const mesh = z.strictObject(
  {
    name: z
      .string({ error: HOST_NAME_TEXT })
      .refine(isHostName, { error: HOST_NAME_TEXT })
      .optional()
      .describe('What this host is called when it joins; default: its host name'),
    announce: z
      .array(prefix, { error: `a list, each entry ${PREFIX_TEXT}` })
      .max(ANNOUNCED)
      .default([])
      .describe('Prefixes behind this host; its certificate must allow them'),
    subnet: whole(LEAST_SUBNET, GREATEST_SUBNET, SUBNET_TEXT)
      .optional()
      .describe('The length of a subnet to lease for this host; absent: none'),
    acceptDefaultRoutes: z
      .boolean({ error: 'true or false' })
      .default(false)
      .describe('Whether default routes that other members announce are taken'),
  },
  { error: 'true, false, or a map' },
);

const LANES_TEXT = `a number from 1 to ${MAX_LANES}, or auto`;

const peer = z.strictObject(
  {
    name: text('1 to 63 characters, none of them a control character', NAME_PATTERN)
      .optional()
      .describe(
        'What status and logs call the peer; default: the start of its public key, or its endpoint',
      ),
    publicKey: key('the public key')
      .optional()
      .describe("The peer's X25519 public key, base64; every sealed peer has one"),
    presharedKey: key('the preshared key')
      .optional()
      .describe('A secret of 32 bytes that both ends share, base64 (heddle genpsk)'),
    presharedKeyFile: path('the preshared key')
      .optional()
      .describe('A file that holds presharedKey; a relative path starts at this file'),
    endpoint: endpoint.optional().describe('Where the peer listens; absent: it must call first'),
    allowedIps: z
      .array(prefix, { error: `a list, each entry ${PREFIX_TEXT}` })
      .max(MAX_PEERS)
      .default([])
      .describe('What may come from the peer and goes to it; host bits are cleared'),
    protocol: z
      .enum(['wireguard', 'heddle'], { error: 'wireguard or heddle' })
      .optional()
      .describe('wireguard: any WireGuard; heddle: heddle on both ends, and faster ciphers'),
    persistentKeepalive: z
      .union([whole(0, 65_535, KEEPALIVE_TEXT), z.literal('off')], { error: KEEPALIVE_TEXT })
      .default('off')
      .describe('Seconds between packets that keep a NAT mapping open; off or 0: none'),
    encapsulation: z
      .enum(['wireguard', 'vxlan-sealed', 'vxlan', 'udp'], { error: ENCAPSULATION_TEXT })
      .default('wireguard')
      .describe('How packets cross the underlay; vxlan and udp are in the clear: no key, no seal'),
    vni: whole(1, GREATEST_VNI, `a VXLAN network identifier from 1 to ${GREATEST_VNI}`)
      .optional()
      .describe(
        `The VXLAN network; default: ${DEFAULT_CLEAR_VNI} with vxlan, ` +
          `${DEFAULT_SEALED_VNI} with vxlan-sealed`,
      ),
    vtepMac: mac.optional().describe("The Ethernet address of the peer's VTEP; vxlan only"),
    plaintextUntil: text(UNTIL_TEXT, TIME_PATTERN)
      .refine((value) => parseRfc3339(value) !== undefined, { error: UNTIL_TEXT })
      .optional()
      .describe('When vxlan or udp ends, both ways; absent: never'),
  },
  { error: 'a map with the keys of a peer' },
);

export const CONFIG_SCHEMA = z.strictObject(
  {
    interface: text(INTERFACE_TEXT, INTERFACE_PATTERN)
      .default(DEFAULT_INTERFACE)
      .describe('The name of the TUN interface'),
    privateKey: key('the private key')
      .optional()
      .describe("This host's X25519 private key, base64 (heddle keygen)"),
    privateKeyFile: path('the private key')
      .optional()
      .describe('A file that holds privateKey; a relative path starts at this file'),
    mesh: z
      .union([z.boolean(), mesh], { error: 'true, false, or a map' })
      .default(false)
      .describe('Whether this host is in a mesh, which gives it a key, addresses and peers'),
    listenPort: whole(0, 65_535, 'a port from 1 to 65535, or 0 for any')
      .default(DEFAULT_PORT)
      .describe('The UDP port; 0: the kernel chooses'),
    addresses: z
      .array(interfaceAddress, { error: `a list, each entry ${ADDRESS_TEXT}` })
      .max(1024)
      .default([])
      .describe("The interface's addresses in the overlay"),
    mtu: whole(LEAST_MTU, GREATEST_MTU, `bytes from ${LEAST_MTU} to ${GREATEST_MTU}`)
      .optional()
      .describe("The interface's MTU in bytes; absent: measured from the underlay"),
    table: z
      .union([z.literal('auto'), z.literal('off'), whole(1, GREATEST_U32, TABLE_TEXT)], {
        error: TABLE_TEXT,
      })
      .default('auto')
      .describe('Where routes for allowedIps go; auto: as wg-quick does'),
    fwMark: z
      .union([whole(0, GREATEST_U32, MARK_TEXT), z.literal('off')], { error: MARK_TEXT })
      .default('off')
      .describe('The firewall mark of outer datagrams; off or 0: none'),
    ciphers: ciphers
      .optional()
      .describe('What peers with protocol heddle may be sealed with, the preferred first'),
    lanes: z
      .union([whole(1, MAX_LANES, LANES_TEXT), z.literal('auto')], { error: LANES_TEXT })
      .default('auto')
      .describe('Queues and pairs of threads that carry packets; auto: one for two cores'),
    datapath: z
      .enum(['native', 'reference'], { error: 'native or reference' })
      .default('native')
      .describe('Who carries packets: the C++ lanes, or the readable TypeScript twin'),
    offloads: offloads
      .optional()
      .describe(
        'Switches; on: refuse to run without, auto: where the self-test passes, off: never',
      ),
    vtepMac: mac
      .optional()
      .describe("Our VTEP's Ethernet address in vxlan; default: derived from the public key"),
    peers: z
      .array(peer, { error: 'a list of peers' })
      .max(MAX_PEERS)
      .default([])
      .describe('The hosts at the other ends'),
  },
  { error: 'a map with the keys of a configuration' },
);

export type FileShape = z.output<typeof CONFIG_SCHEMA>;
export type PeerShape = FileShape['peers'][number];

export const TOP_KEYS: readonly string[] = Object.keys(CONFIG_SCHEMA.shape);
export const MESH_KEYS: readonly string[] = Object.keys(mesh.shape);
export const OFFLOAD_KEYS: readonly string[] = Object.keys(offloads.shape);
export const PEER_KEYS: readonly string[] = Object.keys(peer.shape);

/** The keys whose values are never shown. */
export const SECRET_KEYS: readonly string[] = ['privateKey', 'presharedKey'];

/** The schema as JSON Schema 2020-12, as it is shipped. */
export function jsonSchema(): object {
  return {
    title: 'heddle configuration',
    ...z.toJSONSchema(CONFIG_SCHEMA, { io: 'input', target: 'draft-2020-12' }),
  };
}
