/**
 * How a start comes into its mesh: what the state folder says of it, and, once the tunnel stands,
 * the first join line of a network that was founded, or the wait until the host is a member.
 */

import { seconds, wallTime } from '../base/time.js';
import type { Log } from '../base/log.js';
import type { ControlResponse } from '../io/control_socket.js';
import type { MeshCommand } from '../mesh/command.js';
import type { MeshSnapshot } from '../mesh/snapshot.js';
import type { Folders } from './folders.js';
import { parseMeshCommand } from './mesh_command.js';
import { type KeptMesh, MeshFiles } from './mesh_files.js';
import { MeshError, type MeshOptions } from './mesh_options.js';
import type { MeshControl, MeshStart, Tunnel } from './tunnel.js';

/** Of the join line that a first start prints. */
const FIRST_LINE: MeshCommand = {
  kind: 'invite',
  ttl: seconds(86_400),
  uses: 1,
  name: undefined,
  groups: [],
  isAdmin: false,
  prefixes: [],
};
/** How long a start waits to become a member before it goes on without. */
const JOIN_WAIT_MS = 20_000;
const POLL_MS = 20;

/** What of a start's options this needs. */
export interface MeshEntryParts {
  readonly folders: Folders;
  readonly log: Log;
  readonly step: (name: string, detail: string) => void;
  readonly advise: (text: string) => void;
  readonly showLine: (line: string, expires: ReturnType<typeof wallTime>) => void;
}

/** Reads what there is. Throws MeshError, and FileError. */
export function findMesh(
  options: MeshOptions,
  { folders, log, step }: MeshEntryParts,
  stop: (error: unknown) => void,
): MeshStart {
  const files = new MeshFiles(folders.state);
  if (options.isNewIdentity) {
    files.setAside();
    step('identity', `a new one; what was there is kept as "${folders.state}/*.left"`);
  }
  let kept = files.read();
  for (const remark of kept.remarks) log.warn('a file of the mesh was damaged', { remark });
  if (isUnfinishedFounding(kept)) {
    files.setAside();
    log.warn('a network that was not finished is set aside', { folder: folders.state });
    kept = files.read();
  }
  const { own } = kept;
  if (!options.line && !own?.network) refuseToFound(kept, folders.state);
  if (options.line && own?.network && own.network.id !== options.line.network) {
    throw new MeshError(
      `This host is in the network ${own.network.id} already, and the join line is of another: ` +
        'run `heddle leave` first, or give its identity up with `heddle up --new-identity --join`',
    );
  }
  const onForgotten = (why: string): void => {
    log.info('the mesh is left', { why });
    stop(undefined);
  };
  return { options, files, kept, onForgotten };
}

/** A start that ended between its files: nobody else knows of that network. */
function isUnfinishedFounding({ keys, own, isOwnLost }: KeptMesh): boolean {
  return keys?.root !== undefined && !own?.network && !isOwnLost;
}

/** Only a host that never was, or asked to be, in another network founds one by itself. */
function refuseToFound({ keys, isOwnLost }: KeptMesh, folder: string): void {
  const join = '`heddle up --join` with a line of an admin';
  const anew = 'gives its identity up and founds another network';
  if (isOwnLost) {
    throw new MeshError(
      `What this host knew of its network is lost ("${folder}/own"): ${join} brings it back, ` +
        `\`heddle up --new-identity\` ${anew}`,
    );
  }
  if (!keys) return;
  throw new MeshError(
    `This host began to join a network and is no member yet: ${join} goes on with it, ` +
      `\`heddle up --new-identity\` ${anew}`,
  );
}

/**
 * Once traffic can flow; waits no longer than until `ended`. Throws MeshError where the join line
 * is refused.
 */
export async function enterMesh(
  { options, kept }: MeshStart,
  tunnel: Tunnel,
  parts: MeshEntryParts,
  ended: Promise<unknown>,
): Promise<void> {
  const { step, advise } = parts;
  const picture = await settled(tunnel, ended);
  if (!picture) return;
  if (picture.phase === 'member') {
    step('mesh', describe(picture, tunnel));
    if (!kept.own?.network && !options.line) await showFirstLine(tunnel.mesh, parts);
    return;
  }
  const waiting = picture.waiting ?? 'nothing that it says';
  if (picture.phase === 'left') return step('mesh', `no member: ${waiting}`);
  if (picture.isRefused) throw new MeshError(`This host did not join: it waits for ${waiting}`);
  step('mesh', `not a member yet; waits for ${waiting}`);
  advise('It keeps trying; `heddle members` says what it waits for.\n');
}

/** A command as it came over the control socket, and its answer. */
export async function commandMesh(
  mesh: MeshControl | undefined,
  body: Uint8Array,
): Promise<ControlResponse> {
  const parsed = parseMeshCommand(body);
  if (parsed.kind === 'fault' || !mesh) {
    const error = parsed.kind === 'fault' ? parsed.message : 'This daemon runs without a mesh';
    return { status: 400, body: { ok: false, error } };
  }
  const answer = await mesh.command(parsed.command);
  return { status: answer.ok ? 200 : 422, body: answer };
}

/** A member with an address, refused, or as it is when the wait is over; undefined at the end. */
async function settled(tunnel: Tunnel, ended: Promise<unknown>): Promise<MeshSnapshot | undefined> {
  const end = performance.now() + JOIN_WAIT_MS;
  let isEnding = false;
  void ended.then(() => {
    isEnding = true;
  });
  for (;;) {
    if (isEnding) return undefined;
    const { mesh } = tunnel.snapshot();
    const self = mesh?.members.find(({ isSelf }) => isSelf);
    const isIn = mesh?.phase === 'member' && (self?.addresses.length ?? 0) > 1;
    if (!mesh || isIn || mesh.isRefused || mesh.phase === 'left') return mesh;
    if (performance.now() >= end) return mesh;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

async function showFirstLine(
  mesh: MeshControl | undefined,
  { showLine, advise }: MeshEntryParts,
): Promise<void> {
  const answer = await mesh?.command(FIRST_LINE);
  if (answer && !answer.ok) {
    advise(`There is no join line yet: ${answer.error}. Later \`heddle invite\` prints one.\n`);
  }
  if (!answer?.ok || answer.result.kind !== 'invited') return;
  const { line, expires } = answer.result;
  showLine(line, wallTime(expires * 1e6));
}

function describe({ network, members }: MeshSnapshot, tunnel: Tunnel): string {
  const self = members.find(({ isSelf }) => isSelf);
  const addresses = self?.addresses.join(', ') ?? '';
  const others = members.length - 1;
  const known = others === 1 ? '1 other member' : `${others} other members`;
  const here = `${self?.name} at ${addresses} on ${tunnel.interfaceName}`;
  return `network "${network?.name}", ${here}, ${known}`;
}
