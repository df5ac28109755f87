/**
 * Nodes that hear the same records, in whatever order, however often and with whatever pauses in
 * which they drop what is over, hold the same in the end and say the same of everybody. What each
 * of them refuses or drops, all of them must.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeededRandom } from '../../src/base/random.js';
import { instant, wallTime } from '../../src/base/time.js';
import { emitNodeRecord } from '../../src/wire/node_record.js';
import { MeshDropCounters } from '../../src/mesh/drop.js';
import { Ledger } from '../../src/mesh/ledger.js';
import { Store } from '../../src/state/store.js';
import { formatRecord, NO_KEY, parseRecord, type SignedRecord } from '../../src/wire/record.js';
import { oneOf } from '../support/control_samples.js';
import {
  ADMIN,
  certificate,
  DAY,
  delegation,
  FOUNDER,
  freshAuthority,
  invitation,
  type KeyPair,
  keyPair,
  later,
  MEMBER,
  network,
  NEXT_ROOT,
  NOW,
  OTHER_ADMIN,
  revocation,
  ROOT,
  rootChange,
  said,
  SECOND,
  sign,
  STRANGER,
} from '../support/identity_scene.js';
import { withSeed } from '../support/seed.js';

const test = suite('identity/agreement');

const WALL = later(100);
const THIRD_ADMIN = keyPair('third admin key');
const ADMINS = [ADMIN, OTHER_ADMIN, THIRD_ADMIN];
const MEMBERS = [FOUNDER, SECOND, MEMBER, STRANGER];
/** Nobody revokes them: by what they sign all come to know what time it is. */
const [LAST_ADMIN, LAST_MEMBER] = [keyPair('last admin key'), keyPair('last member')];
const STATIC_KEYS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

/** What one node holds, as src/mesh puts it together. */
class Holder {
  readonly authority = freshAuthority();
  readonly store = new Store();
  readonly #ledger = new Ledger({
    authority: this.authority,
    store: this.store,
    drops: new MeshDropCounters(),
    parse: parseRecord,
    faultOf: () => undefined,
  });

  hear(record: SignedRecord): void {
    this.#ledger.receive(record.bytes, undefined, WALL, instant(0));
    for (;;) {
      const taken = this.#ledger.takeAccepted();
      for (const each of taken) this.authority.adopt(each.record);
      if (taken.length === 0) return;
      this.#ledger.retryParked(WALL);
    }
  }

  prune(): void {
    for (const record of [...this.store.records()]) {
      if (!this.authority.isObsolete(record)) continue;
      this.store.remove(record.place);
      this.authority.forget(record);
    }
  }

  /** What it says of everybody. */
  view(): string {
    const { authority } = this;
    const members = MEMBERS.map(({ id }) => {
      const { name, epoch } = authority.certificateOf(id) ?? {};
      return [name, epoch, authority.isRevoked(id), authority.isMember(id, WALL)];
    });
    const admins = ADMINS.map(({ id }) => [authority.isAdminKey(id), authority.isRevoked(id)]);
    const keys = STATIC_KEYS.map((key) => authority.isRevokedKey(key));
    const held = [...this.store.records()].map(formatRecord).sort();
    const [root, open] = [authority.rootEpoch(), [...authority.invitations()].map(({ id }) => id)];
    return JSON.stringify({ members, admins, keys, root, open: open.sort(), held }, undefined, 1);
  }
}

function node(by: KeyPair, staticKey: Uint8Array, version: number): SignedRecord {
  const body = emitNodeRecord({
    status: 'alive',
    instance: '0000000000000001',
    startedAt: wallTime(1),
    staticKey,
    nextStaticKey: undefined,
    endpoints: [],
  });
  return sign(by, { kind: 'node', key: NO_KEY, body, version });
}

/**
 * Of days 0 to 9; on day 10 and after it revocations follow. What an admin signs after another
 * admin revoked it is held by those who heard of it before, and by nobody else: it grants nothing.
 */
