/** One copy of each record for all hosts of a simulation: they are told apart by their ends. */

import { pack } from '../../src/base/bytes.js';
import { parseRecord, type SignedRecord } from '../../src/wire/record.js';

const PARSED = 200_000;
/** Of a signature, these bytes. */
const TAIL = 24;

/** `saw` is told of each the first time. */
export function sharedParser(
  saw: (record: SignedRecord) => void,
): (bytes: Uint8Array) => SignedRecord | undefined {
  const known = new Map<string, SignedRecord>();
  return (bytes) => {
    const key = pack(bytes.subarray(-TAIL));
    const held = known.get(key);
    if (held) return held;
    const record = parseRecord(bytes);
    if (!record) return undefined;
    if (known.size > PARSED) known.clear();
    known.set(key, record);
    saw(record);
    return record;
  };
}
