/** Why a record is refused before it is merged: a closed list. */

export const RECORD_REFUSALS = [
  'forged', // the signature is not its author's
  'not_entitled', // the author may not say this
  'expired', // the author's certificate or delegation, or what the record grants
  'premature', // it grants what is not valid yet, or its version is far in the future
  'revoked', // the author, or whom it is about
  'malformed_identity', // a body that is none of its kind
] as const;

export type RecordRefusal = (typeof RECORD_REFUSALS)[number];
