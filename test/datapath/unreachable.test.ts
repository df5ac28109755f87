import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, fromHex, storeBe16 } from '../../src/base/bytes.js';
import { present } from '../../src/base/assert.js';
import { isSumRight, sumBytes, sumPseudoHeader } from '../../src/wire/checksum.js';
import { isIpv4ChecksumRight, parseIpv4Header } from '../../src/wire/ipv4.js';
import { parseIpv6Header } from '../../src/wire/ipv6.js';
import { emitUnreachable, mayBeRefused } from '../../src/datapath/unreachable.js';
import { equalBytes } from '../support/bytes.js';
import { ipv4, ipv6 } from '../support/inner_packets.js';

const unreachable = suite('unreachable');

function bytes(hex: string): Uint8Array {
  return present(fromHex(hex), 'hexadecimal');
}

/** An IPv4 packet of 20 bytes and this payload. */
function inIpv4(protocol: number, payload: Uint8Array, options: { fragment?: number } = {}) {
  const header = bytes('45000000000000004000000a0000010a000002'.padEnd(40, '0'));
  header.set(bytes('0a0000010a000002'), 12);
  storeBe16(header, 2, 20 + payload.length);
  storeBe16(header, 6, options.fragment ?? 0);
  header[9] = protocol;
  return concat(header, payload);
}

function inIpv6(next: number, payload: Uint8Array) {
  const header = new Uint8Array(40);
  header[0] = 0x60;
  storeBe16(header, 4, payload.length);
  header.set([next, 64], 6);
  header.set([0xfd], 8);
  header.set([0xfd, 1], 24);
  return concat(header, payload);
}

unreachable('unreachable: about an IPv4 packet, from where it went to whom it is from', () => {
  const packet = ipv4({ source: '10.0.0.1', destination: '10.0.0.9' });
  const answer = emitUnreachable(packet);
  const header = present(parseIpv4Header(answer, 0), 'a header');
  assert.ok(isIpv4ChecksumRight(answer, 0));
  assert.equal([...header.source], [10, 0, 0, 9]);
  assert.equal([...header.destination], [10, 0, 0, 1]);
  assert.is(header.protocol, 1);
  assert.is(header.totalLength, answer.length);
  assert.equal([...answer.subarray(20, 22)], [3, 1]);
  assert.ok(isSumRight(sumBytes(answer, 20, answer.length - 20)));
  equalBytes(answer.subarray(28), packet);
});

unreachable('unreachable: about an IPv6 packet, from where it went to whom it is from', () => {
  const packet = ipv6({ source: 1, destination: 9 });
  const answer = emitUnreachable(packet);
  const header = present(parseIpv6Header(answer, 0), 'a header');
  equalBytes(header.source, packet.slice(24, 40));
  equalBytes(header.destination, packet.slice(8, 24));
  assert.is(header.nextHeader, 58);
  assert.is(header.payloadLength, answer.length - 40);
  assert.equal([...answer.subarray(40, 42)], [1, 3]);
  const length = answer.length - 40;
  const pseudo = sumPseudoHeader(answer, 0, { protocol: 58, length });
  assert.ok(isSumRight(pseudo + sumBytes(answer, 40, length)));
  equalBytes(answer.subarray(48), packet);
});

unreachable('unreachable: is no longer than what every host takes', () => {
  const payload = new Uint8Array(1400).map((_, i) => i);
  for (const [packet, most, before] of [
    [inIpv4(17, payload), 576, 28],
    [inIpv6(17, payload), 1280, 48],
  ] as const) {
    const answer = emitUnreachable(packet);
    assert.is(answer.length, most);
    equalBytes(answer.subarray(before), packet.subarray(0, most - before));
  }
});

const ECHO4 = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0);
const ECHO6 = Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0);

/** A copy with these bytes at `at`. */
function changed(packet: Uint8Array, at: number, ...content: number[]): Uint8Array {
  const copy = packet.slice();
  copy.set(content, at);
  return copy;
}

for (const [what, packet, expected] of [
  ['an echo request', inIpv4(1, ECHO4), true],
  ['TCP', inIpv4(6, ECHO4), true],
  ['a first fragment', inIpv4(17, ECHO4, { fragment: 0x2000 }), true],
  ['a later fragment', inIpv4(17, ECHO4, { fragment: 0x2001 }), false],
  ['ICMP without a byte', inIpv4(1, new Uint8Array(0)), false],
  ...[3, 4, 5, 11, 12].map(
    (type) => [`ICMP error ${type}`, inIpv4(1, changed(ECHO4, 0, type)), false] as const,
  ),
  ['an error behind IPv4 options', withOptions(inIpv4(1, changed(ECHO4, 0, 3))), false],
  ['what is multicast', changed(inIpv4(17, ECHO4), 16, 224), false],
  ['what is broadcast', changed(inIpv4(17, ECHO4), 16, 255, 255, 255, 255), false],
  ['what comes from a multicast address', changed(inIpv4(17, ECHO4), 12, 239), false],
  ['what comes from no address', changed(inIpv4(17, ECHO4), 12, 0, 0, 0, 0), false],
  ['what comes from the loopback', changed(inIpv4(17, ECHO4), 12, 127), false],
  ['an IPv6 echo request', inIpv6(58, ECHO6), true],
  ['TCP in IPv6', inIpv6(6, ECHO6), true],
  ['an ICMPv6 error', inIpv6(58, changed(ECHO6, 0, 1)), false],
  ['the last ICMPv6 error', inIpv6(58, changed(ECHO6, 0, 127)), false],
  ['ICMPv6 without a byte', inIpv6(58, new Uint8Array(0)), false],
  ...[0, 43, 44, 51, 60, 135, 139, 140].map(
    (next) => [`IPv6 with extension ${next}`, inIpv6(next, ECHO6), false] as const,
  ),
  ['IPv6 multicast', changed(inIpv6(17, ECHO6), 24, 0xff, 2), false],
  ['what comes from an IPv6 multicast address', changed(inIpv6(17, ECHO6), 8, 0xff), false],
  ['what comes from the unspecified address', changed(inIpv6(17, ECHO6), 8, 0), false],
  ['what comes from the IPv6 loopback', changed(inIpv6(17, ECHO6), 8, ...loopback()), false],
] as const) {
  unreachable(`unreachable: ${expected ? 'may be' : 'is never'} said about ${what}`, () => {
    assert.is(mayBeRefused(packet), expected);
  });
}

function loopback(): number[] {
  return [...new Array<number>(15).fill(0), 1];
}

function withOptions(packet: Uint8Array): Uint8Array {
  const longer = concat(packet.slice(0, 20), Uint8Array.of(1, 1, 1, 1), packet.slice(20));
  return changed(longer, 0, 0x46, 0, 0, longer.length);
}

unreachable.run();
