/**
 * The secrets of a member, as the file `keys` holds them. Never logged. Each is a flag (0 or 1)
 * and, where it is 1, 32 bytes: identity, static key, the one to come, admin, root; and at the end,
 * without a flag of 0, the root key before.
 */

import { copySecret } from '../base/bytes.js';
import { Reader, Writer } from '../base/cursor.js';

const SECRET_BYTES = 32;

export interface Keys {
  /** Ed25519 seed, 32 bytes: the identity. */
  readonly identity: Uint8Array;
  /** X25519 private key, 32 bytes, clamped: WireGuard's static key. */
  readonly staticKey: Uint8Array;
  /** Its successor, while `rotate key` is under way. */
  readonly nextStaticKey: Uint8Array | undefined;
  /** Ed25519 seeds. */
  readonly admin: Uint8Array | undefined;
  readonly root: Uint8Array | undefined;
  /** The root key before, until it is sure that the network follows `root`. */
  readonly formerRoot?: Uint8Array | undefined;
}

/** Copies; undefined when it is malformed. */
export function parseKeys(content: Uint8Array): Keys | undefined {
  const reader = new Reader(content);
  const [identity, staticKey, nextStaticKey, admin, root] = Array.from({ length: 5 }, () =>
    readSecret(reader),
  );
  const former = reader.left > 0 ? { formerRoot: readSecret(reader) } : {};
  if (!identity || !staticKey || !reader.isWhole) return undefined;
  if ('formerRoot' in former && !former.formerRoot) return undefined;
  return { identity, staticKey, nextStaticKey, admin, root, ...former };
}

/** Holds secrets: the caller's to wipe. */
export function emitKeys(keys: Keys): Uint8Array {
  const { identity, staticKey, nextStaticKey, admin, root, formerRoot } = keys;
  const writer = new Writer();
  for (const secret of [identity, staticKey, nextStaticKey, admin, root]) {
    writer.u8(secret ? 1 : 0);
    if (secret) writer.bytes(secret);
  }
  if (formerRoot) writer.u8(1).bytes(formerRoot);
  return writer.finish();
}

function readSecret(reader: Reader): Uint8Array | undefined {
  const flag = reader.u8();
  if (flag > 1) reader.fail();
  if (flag !== 1) return undefined;
  const secret = reader.bytes(SECRET_BYTES);
  return reader.isSound ? copySecret(secret) : undefined;
}
