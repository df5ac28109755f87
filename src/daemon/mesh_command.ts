/** A command to the mesh as it comes over the control socket: JSON, judged field by field. */

import { z } from 'zod';
import { seconds } from '../base/time.js';
import type { MeshCommand } from '../mesh/command.js';
import { isHostName, JOIN_USES } from '../wire/join.js';

const MINUTE = 60;
const YEAR = 365 * 86_400;
const LABEL = z.string().refine(isHostName, '1 to 63 of a-z, 0-9 and hyphens, none at an end');
const TEXT = z.string().min(1).max(256);

const COMMAND = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('invite'),
    ttlSeconds: z.int().min(MINUTE).max(YEAR),
    uses: z.int().min(1).max(JOIN_USES),
    name: LABEL.optional(),
    groups: z.array(LABEL).max(16),
    isAdmin: z.boolean(),
    prefixes: z.array(TEXT).max(16),
  }),
  z.strictObject({ kind: z.literal('revokeInvitation'), invitation: TEXT }),
  z.strictObject({ kind: z.literal('revoke'), member: TEXT }),
  z.strictObject({ kind: z.literal('leave') }),
  z.strictObject({ kind: z.literal('rotate'), what: z.enum(['key', 'admin', 'root']) }),
  z.strictObject({ kind: z.literal('exportRoot') }),
]);

/** As a client sends it. */
export type MeshCommandBody = z.input<typeof COMMAND>;

export type ParsedMeshCommand =
  | { readonly kind: 'command'; readonly command: MeshCommand }
  | { readonly kind: 'fault'; readonly message: string };

export function parseMeshCommand(body: Uint8Array): ParsedMeshCommand {
  const value = jsonOf(body);
  const parsed = COMMAND.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    const message =
      where === '' ? 'The body is no command of the mesh' : `${where}: ${issue?.message}`;
    return { kind: 'fault', message };
  }
  const { data } = parsed;
  if (data.kind !== 'invite') return { kind: 'command', command: data };
  const { ttlSeconds, name, ...rest } = data;
  return { kind: 'command', command: { ...rest, name, ttl: seconds(ttlSeconds) } };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
