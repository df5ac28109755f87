/**
 * What a member must not forget, as the file `own` holds it. No secret is in it. A flag that says
 * whether there is a network, its id and root key; the ceiling; the stamp; then, each behind a
 * count of 16 bits, records (behind a length of 16 bits) and redemptions.
 */

import { Reader, Writer } from '../base/cursor.js';
import { type NodeId, nodeId } from '../base/identifiers.js';

const COUNT_LIMIT = 65_535;

export interface OwnState {
  /** The network we are a member of; undefined: of none yet. */
  readonly network: { readonly id: NodeId; readonly rootKey: Uint8Array } | undefined;
  /** No incarnation of ours was ever above this. */
  readonly ceiling: number;
  /** No other stamp of ours was ever above this. */
  readonly stamp: number;
  /**
   * Records that are in force: what we said and signed, what the root key signed, our certificate,
   * and who some of the others are, to be found again where the members file is lost.
   */
  readonly records: readonly Uint8Array[];
  /** Which uses of which invitation of ours were redeemed, and by whom. */
  readonly redeemed: readonly {
    readonly invitation: string;
    readonly use: number;
    readonly member: NodeId;
  }[];
}

/** Copies; undefined when it is malformed. */
export function parseOwnState(content: Uint8Array): OwnState | undefined {
  const reader = new Reader(content);
  const hasNetwork = reader.u8();
  const network =
    hasNetwork === 1 ? { id: reader.nodeId(), rootKey: reader.bytes(32).slice() } : undefined;
  const ceiling = reader.u64();
  const stamp = reader.u64();
  const records = readMany(reader, () => reader.bytes(reader.u16()).slice());
  const redeemed = readMany(reader, () => ({
    invitation: String(reader.nodeId()),
    use: reader.u8(),
    member: reader.nodeId(),
  }));
  if (!reader.isWhole || hasNetwork > 1) return undefined;
  return { network, ceiling, stamp, records, redeemed };
}

export function emitOwnState(state: OwnState): Uint8Array {
  const { network, ceiling, stamp, records, redeemed } = state;
  const writer = new Writer().u8(network ? 1 : 0);
  if (network) writer.nodeId(network.id).bytes(network.rootKey);
  writer.u64(ceiling).u64(stamp).u16(records.length);
  for (const record of records) writer.u16(record.length).bytes(record);
  writer.u16(redeemed.length);
  for (const { invitation, use, member } of redeemed) {
    writer.nodeId(nodeId(invitation)).u8(use).nodeId(member);
  }
  return writer.finish();
}

function readMany<T>(reader: Reader, readOne: () => T): T[] {
  const count = reader.u16();
  if (count > COUNT_LIMIT) reader.fail();
  const items: T[] = [];
  for (let i = 0; i < count && reader.isSound; i++) items.push(readOne());
  return items;
}
