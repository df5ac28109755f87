/** What the parts of a mesh are given, so that together they are one. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEndpoint, parsePrefix } from '../../src/base/address.js';
import { present } from '../../src/base/assert.js';
import { SILENT } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import { instant, type WallTime } from '../../src/base/time.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import type { MeshAction } from '../../src/mesh/action.js';
import { assemble } from '../../src/mesh/assembly.js';
import { KeyRing } from '../../src/mesh/key_ring.js';
import type { MembershipParts } from '../../src/mesh/membership_parts.js';
import { INCARNATION_LIMIT } from '../../src/mesh/self_statement.js';
import type { OwnState } from '../../src/mesh/own_state.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { NO_KEY, parseRecord, type RecordKind } from '../../src/wire/record.js';
import {
  ADMIN,
  certificate,
  delegation,
  FOUNDER,
  keyPair,
  later,
  MEMBER,
  NETWORK,
  network,
  NOW,
  ROOT,
  sign,
  take,
} from '../support/identity_scene.js';

const test = suite('mesh/assembly');

const START = instant(0);
const OWN: OwnState = { network: undefined, ceiling: 70, stamp: NOW, records: [], redeemed: [] };
const CHAIN = [network(ROOT), delegation(ADMIN, FOUNDER), certificate(MEMBER, { name: 'member' })];

function assembled(wall: WallTime = NOW, own?: OwnState): MembershipParts {
  const random = new SeededRandom('assembly');
  const [suiteOf, crypto] = [new SodiumSignatures(), new SodiumSuite()];
  const none = { nextStaticKey: undefined, admin: undefined, root: undefined };
  const { seed: identity } = keyPair('ourselves');
  const secrets = { identity, staticKey: random.bytes(32), ...none };
  const actions: MeshAction[] = [];
  return assemble(
    {
      dependencies: { suite: suiteOf, crypto, random, log: SILENT },
      setup: {
        keys: secrets,
        own,
        records: [],
        entry: undefined,
        hostName: 'ourselves',
        announce: [present(parsePrefix('10.20.0.0/16'), 'it is one')],
        acceptsDefaultRoutes: false,
        subnetLength: undefined,
        instance: '00000000000000aa',
        endpoints: [present(parseEndpoint('192.0.2.1:51820'), 'it is one')],
      },
      network: NETWORK,
      rootKey: ROOT.publicKey,
      line: undefined,
      keys: new KeyRing({ suite: suiteOf, crypto, random }, secrets),
      wallClockAt: () => wall,
      actions,
    },
    START,
  );
}

test('assembly: a node is called by its identity, and trusts the root key that it is given', () => {
  const parts = assembled();
  assert.is(parts.self, keyPair('ourselves').id);
  assert.equal(parts.authority.rootKey, ROOT.publicKey);
  assert.is(parts.network, NETWORK);
  const bytes = delegation(ADMIN, FOUNDER).bytes;
  parts.ledger.receive(bytes, undefined, NOW, START);
  assert.is(parts.ledger.takeAccepted().length, 1);
  assert.is(parts.store.size, 1, 'the ledger and the others share a store');
});

test('assembly: it goes on above the numbers that the disk knows', () => {
  assert.is(assembled().statement.incarnation, 0);
  const parts = assembled(later(-10), OWN);
  assert.is(parts.statement.incarnation, 70);
  assert.is(parts.clock.next(later(-10)), NOW + 1);
});

test('assembly: wall time is what admins signed by, where the clock is far from it', () => {
  const parts = assembled(later(3_650));
  assert.is(parts.wallAt(START), later(3_650));
  assert.not(parts.clock.isDoubted(parts.hostWallAt(START)));
  parts.clock.heard(NOW);
  assert.is(parts.wallAt(START), later(40));
  assert.ok(parts.clock.isAhead(parts.hostWallAt(START)));
});

const NODE = emitNodeRecord({
  status: 'alive',
  instance: '00000000000000bb',
  startedAt: NOW,
  staticKey: new Uint8Array(32).fill(5),
  nextStaticKey: undefined,
  endpoints: [],
});
const NOTHING = new Uint8Array(0);

const BODIES: readonly (readonly [
  name: string,
  draft: { kind: RecordKind; key: string; version: number; body: Uint8Array },
  drop: string | undefined,
])[] = [
  ['a node record', { kind: 'node', key: NO_KEY, version: 9, body: NODE }, undefined],
  ['an empty one', { kind: 'node', key: NO_KEY, version: 9, body: NOTHING }, 'malformed_body'],
  [
    'one at the last incarnation',
    { kind: 'node', key: NO_KEY, version: INCARNATION_LIMIT, body: NODE },
    undefined,
  ],
  [
    'one beyond it',
    { kind: 'node', key: NO_KEY, version: INCARNATION_LIMIT + 1, body: NODE },
    'malformed_body',
  ],
  ['an empty lease', { kind: 'lease', key: NO_KEY, version: 9, body: NOTHING }, 'malformed_body'],
  [
    'an empty announcement',
    { kind: 'announcement', key: NO_KEY, version: 9, body: NOTHING },
    'malformed_body',
  ],
  [
    'a suspicion of nobody',
    { kind: 'suspicion', key: FOUNDER.id, version: 0, body: NOTHING },
    'unfounded',
  ],
];

for (const [name, draft, drop] of BODIES) {
  test(`assembly: of what a member says ${name} is ${drop ?? 'held'}`, () => {
    const { ledger, authority, drops, store } = assembled();
    take(authority, CHAIN);
    const record = sign(MEMBER, draft);
    ledger.receive(record.bytes, FOUNDER.id, NOW, START);
    assert.is(store.get(record.place) !== undefined, drop === undefined);
    const counts = Object.entries(drops.read()).filter(([, count]) => count > 0);
    assert.equal(counts, drop === undefined ? [] : [[drop, 1]]);
  });
}

test('assembly: row 23: who is suspected was there at that incarnation', () => {
  const { ledger, authority, drops } = assembled();
  take(authority, [...CHAIN, certificate(FOUNDER, { name: 'founder' })]);
  const said = sign(FOUNDER, { kind: 'node', key: NO_KEY, version: 9, body: NODE });
  ledger.receive(said.bytes, FOUNDER.id, NOW, START);
  const accuse = (version: number, body = NOTHING): number => {
    const record = sign(MEMBER, { kind: 'suspicion', key: FOUNDER.id, version, body });
    ledger.receive(record.bytes, MEMBER.id, NOW, START);
    return ledger.takeAccepted().filter(({ record: each }) => each.kind === 'suspicion').length;
  };
  assert.equal([accuse(10), accuse(Number.MAX_SAFE_INTEGER)], [0, 0]);
  assert.is(drops.read().unfounded, 2);
  assert.is(accuse(9, Uint8Array.of(1)), 0);
  assert.is(drops.read().malformed_body, 1);
  assert.is(accuse(9), 1);
});

test('assembly: the files are filled from all of the parts', () => {
  const parts = assembled(NOW, OWN);
  take(parts.authority, CHAIN);
  parts.keeper.keep('own', START);
  parts.keeper.keep('keys', START);
  parts.keeper.drain(parts.actions);
  const files = parts.actions.flatMap((action) => (action.kind === 'persist' ? [action] : []));
  assert.equal(
    files.map(({ file }) => file),
    ['own', 'keys'],
  );
  assert.ok(files.every(({ content }) => content.length > 0));
  assert.is(parseRecord(files[0]?.content ?? NOTHING), undefined);
});

test.run();
