/** `heddle status`: one screen, or the document as it is. */

import { fetchStatus } from '../client.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Folders } from '../../daemon/folders.js';
import { formatStatus } from '../status_text.js';
import { chooseStyle } from '../style.js';

/** Columns below which a terminal does not know its own width. */
const NARROWEST = 20;

export interface StatusOptions {
  readonly json?: true;
  readonly verbose?: true;
}

export async function status(folders: Folders, options: StatusOptions): Promise<ExitCode> {
  const document = await fetchStatus(folders);
  const isTty = process.stdout.isTTY === true;
  const { columns } = process.stdout;
  const width = isTty && columns >= NARROWEST ? columns : undefined;
  const style = chooseStyle(isTty, process.env);
  const text = options.json
    ? `${JSON.stringify(document, null, 2)}\n`
    : formatStatus(document, style, { width, isVerbose: options.verbose === true });
  process.stdout.write(text);
  return document.health === 'ok' ? EXIT.ok : EXIT.degraded;
}
