/** What the command line says of the mesh that a start is to make or to join. */

import type { Prefix } from '../base/address.js';
import type { JoinLine } from '../identity/join_line.js';
import type { MeshSettings } from '../node/config.js';

/** Lengths that a subnet of a member's own may have. */
export const LEAST_SUBNET = 18;
export const GREATEST_SUBNET = 30;

export interface MeshOptions {
  /** Undefined: continue, or found a network where there is none. */
  readonly line: JoinLine | undefined;
  /** What this host is to be called; undefined: by its host name. */
  readonly name: string | undefined;
  /** Of a network that is founded. */
  readonly networkName: string | undefined;
  readonly announce: readonly Prefix[];
  /** Of a subnet of this host's own; undefined: none. */
  readonly subnetLength: number | undefined;
  readonly acceptsDefaultRoutes: boolean;
  /** The identity that there is, is set aside, and another made. */
  readonly isNewIdentity: boolean;
}

/** Where the command line says nothing. */
export const PLAIN_MESH: MeshOptions = {
  line: undefined,
  name: undefined,
  networkName: undefined,
  announce: [],
  subnetLength: undefined,
  acceptsDefaultRoutes: false,
  isNewIdentity: false,
};

/** What the file says, where the command line says nothing of it; `words` undefined: nothing. */
export function withSettings(
  words: MeshOptions | undefined,
  { name, announce, subnetLength, acceptsDefaultRoutes }: MeshSettings,
): MeshOptions {
  const said = words ?? PLAIN_MESH;
  return {
    ...said,
    name: said.name ?? name,
    announce: said.announce.length > 0 ? said.announce : announce,
    subnetLength: said.subnetLength ?? subnetLength,
    acceptsDefaultRoutes: said.acceptsDefaultRoutes || acceptsDefaultRoutes,
  };
}

/** The mesh cannot be started so; the message says why and what to do. */
export class MeshError extends Error {
  override readonly name = 'MeshError';
}
