import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress, parseMac } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { concat, loadLe32, loadLe64, storeLe32, storeLe64 } from '../../src/base/bytes.js';
import { instant, NEVER } from '../../src/base/time.js';
import type { KeypairMaterial, WalkEvent } from '../../src/datapath/tables.js';
import type { Encapsulation } from '../../src/encap/encapsulation.js';
import {
  emitAddresses,
  emitEncapsulation,
  emitEndpoint,
  emitKeypairKind,
  parseEndpoint,
  parseEvents,
} from '../../src/io/native_events.js';
import { endpoint } from '../support/parsed.js';
import { keypair } from '../support/walk_rig.js';

const events = suite('native events');

function le32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  storeLe32(bytes, 0, value);
  return bytes;
}

function le64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  storeLe64(bytes, 0, value);
  return bytes;
}

function parse(records: Uint8Array): WalkEvent[] {
  const out: WalkEvent[] = [];
  parseEvents(records, out);
  return out;
}

for (const text of ['192.0.2.7:1', '[2001:db8::7]:65535', '[fe80::1]:51820']) {
  events(`endpoint: ${text} survives the border`, () => {
    assert.is(parseEndpoint(emitEndpoint(endpoint(text)), 0).text, text);
  });
}

events('endpoint: the local address survives the border', () => {
  const address = present(parseAddress('198.51.100.4'), 'an address');
  const local = { address, interfaceIndex: 7 };
  const back = parseEndpoint(emitEndpoint({ ...endpoint('192.0.2.7:9'), local }), 0);
  assert.is(back.local?.address.text, '198.51.100.4');
  assert.is(back.local?.interfaceIndex, 7);
});

for (const vni of [1, 51_820, 0xff_ffff]) {
  events(`endpoint: behind VXLAN ${vni} survives the border`, () => {
    assert.is(parseEndpoint(emitEndpoint({ ...endpoint('192.0.2.7:9'), vni }), 0).vni, vni);
  });
}

const MAC = present(parseMac('02:03:04:05:06:07'), 'a MAC');
const AT = endpoint('[2001:db8::7]:4789');
const UNTIL = instant(2 ** 40 + 5);

/** An encapsulation; then its kind, MAC, VNI and end in the record. */
const ENCAPSULATIONS: readonly [Encapsulation, number, readonly number[], number, bigint][] = [
  [{ kind: 'wireguard' }, 0, [0, 0, 0, 0, 0, 0], 0, 0n],
  [{ kind: 'vxlan-sealed', vni: 0x123456 }, 1, [0, 0, 0, 0, 0, 0], 0x123456, 0n],
  [
    { kind: 'vxlan', endpoint: AT, vni: 4096, mac: MAC, until: UNTIL },
    2,
    [2, 3, 4, 5, 6, 7],
    4096,
    (1n << 40n) + 5n,
  ],
  [{ kind: 'udp', endpoint: AT, until: NEVER }, 3, [0, 0, 0, 0, 0, 0], 0, (1n << 64n) - 1n],
];

for (const [encapsulation, kind, mac, vni, until] of ENCAPSULATIONS) {
  events(`encapsulation: ${encapsulation.kind} is a record of 64 bytes`, () => {
    const bytes = emitEncapsulation(encapsulation);
    assert.is(bytes.length, 64);
    assert.equal([...bytes.subarray(0, 8)], [kind, ...mac, 0]);
    assert.is(loadLe32(bytes, 8), vni);
    assert.is(loadLe64(bytes, 56), until);
    const record = [...bytes.subarray(12, 56)];
    assert.equal(record, 'endpoint' in encapsulation ? [...emitEndpoint(AT)] : Array(44).fill(0));
  });
}

events('addresses stand one behind the other, with their family', () => {
  const addresses = ['10.0.0.1', 'fd00::1'].map((text) => present(parseAddress(text), text));
  const bytes = [...emitAddresses(addresses)];
  const zeros = (count: number): number[] => Array(count).fill(0);
  assert.equal(bytes, [4, 10, 0, 0, 1, ...zeros(12), 6, 0xfd, ...zeros(14), 1]);
  assert.equal([...emitAddresses([])], []);
});

events('a handshake carries its source, its bytes and what waits behind it', () => {
  const datagram = Uint8Array.of(1, 2, 3);
  const head = concat(Uint8Array.of(1), le32(5), emitEndpoint(endpoint('192.0.2.1:7')));
  const [event] = parse(concat(head, Uint8Array.of(3, 0), datagram));
  assert.is(event?.kind, 'handshake');
  if (event?.kind !== 'handshake') return;
  assert.is(event.queued, 5);
  assert.is(event.source.text, '192.0.2.1:7');
  assert.equal([...event.datagram], [1, 2, 3]);
});

events('a control message carries its keypair and its bytes', () => {
  const head = concat(Uint8Array.of(6), le32(5), le32(0xfffffff8), Uint8Array.of(3, 0));
  const records = concat(head, Uint8Array.of(0x10, 7, 8), head, Uint8Array.of(0x10, 9, 9));
  const one = { kind: 'control', peer: 5, localIndex: 0xfffffff8 };
  assert.equal(parse(records), [
    { ...one, message: Uint8Array.of(0x10, 7, 8) },
    { ...one, message: Uint8Array.of(0x10, 9, 9) },
  ]);
});

const LANE = { suite: 'aes-256-gcm', lane: 3, trustsChecksums: true } as const;

/** What a keypair is beside its keys; then: takes control, suite, lane, trusts checksums. */
const KEYPAIR_KINDS: readonly [Partial<KeypairMaterial>, readonly number[]][] = [
  [{}, [0, 1, 8, 0]],
  [{ takesControl: true }, [1, 1, 8, 0]],
  [{ heddle: LANE }, [0, 2, 3, 1]],
  [{ heddle: { ...LANE, suite: 'chacha20-poly1305', trustsChecksums: false } }, [0, 1, 3, 0]],
];

for (const [kind, record] of KEYPAIR_KINDS) {
  events(`keypair: ${JSON.stringify(kind)} is ${record}`, () => {
    assert.equal([...emitKeypairKind({ ...keypair(1), ...kind })], record);
  });
}

events('records back to back come out in order', () => {
  const moved = emitEndpoint(endpoint('[2001:db8::1]:7'));
  const records = concat(
    concat(Uint8Array.of(2), le32(1), Uint8Array.of(0)),
    concat(Uint8Array.of(2), le32(2), Uint8Array.of(1)),
    concat(Uint8Array.of(3), le32(3), le32(0xfffffffe)),
    concat(Uint8Array.of(4), le32(4), moved),
    concat(Uint8Array.of(5), le32(5), le64(1n), le64(2n), le64(3n), le64(1n << 40n)),
  );
  const parsed = parse(records);
  assert.equal(parsed.slice(0, 3), [
    { kind: 'sessionNeeded', peer: 1, reason: 'staged' },
    { kind: 'sessionNeeded', peer: 2, reason: 'rekey' },
    { kind: 'confirmed', peer: 3, localIndex: 0xfffffffe },
  ]);
  const roamed = parsed[3];
  assert.is(roamed?.kind === 'roamed' && roamed.endpoint.text, '[2001:db8::1]:7');
  assert.equal(parsed[4], {
    kind: 'activity',
    peer: 5,
    activity: { lastSent: 1, lastReceived: 2, unansweredSend: 3, unansweredReceive: 2 ** 40 },
  });
});

events('a record of no known kind is a broken invariant', () => {
  assert.throws(() => parse(Uint8Array.of(9)), /Invariant broken/);
});

events.run();