function early(random: SeededRandom): number {
  return later(random.below(10)) + random.below(1_000);
}

function randomRevocation(random: SeededRandom): SignedRecord {
  const by = oneOf(random, [...ADMINS, ROOT, NEXT_ROOT]);
  return revocation(oneOf(random, [...MEMBERS, ...ADMINS, ROOT]), {
    by,
    version: later(10 + random.below(10)) + random.below(1_000),
    fate: by === ROOT || by === NEXT_ROOT ? oneOf(random, ['keep', 'void'] as const) : 'keep',
    staticKeys: STATIC_KEYS.filter(() => random.below(3) === 0),
    keepUntil: later(oneOf(random, [15, 120])),
  });
}

function randomRecord(random: SeededRandom): SignedRecord {
  const [admin, member] = [oneOf(random, ADMINS), oneOf(random, MEMBERS)];
  const version = early(random);
  switch (random.below(7)) {
    case 0: {
      const notAfter = later(oneOf(random, [12, 360]));
      const by = oneOf(random, [ROOT, NEXT_ROOT]);
      return delegation(admin, member, { by, version, notAfter, epoch: random.below(5) });
    }
    case 1:
    case 2: {
      const begin = Math.floor((version - NOW) / DAY) * 3;
      const times = { notBefore: later(begin), notAfter: later(begin + 30) };
      const [epoch, name] = [random.below(3), `m-${random.below(9)}`];
      return certificate(member, { by: admin, version, epoch, name, ...times });
    }
    case 3:
      return randomRevocation(random);
    case 4:
      return invitation(oneOf(random, ['00000000000000e1', '00000000000000e2']), {
        by: admin,
        version,
        expires: later(oneOf(random, [5, 90])),
      });
    case 5:
      return node(member, oneOf(random, STATIC_KEYS), version);
    default:
      return said(member, 'lease', version);
  }
}

function shuffled<T>(random: SeededRandom, items: readonly T[]): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(random.below(left.length), 1));
  return out;
}

/** Each hears from the other what it holds, as anti-entropy would end, and drops what is over. */
function settle(holders: readonly Holder[]): void {
  for (let round = 0; round < 6; round++) {
    for (const to of holders) {
      for (const from of holders) for (const record of [...from.store.records()]) to.hear(record);
    }
    for (const holder of holders) holder.prune();
  }
}

test('agreement: rows 21 and 28: whatever the order, all hold and say the same', () => {
  withSeed('agreement', (random) => {
    for (let round = 0; round < 40; round++) {
      const records = [
        network(ROOT),
        ...ADMINS.map((admin, i) => delegation(admin, MEMBERS[i] ?? FOUNDER)),
        ...(random.below(2) === 0 ? [rootChange(ROOT, NEXT_ROOT, 1, later(5))] : []),
        ...Array.from({ length: 40 }, () => randomRecord(random)),
        ...[ROOT, NEXT_ROOT].map((by) => delegation(LAST_ADMIN, LAST_MEMBER, { by })),
        certificate(LAST_MEMBER, { by: LAST_ADMIN, notBefore: later(35), notAfter: later(125) }),
      ];
      const holders = Array.from({ length: 4 }, () => new Holder());
      for (const holder of holders) {
        for (const record of shuffled(random, [...records, ...records])) {
          holder.hear(record);
          if (random.below(20) === 0) holder.prune();
        }
      }
      settle(holders);
      const [first, ...others] = holders.map((holder) => holder.view());
      for (const other of others) assert.is(other, first, `round ${round}`);
      const digests = new Set(holders.map(({ store }) => store.digestText()));
      assert.is(digests.size, 1);
      const late = new Holder();
      settle([holders[0] ?? late, late]);
      assert.is(late.view(), first, `who comes late, in round ${round}`);
    }
  });
});

test.run();
