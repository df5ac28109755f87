/**
 * A `set=1` request of WireGuard's configuration protocol parsed: from its lines to edits, or to
 * the reason why it is refused as a whole.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol. An allowed prefix with a
 * hyphen in front, as newer tools write it, is one to take away.
 */

import { parseEndpoint, parsePrefix } from '../base/address.js';
import { copySecret, fromHex } from '../base/bytes.js';
import { seconds } from '../base/time.js';
import { ERRNO, type UapiEdit, type UapiRefusal } from './uapi_edit.js';

/** Longer than any line that can be right. */
const LONGEST_LINE = 512;
const GREATEST_PORT = 0xffff;
const GREATEST_MARK = 0xffff_ffff;
const GREATEST_KEEPALIVE = 0xffff;
const KEY_DIGITS = 64;

export type ParsedSet = { readonly kind: 'edits'; readonly edits: UapiEdit[] } | UapiRefusal;

/** `lines` each end with a line feed; the empty one that ends the request is not among them. */
export function parseUapiSet(lines: string): ParsedSet {
  const edits: UapiEdit[] = [];
  let isOfPeer = false;
  let number = 1;
  for (let at = 0; at < lines.length; number++) {
    const end = lines.indexOf('\n', at);
    if (end < 0) return refuse(number, 'is cut off', ERRNO.EPROTO);
    if (end - at > LONGEST_LINE) return refuse(number, 'is too long', ERRNO.EINVAL);
    const equals = lines.indexOf('=', at);
    if (equals < 0 || equals > end) return refuse(number, 'has no "="', ERRNO.EPROTO);
    const key = lines.slice(at, equals);
    const value = lines.slice(equals + 1, end);
    if (key === 'public_key') isOfPeer = true;
    const edit = isOfPeer ? parsePeerLine(key, value) : parseDeviceLine(key, value);
    if (edit === undefined) return refuse(number, 'is not understood', ERRNO.EINVAL);
    if (edit !== 'nothing') edits.push(edit);
    at = end + 1;
  }
  return { kind: 'edits', edits };
}

function refuse(line: number, what: string, errno: number): UapiRefusal {
  return { kind: 'refused', errno, why: `line ${line} of the request ${what}` };
}

/** A line that is right and asks for nothing; undefined: it is wrong. */
type Parsed = UapiEdit | 'nothing' | undefined;

function parseDeviceLine(key: string, value: string): Parsed {
  switch (key) {
    case 'private_key': {
      const parsed = parseHexKey(value);
      return parsed && { kind: 'privateKey', key: parsed };
    }
    case 'listen_port': {
      const port = parseNumber(value, GREATEST_PORT);
      return port === undefined ? undefined : { kind: 'listenPort', port };
    }
    case 'fwmark': {
      const mark = parseNumber(value, GREATEST_MARK);
      return mark === undefined ? undefined : { kind: 'fwMark', mark };
    }
    case 'replace_peers':
      return value === 'true' ? { kind: 'replacePeers' } : undefined;
    default:
      return undefined;
  }
}

function parsePeerLine(key: string, value: string): Parsed {
  switch (key) {
    case 'allowed_ip':
      return parseAllowedIp(value);
    case 'public_key': {
      const publicKey = parseHexKey(value);
      return publicKey && { kind: 'peer', publicKey };
    }
    case 'update_only':
      return value === 'true' ? { kind: 'updateOnly' } : undefined;
    case 'remove':
      return value === 'true' ? { kind: 'remove' } : undefined;
    case 'preshared_key': {
      const parsed = parseHexKey(value);
      return parsed && { kind: 'presharedKey', key: copySecret(parsed) };
    }
    case 'endpoint': {
      const endpoint = parseEndpoint(value);
      return endpoint && { kind: 'endpoint', endpoint };
    }
    case 'persistent_keepalive_interval': {
      const count = parseNumber(value, GREATEST_KEEPALIVE);
      if (count === undefined) return undefined;
      return { kind: 'persistentKeepalive', interval: count === 0 ? undefined : seconds(count) };
    }
    case 'replace_allowed_ips':
      return value === 'true' ? { kind: 'replaceAllowedIps' } : undefined;
    case 'protocol_version':
      return value === '1' ? 'nothing' : undefined;
    default:
      return undefined;
  }
}

function parseAllowedIp(value: string): UapiEdit | undefined {
  const isTaken = value.startsWith('-');
  const prefix = value.includes('/') ? parsePrefix(isTaken ? value.slice(1) : value) : undefined;
  return prefix && { kind: isTaken ? 'denyIp' : 'allowIp', prefix };
}

function parseHexKey(value: string): Uint8Array | undefined {
  return value.length === KEY_DIGITS ? fromHex(value) : undefined;
}

function parseNumber(value: string, greatest: number): number | undefined {
  if (!/^\d{1,10}$/.test(value)) return undefined;
  const number = Number(value);
  return number <= greatest ? number : undefined;
}
