/** Addresses, prefixes and endpoints: what is taken, what is refused, and the one text each has. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Address,
  addressFromBytes,
  bitsOf,
  endpointOf,
  parseAddress,
  parseEndpoint,
  parseHostPort,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
  withVni,
  withoutLocal,
} from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat, fromHex } from '../../src/base/bytes.js';
import { equalBytes } from '../support/bytes.js';
import { withSeed } from '../support/seed.js';

const test = suite('address');

function address(text: string): Address {
  return present(parseAddress(text), `"${text}" is an address`);
}

/** Text as a person may write it, the canonical text, and why. */
const CANONICAL: readonly [string, string, string][] = [
  ['0.0.0.0', '0.0.0.0', 'lowest'],
  ['255.255.255.255', '255.255.255.255', 'highest'],
  ['::', '::', 'unspecified'],
  ['::1', '::1', 'a run at the start'],
  ['1::', '1::', 'a run at the end'],
  ['2001:0db8::0001', '2001:db8::1', 'RFC 5952 §4.1: no leading zeros'],
  ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1', 'RFC 5952 §4.2.1: as short as possible'],
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 'RFC 5952 §4.2.2: one zero group stays'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', 'RFC 5952 §4.2.3: the longest run'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'RFC 5952 §4.2.3: the first of two alike'],
  ['2001:DB8::ABCD', '2001:db8::abcd', 'RFC 5952 §4.3: lower case'],
  ['0:1:0:1:0:1:0:1', '0:1:0:1:0:1:0:1', 'no run at all'],
  ['1:2:3:4:5:6::', '1:2:3:4:5:6::', 'a run of two at the end'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', 'a run of one written short'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', 'a run of one at the start'],
  ['::ffff:192.0.2.1', '192.0.2.1', 'IPv4-mapped is IPv4'],
  ['::FFFF:c000:201', '192.0.2.1', 'IPv4-mapped in hexadecimal'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1', 'IPv4-mapped in full'],
  ['100::ffff:192.0.2.1', '100::ffff:c000:201', 'mapped only behind 80 zero bits'],
  ['::ff:192.0.2.1', '::ff:c000:201', 'mapped only behind 16 ones: the upper eight'],
  ['::ff00:192.0.2.1', '::ff00:c000:201', 'mapped only behind 16 ones: the lower eight'],
  ['::192.0.2.1', '::c000:201', 'IPv4-compatible (deprecated) is not mapped'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221', 'RFC 6052: NAT64 stays IPv6'],
  ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304', 'a dotted end without a run'],
];

test('address: every way to write one has one canonical text', () => {
  for (const [text, canonical, reason] of CANONICAL) {
    assert.is(parseAddress(text)?.text, canonical, `${text}: ${reason}`);
    assert.is(parseAddress(canonical)?.text, canonical, `${canonical} is its own text`);
  }
});

/** Text that is no address, and why. */
const REFUSED: readonly [string, string][] = [
  ['', 'nothing'],
  ['1.2.3', 'three parts'],
  ['1.2.3.4.5', 'five parts'],
  ['1.2.3.256', 'more than a byte'],
  ['1.2.3.04', 'a leading zero, which some read as octal'],
  ['1.2.3.-1', 'a sign'],
  ['1.2.3. 4', 'white space'],
  ['1.2.3.', 'an empty part'],
  ['0x1.2.3.4', 'hexadecimal'],
  ['1', 'the inet_aton form'],
  [':', 'a lone colon'],
  [':::', 'three colons'],
  ['::1::', 'two runs'],
  [':1:2:3:4:5:6:7', 'a lone colon at the start'],
  ['1:2:3:4:5:6:7:', 'a lone colon at the end'],
  ['1:2:3:4:5:6:7', 'seven groups'],
  ['1:2:3:4:5:6:7:8:9', 'nine groups'],
  ['1:2:3:4::5:6:7:8', 'a run of nothing'],
  ['::12345', 'five digits'],
  ['::g', 'no digit'],
  ['::1.2.3', 'a short dotted end'],
  ['1.2.3.4::', 'dotted at the start'],
  ['::1.2.3.4:1', 'dotted in the middle'],
  ['1:2:3:4:5:6:7:1.2.3.4', 'too long by a dotted end'],
  ['fe80::1%eth0', 'a scope, which is not part of an address'],
  ['[::1]', 'brackets belong to endpoints'],
  ['::1 ', 'white space'],
];

test('address: what is none is refused', () => {
  for (const [text, reason] of REFUSED) assert.is(parseAddress(text), undefined, reason);
});

test('address: bytes are in network order, copied, and mapped ones shortened', () => {
  equalBytes(address('192.0.2.1').bytes, Uint8Array.of(192, 0, 2, 1));
  const v6 = present(fromHex('20010db8000000000000000000000001'), 'hexadecimal');
  equalBytes(address('2001:db8::1').bytes, v6);
  const source = Uint8Array.from([9, ...v6]);
  const copied = addressFromBytes(source, 1, 6);
  source.fill(0);
  assert.is(copied.text, '2001:db8::1');
  const packet = Uint8Array.of(9, 10, 0, 0, 1, 9, 9);
  equalBytes(addressFromBytes(packet, 1, 4).bytes, Uint8Array.of(10, 0, 0, 1));
  equalBytes(addressFromBytes(concat(v6, packet), 0, 6).bytes, v6);
  const mapped = Uint8Array.from([...new Array<number>(10).fill(0), 0xff, 0xff, 10, 0, 0, 1]);
  const short = addressFromBytes(mapped, 0, 6);
  assert.equal([short.family, short.text, short.bytes.length], [4, '10.0.0.1', 4]);
});

test('address: text and bytes say the same for any address', () => {
  withSeed('address-text', (random) => {
    for (let i = 0; i < 2_000; i++) {
      const bytes = random.bytes(16).map((byte) => (random.below(2) === 0 ? 0 : byte));
      const original = addressFromBytes(bytes, 0, 6);
      const again = address(original.text);
      equalBytes(again.bytes, original.bytes, original.text);
      assert.is(again.text, original.text);
      assert.not.match(original.text, /(^|:)0[0-9a-f]|[A-F]|:::|::.*::/);
    }
  });
});

/** Prefixes as written, canonical, and why. */
const PREFIXES: readonly [string, string | undefined, string][] = [
  ['10.0.0.0/8', '10.0.0.0/8', 'canonical'],
  ['10.1.2.3/8', '10.0.0.0/8', 'bits behind the length are cleared'],
  ['10.1.2.3', '10.1.2.3/32', 'a bare address is a host'],
  ['2001:db8::1', '2001:db8::1/128', 'a bare IPv6 address is a host'],
  ['255.255.255.255/0', '0.0.0.0/0', 'the default route'],
  ['ffff::/0', '::/0', 'the IPv6 default route'],
  ['255.255.255.255/31', '255.255.255.254/31', 'one bit behind'],
  ['255.255.255.255/9', '255.128.0.0/9', 'a length inside a byte'],
  ['2001:db8:ffff::/33', '2001:db8:8000::/33', 'a length inside a group'],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8', 'mapped: the length counts from the first of 128 bits'],
  ['::ffff:10.1.2.3/96', '0.0.0.0/0', 'mapped: all of IPv4'],
  ['::ffff:10.1.2.3', '10.1.2.3/32', 'mapped: a host'],
  ['::ffff:10.0.0.0/95', undefined, 'mapped: more than IPv4'],
  ['::ffff:10.0.0.0/8', undefined, 'mapped: more than IPv4, not ten dot anything'],
  ['10.0.0.0/33', undefined, 'longer than the address'],
  ['::/129', undefined, 'longer than the address'],
  ['10.0.0.0/', undefined, 'no length'],
  ['10.0.0.0/08', undefined, 'a leading zero'],
  ['10.0.0.0/-1', undefined, 'a sign'],
  ['10.0.0.0/8/8', undefined, 'two lengths'],
  ['10.0.0.0/255.0.0.0', undefined, 'a mask'],
  ['/8', undefined, 'no address'],
];

test('prefix: one canonical text, nothing behind the length', () => {
  for (const [text, canonical, reason] of PREFIXES) {
    assert.is(parsePrefix(text)?.text, canonical, `${text}: ${reason}`);
  }
});

test('prefix: holds exactly the addresses with its first bits', () => {
  withSeed('prefix-contains', (random) => {
    for (let i = 0; i < 500; i++) {
      const family = random.below(2) === 0 ? 4 : 6;
      const inside = addressFromBytes(random.bytes(16).fill(0x20, 0, 1), 0, family);
      const length = random.below(bitsOf(family) + 1);
      const prefix = prefixOf(inside, length);
      const bit = random.below(bitsOf(family));
      const bytes = inside.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      const other = addressFromBytes(bytes, 0, family);
      const isInside = prefixOf(other, length).text === prefix.text;
      assert.is(isInside, bit >= length, `${prefix.text} and ${other.text}`);
    }
  });
});

test('interface address: keeps the bits behind the length', () => {
  const parsed = present(parseInterfaceAddress('10.0.0.7/24'), 'an interface address');
  assert.equal([parsed.text, parsed.address.text, parsed.length], ['10.0.0.7/24', '10.0.0.7', 24]);
  assert.is(parseInterfaceAddress('FD00::7')?.text, 'fd00::7/128');
});

/** Endpoints as written, canonical, and why. */
const ENDPOINTS: readonly [string, string | undefined, string][] = [
  ['192.0.2.1:51820', '192.0.2.1:51820', 'IPv4'],
  ['[2001:DB8::1]:51820', '[2001:db8::1]:51820', 'IPv6'],
  ['[::ffff:192.0.2.1]:1', '192.0.2.1:1', 'mapped is IPv4, without brackets'],
  ['192.0.2.1:65535', '192.0.2.1:65535', 'the highest port'],
  ['192.0.2.1:0', undefined, 'no port'],
  ['192.0.2.1:65536', undefined, 'past the highest port'],
  ['192.0.2.1:051820', undefined, 'a leading zero'],
  ['192.0.2.1', undefined, 'the port is missing'],
  ['192.0.2.1:', undefined, 'the port is empty'],
  ['2001:db8::1:51820', undefined, 'IPv6 without brackets'],
  ['[192.0.2.1]:1', undefined, 'IPv4 in brackets'],
  ['[fe80::1%eth0]:1', undefined, 'a scope'],
  ['example.org:51820', undefined, 'a name needs resolving first'],
  ['192.0.2.1 :1', undefined, 'white space'],
];

test('endpoint: one canonical text', () => {
  for (const [text, canonical, reason] of ENDPOINTS) {
    assert.is(parseEndpoint(text)?.text, canonical, `${text}: ${reason}`);
  }
  assert.is(endpointOf(address('::1'), 5).text, '[::1]:5');
});

test('host and port: names are split off without a look at them', () => {
  assert.equal(parseHostPort('example.org:51820'), { host: 'example.org', port: 51820 });
  assert.equal(parseHostPort('[2001:db8::1]:5'), { host: '2001:db8::1', port: 5 });
  assert.is(parseHostPort('[example.org]:5'), undefined);
  assert.is(parseHostPort('a:b:5'), undefined);
  assert.is(parseHostPort(':5'), undefined);
});

test('endpoint: its form and its local address go and come apart', () => {
  const bare = present(parseEndpoint('192.0.2.1:51820'), 'an endpoint');
  const local = { address: bare.address, interfaceIndex: 3 };
  const known = { ...bare, local, vni: 7 };
  assert.equal(withoutLocal(known), { ...bare, vni: 7 });
  assert.equal(withVni(known, undefined), { ...bare, local });
  assert.equal(withVni(known, 8), { ...bare, local, vni: 8 });
});

test.run();
