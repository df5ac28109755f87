import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../src/base/bytes.js';
import { sessionIndex } from '../../src/base/identifiers.js';
import { formatDatagram, formatPacket } from '../../src/wire/format.js';
import { emitIpv4Header } from '../../src/wire/ipv4.js';
import { emitIpv6Header } from '../../src/wire/ipv6.js';
import {
  emitCookieReply,
  emitData,
  emitInitiation,
  emitResponse,
} from '../../src/wire/wireguard.js';
import { withSeed } from '../support/seed.js';
import { hex } from '../support/vectors.js';

const test = suite('wire/format');

function ipv4(protocol: number, payload: string, fragmentOffset = 0): Uint8Array {
  const packet = concat(new Uint8Array(20), hex(payload));
  emitIpv4Header(packet, 0, {
    typeOfService: 0,
    totalLength: packet.length,
    identifier: 0,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset,
    timeToLive: 64,
    protocol,
    source: Uint8Array.of(10, 0, 0, 1),
    destination: Uint8Array.of(10, 0, 0, 2),
    options: new Uint8Array(0),
  });
  return packet;
}

function ipv6(nextHeader: number, payload: string): Uint8Array {
  const packet = concat(new Uint8Array(40), hex(payload));
  emitIpv6Header(packet, 0, {
    trafficClass: 0,
    flowLabel: 0,
    payloadLength: packet.length - 40,
    nextHeader,
    hopLimit: 64,
    source: hex('fd000000000000000000000000000001'),
    destination: hex('fd000000000000000000000000000002'),
  });
  return packet;
}

const TCP = '04d2005000000001000000025018ffff00000000abcd';
const UDP = '04d20035000b0000616263';
const ECHO = '0800000000070001';
const ECHO6 = '8100000000070001';

const PACKETS: readonly [packet: Uint8Array, line: string][] = [
  [ipv4(6, TCP), 'IP 10.0.0.1:1234 > 10.0.0.2:80: TCP [P.], seq 1, ack 2, win 65535, length 2'],
  [
    ipv4(6, '04d2005000000001000000025002ffff00000000'),
    'IP 10.0.0.1:1234 > 10.0.0.2:80: TCP [S], seq 1, win 65535, length 0',
  ],
  [ipv6(6, TCP), 'IP6 [fd00::1]:1234 > [fd00::2]:80: TCP [P.], seq 1, ack 2, win 65535, length 2'],
  [ipv4(17, UDP), 'IP 10.0.0.1:1234 > 10.0.0.2:53: UDP, length 3'],
  [ipv6(17, UDP), 'IP6 [fd00::1]:1234 > [fd00::2]:53: UDP, length 3'],
  [ipv6(60, `1100000000000000${UDP}`), 'IP6 [fd00::1]:1234 > [fd00::2]:53: UDP, length 3'],
  [ipv4(1, ECHO), 'IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 1, length 8'],
  [ipv6(58, ECHO6), 'IP6 fd00::1 > fd00::2: ICMP6 echo reply, id 7, seq 1, length 8'],
  [ipv4(1, '0301000000000000'), 'IP 10.0.0.1 > 10.0.0.2: ICMP type 3 code 1, length 8'],
  [ipv4(1, '08'), 'IP 10.0.0.1 > 10.0.0.2: ICMP, length 1'],
  [ipv4(17, 'ffff'), 'IP 10.0.0.1 > 10.0.0.2: protocol 17, length 2'],
  [ipv4(6, 'ffff'), 'IP 10.0.0.1 > 10.0.0.2: protocol 6, length 2'],
  [ipv4(1, '0100000000000000'), 'IP 10.0.0.1 > 10.0.0.2: ICMP type 1 code 0, length 8'],
  [ipv4(17, UDP, 1480), 'IP 10.0.0.1 > 10.0.0.2: fragment of protocol 17 at 1480, length 11'],
  [ipv6(59, ''), 'IP6 fd00::1 > fd00::2: nothing, length 0'],
  [ipv4(47, '00'), 'IP 10.0.0.1 > 10.0.0.2: protocol 47, length 1'],
  [ipv6(60, '11'), 'not a whole IP packet, length 41'],
  [ipv4(6, TCP).slice(0, 30), 'not a whole IP packet, length 30'],
  [new Uint8Array(0), 'empty'],
];

for (const [packet, line] of PACKETS) {
  test(`format: ${line}`, () => assert.is(formatPacket(packet), line));
}

const sender = sessionIndex(0xf0000001);
const receiver = sessionIndex(0x1a);
const INITIATION = emitInitiation({
  sender,
  ephemeral: new Uint8Array(32),
  sealedStatic: new Uint8Array(48),
  sealedTimestamp: new Uint8Array(28),
});
const RESPONSE = emitResponse({
  sender,
  receiver,
  ephemeral: new Uint8Array(32),
  sealedNothing: new Uint8Array(16),
});
const COOKIE_REPLY = emitCookieReply({
  receiver,
  nonce: new Uint8Array(24),
  sealedCookie: new Uint8Array(32),
});

const DATAGRAMS: readonly [datagram: Uint8Array, line: string][] = [
  [INITIATION, 'WireGuard initiation, sender 0xf0000001, length 148'],
  [RESPONSE, 'WireGuard response, sender 0xf0000001, receiver 0x0000001a, length 92'],
  [COOKIE_REPLY, 'WireGuard cookie reply, receiver 0x0000001a, length 64'],
  [
    emitData({ type: 4, receiver, counter: 2n ** 64n - 1n, sealed: new Uint8Array(17) }),
    'WireGuard data, receiver 0x0000001a, counter 18446744073709551615, length 33',
  ],
  [
    emitData({ type: 4, receiver, counter: 3n, sealed: new Uint8Array(16) }),
    'WireGuard keepalive, receiver 0x0000001a, counter 3, length 32',
  ],
  [
    emitData({ type: 0x48, receiver, counter: 3n, sealed: new Uint8Array(16) }),
    'heddle keepalive, receiver 0x0000001a, counter 3, length 32',
  ],
  [
    emitData({ type: 0x01000048, receiver, counter: 4n, sealed: new Uint8Array(64) }),
    'heddle partial data, receiver 0x0000001a, counter 4, length 80',
  ],
  [INITIATION.slice(1), 'not WireGuard, length 147'],
  [new Uint8Array(0), 'not WireGuard, length 0'],
];

for (const [datagram, line] of DATAGRAMS) {
  test(`format: ${line}`, () => assert.is(formatDatagram(datagram), line));
}

test('format: says one line about any bytes', () => {
  withSeed('format', (random) => {
    for (let round = 0; round < 3000; round++) {
      const bytes = random.bytes(random.below(90));
      if (round % 2 === 0) bytes[0] = round % 4 === 0 ? 0x45 : 0x60;
      if (round % 3 === 0) bytes.fill(0, 2, 5);
      for (const line of [formatPacket(bytes), formatDatagram(bytes)]) {
        assert.match(line, /^[^\n]{1,200}$/);
        assert.not.match(line, /undefined|NaN/);
      }
    }
  });
});

test('format: says one line about every beginning of a packet', () => {
  for (const [packet] of PACKETS) {
    for (let length = 0; length <= packet.length; length++) {
      assert.match(formatPacket(packet.slice(0, length)), /^[^\n]+$/);
    }
  }
});

test.run();
