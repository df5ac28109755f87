/**
 * A member of a mesh scene that has gone wrong: it has its keys, and says with them what it likes.
 */

import { fromHex } from '../../src/base/bytes.js';
import type { NodeId } from '../../src/base/identifiers.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { SodiumSignatures } from '../../src/io/sodium_signatures.js';
import { parseKeys } from '../../src/mesh/keys.js';
import { CONTROL_GOSSIP } from '../../src/wire/control.js';
import { emitGossip } from '../../src/wire/gossip.js';
import { emitRecord, type RecordFields, type SignedRecord } from '../../src/wire/record.js';
import type { MeshHost, MeshScene } from './mesh_scene.js';

const suite = new SodiumSignatures();

export type Draft = Omit<RecordFields, 'author'> & { readonly author?: NodeId };

/** The id of this host's identity. */
export function idOf(host: MeshHost): NodeId {
  return nodeIdOf(suite.publicKeyOf(secretsOf(host).identity));
}

/** Signed by its identity, whatever it says. */
export function signedBy(host: MeshHost, draft: Draft, network = networkOf(host)): SignedRecord {
  const fields = { author: idOf(host), ...draft };
  const { identity } = secretsOf(host);
  return emitRecord(fields, network, (message) => suite.sign(identity, message));
}

/** Signed by its admin key. */
export function signedByAdmin(host: MeshHost, draft: Draft): SignedRecord {
  const { admin } = secretsOf(host);
  if (!admin) throw new Error(`${host.name} is no admin`);
  const author = nodeIdOf(suite.publicKeyOf(admin));
  return emitRecord({ author, ...draft }, networkOf(host), (message) => suite.sign(admin, message));
}

/** `from` tells `to` these records, in a session of theirs. */
export function tell(
  scene: MeshScene,
  from: MeshHost,
  to: MeshHost,
  ...records: readonly { readonly bytes: Uint8Array }[]
): void {
  for (const { bytes } of records) {
    const body = emitGossip({ kind: 'spread', records: [bytes] });
    sendRaw(scene, from, to, { kind: CONTROL_GOSSIP, body });
  }
}

/** Any control message, in the session of `from` with `to`. */
export function sendRaw(
  scene: MeshScene,
  from: MeshHost,
  to: MeshHost,
  message: { readonly kind: number; readonly body: Uint8Array },
): void {
  const publicKey = fromHex(from.ownKeys[0] ?? '');
  if (!publicKey) throw new Error(`${from.name} has no key`);
  scene.feed(to, { kind: 'control', publicKey, message });
}

/** How often this host dropped something for this reason. */
export function dropsOf(host: MeshHost, reason: string): number {
  return host.mesh?.snapshot().drops[reason] ?? Number.NaN;
}

function secretsOf(host: MeshHost): NonNullable<ReturnType<typeof parseKeys>> {
  const keys = parseKeys(host.files.get('keys') ?? new Uint8Array(0));
  if (!keys) throw new Error(`${host.name} keeps no keys`);
  return keys;
}

function networkOf(host: MeshHost): NodeId {
  const id = host.mesh?.snapshot().network?.id;
  if (id === undefined) throw new Error(`${host.name} is in no network`);
  return id;
}
