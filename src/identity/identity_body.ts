/** The body of a record of identity, whichever it is: parsed, whom it is about, and its end. */

import { type WallTime, wallTime } from '../base/time.js';
import type { RecordKind, SignedRecord } from '../wire/record.js';
import { type Certificate, parseCertificate } from './certificate.js';
import { type Delegation, parseDelegation } from './delegation.js';
import { type Invitation, parseInvitation } from './invitation.js';
import { type NetworkStatement, parseNetwork } from './network.js';
import { nodeIdOf } from './node_id.js';
import { parseRevocation, type Revocation } from './revocation.js';
import { parseRootChange, type RootChange } from './root_change.js';
import { DELEGATION_HELD } from './validity.js';

export type IdentityBody =
  | { readonly kind: 'network'; readonly value: NetworkStatement }
  | { readonly kind: 'delegation'; readonly value: Delegation }
  | { readonly kind: 'certificate'; readonly value: Certificate }
  | { readonly kind: 'revocation'; readonly value: Revocation }
  | { readonly kind: 'invitation'; readonly value: Invitation }
  | { readonly kind: 'rootChange'; readonly value: RootChange };

type IdentityKind = IdentityBody['kind'];

const KINDS: readonly RecordKind[] = [
  'network',
  'delegation',
  'certificate',
  'revocation',
  'invitation',
  'rootChange',
] satisfies readonly IdentityKind[];

/** Whether records of this kind are decided by the chain of keys alone. */
export function isIdentityKind(kind: RecordKind): boolean {
  return KINDS.includes(kind);
}

/** Undefined where the record is of another kind, or its body is none of its kind. */
export function parseIdentityBody({
  kind,
  body,
}: Pick<SignedRecord, 'kind' | 'body'>): IdentityBody | undefined {
  switch (kind) {
    case 'network':
      return held(parseNetwork(body), (value) => ({ kind, value }));
    case 'delegation':
      return held(parseDelegation(body), (value) => ({ kind, value }));
    case 'certificate':
      return held(parseCertificate(body), (value) => ({ kind, value }));
    case 'revocation':
      return held(parseRevocation(body), (value) => ({ kind, value }));
    case 'invitation':
      return held(parseInvitation(body), (value) => ({ kind, value }));
    case 'rootChange':
      return held(parseRootChange(body), (value) => ({ kind, value }));
    default:
      return undefined;
  }
}

/** Whether the record's key is the id of what its body speaks of. */
export function isAbout(body: IdentityBody, key: string): boolean {
  if (body.kind === 'delegation') return nodeIdOf(body.value.adminKey) === key;
  if (body.kind === 'certificate') return body.value.member === key;
  if (body.kind === 'revocation') return body.value.subject === key;
  return true;
}

/** After which it is not to be held any more; undefined: it has no end. */
export function endOf(body: IdentityBody): WallTime | undefined {
  switch (body.kind) {
    case 'delegation':
      return wallTime(body.value.notAfter + DELEGATION_HELD);
    case 'certificate':
      return body.value.notAfter;
    case 'revocation':
      return body.value.keepUntil;
    case 'invitation':
      return body.value.expires;
    case 'network':
    case 'rootChange':
      return undefined;
  }
}

function held<T, R>(value: T | undefined, wrap: (value: T) => R): R | undefined {
  return value === undefined ? undefined : wrap(value);
}
