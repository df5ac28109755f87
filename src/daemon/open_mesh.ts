/** The mesh of a tunnel that is being opened: its core, and what carries out its wishes. */

import { wipe } from '../base/bytes.js';
import type { Log } from '../base/log.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { SystemRandom } from '../io/entropy.js';
import type { Hand } from '../io/hand.js';
import type { NodeLoop } from '../io/loop.js';
import type { Netlink } from '../io/netlink.js';
import { SodiumSignatures } from '../io/sodium_signatures.js';
import { Mesh } from '../mesh/mesh.js';
import { MeshHost } from './mesh_host.js';
import { type MeshHostState, meshSetup } from './mesh_setup.js';
import type { MeshStart, Tunnel, TunnelContext } from './tunnel.js';

export function createMesh(crypto: CryptoSuite, log: Log): Mesh {
  return new Mesh({ suite: new SodiumSignatures(), crypto, random: new SystemRandom(), log });
}

export function createMeshHost(
  { log, fail }: TunnelContext,
  { files, onForgotten }: MeshStart,
  loop: NodeLoop,
  tunnel: () => Tunnel,
): MeshHost {
  return new MeshHost({
    files,
    log,
    fail,
    onForgotten,
    feed: (input) => loop.handle({ kind: 'mesh', input }),
    route: async (mesh) => {
      await tunnel().reconfigure((running) => ({ ...running, mesh }), 'host');
    },
  });
}

/** The keys that were read are the mesh's own from here on. */
export function startMesh(
  { options, kept }: MeshStart,
  loop: NodeLoop,
  state: MeshHostState,
): void {
  const setup = meshSetup(options, kept, state, new SystemRandom());
  loop.handle({ kind: 'mesh', input: { kind: 'start', setup } });
  for (const key of Object.values(setup.keys)) if (key) wipe(key);
}

/** `mark`: of the tunnel's own datagrams. */
export function stateOf(
  netlink: Netlink,
  { interfaceName, listenPort }: Hand,
  mark: number,
): MeshHostState {
  const interfaceIndex = netlink.linkByName(interfaceName)?.index ?? 0;
  return { netlink, interfaceIndex, listenPort, mark };
}
