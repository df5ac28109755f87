/** `heddle reload`: has the daemon take over its changed file, and prints what it did. */

import type { Folders } from '../../daemon/folders.js';
import { requestReload } from '../client.js';
import { CommandError, EXIT, type ExitCode } from '../exit.js';
import { harmless } from '../table.js';

export async function reload(folders: Folders, json: boolean): Promise<ExitCode> {
  const answer = await requestReload(folders);
  if (json) {
    process.stdout.write(`${JSON.stringify({ schemaVersion: 1, ...answer }, null, 2)}\n`);
    return answer.kind === 'applied' ? EXIT.ok : EXIT.failed;
  }
  if (answer.kind === 'refused') {
    const stays = 'the configuration before it runs on';
    throw new CommandError(EXIT.failed, `The reload was refused, ${stays}: ${answer.why}`);
  }
  const lines = [
    ...answer.applied.map((line) => `applied        ${harmless(line)}`),
    ...answer.needsRestart.map((line) => `needs restart  ${harmless(line)}`),
  ];
  process.stdout.write(lines.length === 0 ? 'nothing changed\n' : `${lines.join('\n')}\n`);
  return EXIT.ok;
}
