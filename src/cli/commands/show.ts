/** `heddle show`: everything that is known, in blocks; or, secrets too, as a file for wg(8). */

import { type Folders, uapiPath } from '../../daemon/folders.js';
import { fetchStatus } from '../client.js';
import { EXIT, type ExitCode } from '../exit.js';
import { formatShow } from '../show_text.js';
import { chooseStyle } from '../style.js';

export interface ShowOptions {
  /** The status document. */
  readonly json?: true;
  /** A file that `wg setconf` takes. */
  readonly wg?: true;
}

export async function show(folders: Folders, options: ShowOptions): Promise<ExitCode> {
  const document = await fetchStatus(folders);
  if (options.wg) {
    const { fetchUapi } = await import('../uapi_client.js');
    const { formatWgFile } = await import('../wg_text.js');
    const answer = await fetchUapi(uapiPath(folders, document.interface));
    process.stdout.write(formatWgFile(answer, document));
    return EXIT.ok;
  }
  const style = chooseStyle(process.stdout.isTTY === true, process.env);
  process.stdout.write(
    options.json ? `${JSON.stringify(document, null, 2)}\n` : formatShow(document, style),
  );
  return EXIT.ok;
}
