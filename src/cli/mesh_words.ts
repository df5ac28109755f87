/** The words of the `heddle` command that are about the mesh. */

import type { Command } from 'commander';
import { readFolders } from '../daemon/folders.js';
import type { InviteOptions } from './commands/mesh.js';

interface JsonOption {
  readonly json?: true;
}

type End = (code: number) => void;
type What = 'key' | 'admin' | 'root';

const ROTATE = 'change a key with no lost packet: key (of this host), admin, or root';

/** An option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function addMesh(program: Command, end: End): void {
  addScreens(program, end);
  addInvite(program, end);
  const folders = readFolders(process.env);
  program
    .command('revoke')
    .description('cut a member off, for good')
    .argument('<member>', 'its name, id or public key')
    .action(async (member: string) => {
      const { change } = await import('./commands/mesh.js');
      end(await change(folders, { kind: 'revoke', member }));
    });
  program
    .command('leave')
    .description('leave the network and forget it; the daemon stops')
    .action(async () => {
      const { change } = await import('./commands/mesh.js');
      end(await change(folders, { kind: 'leave' }));
    });
  program
    .command('rotate')
    .description(ROTATE)
    .argument('<what>', 'key, admin or root')
    .action(async (text: string) => {
      const { change } = await import('./commands/mesh.js');
      end(await change(folders, { kind: 'rotate', what: whatOf(text, program) }));
    });
  program
    .command('root')
    .description("the network's root key")
    .command('export')
    .description('print it, to be kept in a safe place')
    .option('--to <file>', 'write it there, mode 0600')
    .action(async (options: { to?: string }) => {
      const { exportRoot } = await import('./commands/mesh.js');
      end(await exportRoot(folders, options.to));
    });
}

function addScreens(program: Command, end: End): void {
  const folders = readFolders(process.env);
  const screens = [
    ['members', 'who is in the mesh, who is admin, and what is wrong'],
    ['addresses', 'who has which address, subnet and prefixes'],
  ] as const;
  for (const [name, description] of screens) {
    program
      .command(name)
      .description(description)
      .option('--json', 'print the mesh document')
      .action(async (options: JsonOption) => {
        const { showMesh } = await import('./commands/mesh.js');
        end(await showMesh(folders, name, options.json === true));
      });
  }
}

function addInvite(program: Command, end: End): void {
  const folders = readFolders(process.env);
  program
    .command('invite')
    .description('print a join line for another host; a secret')
    .option('--ttl <time>', 'how long it is good, as 15m, 24h or 7d (default: 24h)')
    .option('--uses <number>', 'how many hosts may join by it, 1 to 16 (default: 1)')
    .option('--name <name>', 'what the host is called (default: as it calls itself)')
    .option('--groups <list>', 'groups that it is in, with commas between')
    .option('--announce <prefix>', 'a prefix that it may announce; may be repeated', collect)
    .option('--admin', 'it may invite, certify and revoke')
    .option('--json', 'print the line as JSON')
    .action(async (options: InviteOptions) => {
      const { invite } = await import('./commands/mesh.js');
      end(await invite(folders, options));
    });
  const invitations = program
    .command('invitations')
    .description('join lines that were made, and what became of them')
    .option('--json', 'print the mesh document')
    .action(async (options: JsonOption) => {
      const { showMesh } = await import('./commands/mesh.js');
      end(await showMesh(folders, 'invitations', options.json === true));
    });
  invitations
    .command('revoke')
    .description('nobody joins by it any more')
    .argument('<invitation>', 'its id, or the beginning of it')
    .action(async (invitation: string) => {
      const { change } = await import('./commands/mesh.js');
      end(await change(folders, { kind: 'revokeInvitation', invitation }));
    });
}

function whatOf(text: string, program: Command): What {
  if (text === 'key' || text === 'admin' || text === 'root') return text;
  return program.error('error: rotate takes key, admin or root');
}
