/** The commands of the mesh: who is in it, who may come, who must go, which keys change. */

import { wallTime } from '../../base/time.js';
import type { Folders } from '../../daemon/folders.js';
import type { MeshCommandBody } from '../../daemon/mesh_command.js';
import { createPrivateFile, FileError, quote } from '../../io/files.js';
import { commandMesh, fetchMesh } from '../client.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { formatAddresses, formatInvitations, formatMembers } from '../mesh_text.js';
import { printJoinLine } from '../report.js';
import { chooseStyle } from '../style.js';
import { harmless } from '../table.js';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const DAY = 86_400;

export interface InviteOptions {
  readonly ttl?: string;
  readonly uses?: string;
  readonly name?: string;
  readonly groups?: string;
  readonly admin?: true;
  readonly announce?: readonly string[];
  readonly json?: true;
}

/** `what`: which screen of the mesh document; with `json` the document itself. */
export async function showMesh(
  folders: Folders,
  what: 'members' | 'addresses' | 'invitations',
  json: boolean,
): Promise<ExitCode> {
  const mesh = await fetchMesh(folders);
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const style = chooseStyle(process.stdout.isTTY === true, process.env);
  if (json) process.stdout.write(`${JSON.stringify(mesh, null, 2)}\n`);
  else if (what === 'members') process.stdout.write(formatMembers(mesh, style, width));
  else if (what === 'addresses') process.stdout.write(formatAddresses(mesh, width));
  else process.stdout.write(formatInvitations(mesh, width));
  return EXIT.ok;
}

export async function invite(folders: Folders, options: InviteOptions): Promise<ExitCode> {
  const result = await commandMesh(folders, {
    kind: 'invite',
    ttlSeconds: options.ttl === undefined ? DAY : spanOf(options.ttl),
    uses: options.uses === undefined ? 1 : usesOf(options.uses),
    ...(options.name === undefined ? {} : { name: options.name }),
    groups:
      options.groups === undefined ? [] : options.groups.split(',').map((each) => each.trim()),
    isAdmin: options.admin === true,
    prefixes: [...(options.announce ?? [])],
  });
  if (result.kind !== 'invited')
    throw new CommandError(EXIT.failed, 'The answer is of another kind');
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else printJoinLine(result.line, wallTime(result.expires * 1e6));
  return EXIT.ok;
}

/** A command whose answer is a sentence. */
export async function change(folders: Folders, body: MeshCommandBody): Promise<ExitCode> {
  const result = await commandMesh(folders, body);
  if (result.kind === 'done') process.stdout.write(`${harmless(result.text)}\n`);
  return EXIT.ok;
}

/** The root key's seed: to a file of mode 0600, or to standard output. */
export async function exportRoot(folders: Folders, file: string | undefined): Promise<ExitCode> {
  const result = await commandMesh(folders, { kind: 'exportRoot' });
  if (result.kind !== 'root') throw new CommandError(EXIT.failed, 'The answer is of another kind');
  const text = `${result.seed}\n`;
  if (file === undefined) process.stdout.write(text);
  else keepSecret(file, text);
  return EXIT.ok;
}

function keepSecret(file: string, text: string): void {
  try {
    if (createPrivateFile(file, new TextEncoder().encode(text))) return;
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(EXIT.failed, error.message);
    throw error;
  }
  throw new CommandError(EXIT.failed, `${quote(file)} is there already; name another file`);
}

/** `90s`, `15m`, `24h`, `7d`. */
function spanOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (count !== undefined && factor !== undefined) return Number(count) * factor;
  throw new CommandError(EXIT.usage, '--ttl takes a time as 90s, 15m, 24h or 7d');
}

function usesOf(text: string): number {
  const uses = Number(text);
  if (Number.isInteger(uses) && uses >= 1 && uses <= 16) return uses;
  throw new CommandError(EXIT.usage, '--uses takes a number, 1 to 16; make several lines for more');
}
