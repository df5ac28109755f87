/** Puts the parts of a mesh together, once it is known which network it is. */

import type { Endpoint } from '../base/address.js';
import { type NodeId, nodeId } from '../base/identifiers.js';
import type { Instant, WallTime } from '../base/time.js';
import { Authority } from '../identity/authority.js';
import type { JoinLine } from '../identity/join_line.js';
import { parseAnnouncement } from '../ipam/announcement_body.js';
import { parseLease } from '../ipam/lease_body.js';
import { HybridClock } from '../state/hybrid_clock.js';
import { Store } from '../state/store.js';
import { checkNodeRecord } from '../wire/node_record.js';
import {
  NO_KEY,
  parseRecord,
  placeOf,
  type RecordKind,
  type SignedRecord,
} from '../wire/record.js';
import type { MeshAction } from './action.js';
import { Addresses } from './addresses.js';
import { Affairs } from './affairs.js';
import { Directory } from './directory.js';
import { type MeshDrop, MeshDropCounters } from './drop.js';
import { Enrolment } from './enrolment.js';
import { Keeper } from './keeper.js';
import { membersContent, ownContent } from './kept.js';
import type { KeyRing } from './key_ring.js';
import { Ledger } from './ledger.js';
import { Office } from './office.js';
import type { MembershipParts } from './membership_parts.js';
import type { MeshDependencies, MeshParts, Safe } from './parts.js';
import { Scribe } from './scribe.js';
import { INCARNATION_LIMIT, SelfStatement } from './self_statement.js';
import type { MeshSetup } from './setup.js';

/** Of those that are alive, whoever can be reached, as the introducers of a join line. */
const INTRODUCERS = 3;

export interface Assembly {
  readonly dependencies: MeshDependencies;
  readonly setup: MeshSetup;
  readonly network: NodeId;
  /** Ed25519, 32 bytes: whose id is the network's, or what the join line says. */
  readonly rootKey: Uint8Array;
  /** How we come to the network; undefined: we are in it. */
  readonly line: JoinLine | undefined;
  readonly keys: KeyRing;
  /** Of the host, believed or not. */
  readonly wallClockAt: (now: Instant) => WallTime;
  /** Of the whole mesh: all parts append to it. */
  readonly actions: MeshAction[];
}

export function assemble(assembly: Assembly, now: Instant): MembershipParts {
  const { setup, line, keys } = assembly;
  const base = basicParts(assembly, () => membership);
  const { directory } = base;
  const statement = new SelfStatement({
    ...keys.selfKeys(),
    instance: setup.instance,
    startedAt: base.wallAt(now),
    endpoints: setup.endpoints,
    ceiling: setup.own?.ceiling ?? 0,
  });
  const introducers = (): { publicKey: Uint8Array; endpoint: Endpoint }[] => {
    const [own] = statement.endpoints;
    const found = own ? [{ publicKey: keys.selfKeys().staticKey, endpoint: own }] : [];
    for (const { peer, statement: theirs } of directory.all()) {
      const [endpoint] = theirs.endpoints;
      if (found.length === INTRODUCERS) break;
      if (peer && endpoint) found.push({ publicKey: theirs.staticKey, endpoint });
    }
    return found;
  };
  const { announce, acceptsDefaultRoutes, subnetLength, hostName } = setup;
  const addresses = new Addresses({ ...base, announce, acceptsDefaultRoutes, subnetLength });
  const office = new Office({ ...base, introducers }, now);
  const redeemed = setup.own?.redeemed ?? [];
  const enrolment = new Enrolment({ ...base, office, hostName, line, redeemed }, now);
  const affairs = new Affairs();
  const membership: MembershipParts = {
    ...base,
    statement,
    addresses,
    enrolment,
    office,
    affairs,
  };
  affairs.attach(membership);
  return membership;
}

/** `whole`: what the files are filled from when it is there. */
function basicParts(
  { dependencies, setup, network, rootKey, keys, wallClockAt, actions }: Assembly,
  whole: () => MembershipParts,
): MeshParts {
  const { suite } = dependencies;
  const clock = new HybridClock(setup.own?.stamp ?? 0);
  const authority = new Authority({ suite, network, rootKey });
  const store = new Store();
  const drops = new MeshDropCounters();
  const parse = dependencies.parse ?? parseRecord;
  return {
    dependencies,
    network,
    self: keys.identity.id,
    authority,
    store,
    ledger: new Ledger({ authority, store, drops, parse, faultOf: (each) => faultOf(store, each) }),
    directory: new Directory(actions),
    keeper: new Keeper<Safe>({
      keys: () => keys.emit(),
      own: (pending) => ownContent(whole(), rootKey, pending),
      members: () => membersContent(whole()),
    }),
    scribe: new Scribe(suite, network),
    clock,
    drops,
    actions,
    keys,
    hostWallAt: wallClockAt,
    wallAt: (now) => clock.trusted(wallClockAt(now)),
  };
}

/**
 * Why a genuine record means nothing to the part that it is for. An incarnation is its subject's
 * alone to raise: nobody is suspected at a later one than it said, nor says one that leaves no room
 * above it.
 */
function faultOf(store: Store, { kind, key, version, body }: SignedRecord): MeshDrop | undefined {
  if (kind === 'suspicion') {
    const said = store.get(placeOf('node', nodeId(key), NO_KEY))?.version ?? -1;
    if (version > said) return 'unfounded';
    return body.length === 0 ? undefined : 'malformed_body';
  }
  return isSensible(kind, version, body) ? undefined : 'malformed_body';
}

function isSensible(kind: RecordKind, version: number, body: Uint8Array): boolean {
  if (kind === 'node') return version <= INCARNATION_LIMIT && checkNodeRecord(body);
  if (kind === 'lease') return parseLease(body) !== undefined;
  return kind === 'announcement' && parseAnnouncement(body) !== undefined;
}
