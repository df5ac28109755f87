/** `heddle show`: everything that is known, in blocks. */

import { fetchStatus } from '../client.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Folders } from '../../daemon/folders.js';
import { formatShow } from '../show_text.js';
import { chooseStyle } from '../style.js';

export async function show(folders: Folders, json: boolean): Promise<ExitCode> {
  const document = await fetchStatus(folders);
  const style = chooseStyle(process.stdout.isTTY === true, process.env);
  process.stdout.write(
    json ? `${JSON.stringify(document, null, 2)}\n` : formatShow(document, style),
  );
  return EXIT.ok;
}
