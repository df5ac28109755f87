/**
 * What the files `own` and `members` hold, gathered from what is in force. The chain of keys comes
 * first, so that who reads it can verify each record when it comes.
 */

import type { NodeId } from '../base/identifiers.js';
import { NO_KEY, placeOf, type RecordKind, type SignedRecord } from '../wire/record.js';
import { emitMembersFile } from './members_file.js';
import { emitOwnState } from './own_state.js';
import type { MembershipParts } from './membership_parts.js';
import type { Safe } from './parts.js';

/** How many others are kept beside what is our own. */
const OTHERS = 8;

const ORDER: Readonly<Record<RecordKind, number>> = {
  rootChange: 0,
  delegation: 1,
  network: 2,
  revocation: 3,
  certificate: 4,
  invitation: 5,
  node: 6,
  lease: 7,
  announcement: 8,
  suspicion: 9,
};

/** `firstRootKey`: whose id is the network's. `pending` waits for this very write. */
export function ownContent(
  parts: MembershipParts,
  firstRootKey: Uint8Array,
  pending: readonly Safe[],
): Uint8Array {
  const { authority, self, network, clock, statement, enrolment } = parts;
  const isKnown = authority.certificateOf(self) !== undefined || authority.isRevoked(self);
  const records = new Map<string, SignedRecord>();
  for (const record of ownRecords(parts)) records.set(record.place, record);
  for (const safe of pending) if ('record' in safe) records.set(safe.record.place, safe.record);
  return emitOwnState({
    network: isKnown ? { id: network, rootKey: firstRootKey } : undefined,
    ceiling: statement.ceiling,
    stamp: clock.last,
    records: inOrder(records.values()).map(({ bytes }) => bytes),
    redeemed: enrolment.redemptions(),
  });
}

export function membersContent({ store }: MembershipParts): Uint8Array {
  return emitMembersFile(inOrder(store.records()).map(({ bytes }) => bytes));
}

function* ownRecords(parts: MembershipParts): Iterable<SignedRecord> {
  const { store, self, keys } = parts;
  const ours = new Set<NodeId | undefined>([self, keys.admin?.id, keys.root?.id]);
  for (const record of store.records()) {
    const isOfTheChain = ORDER[record.kind] <= ORDER.network;
    const isAboutUs = record.key === self && ORDER[record.kind] <= ORDER.certificate;
    if (record.kind === 'node' ? false : ours.has(record.author) || isOfTheChain || isAboutUs) {
      yield record;
    }
  }
  yield* others(parts);
}

/** Admins first: certificates and node records of some that are there. */
function* others({ authority, directory, store }: MembershipParts): Iterable<SignedRecord> {
  const admins = new Set(authority.adminsOf());
  const peers = [...directory.all()].filter(({ peer }) => peer !== undefined);
  const chosen = [
    ...peers.filter(({ id }) => admins.has(id)),
    ...peers.filter(({ id }) => !admins.has(id)),
  ].slice(0, OTHERS);
  for (const { id } of chosen) {
    const signer = authority.signerOf(id);
    const certificate = signer && store.get(placeOf('certificate', signer, id));
    const node = store.get(placeOf('node', id, NO_KEY));
    if (certificate) yield certificate;
    if (node) yield node;
  }
}

function inOrder(records: Iterable<SignedRecord>): SignedRecord[] {
  return [...records].sort((a, b) => ORDER[a.kind] - ORDER[b.kind]);
}
