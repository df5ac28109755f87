/** What crosses a link, as tcpdump sees it, and whether given bytes are among it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, LabHost } from '../support/netns.js';
import { waitUntil } from '../support/netns.js';

export class Capture {
  readonly #file: string;
  readonly #end: () => Promise<void>;

  private constructor(file: string, end: () => Promise<void>) {
    this.#file = file;
    this.#end = end;
  }

  /** Resolves when tcpdump listens on the interface. */
  static async start(lab: Lab, host: LabHost, name: string): Promise<Capture> {
    const file = join(lab.folder, `${host.name}-${name}.pcap`);
    const child = host.start([
      'tcpdump',
      '--immediate-mode',
      '-i',
      name,
      '-s',
      '0',
      '-U',
      '-Z',
      'root',
      '-w',
      file,
    ]);
    let said = '';
    child.stderr?.on('data', (text) => {
      said += text;
    });
    await waitUntil(`tcpdump listens on ${name}`, 5_000, () => said.includes('listening on'));
    return new Capture(file, async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGINT');
      await ended;
    });
  }

  /** Ends the capture; its bytes. */
  async stop(): Promise<Buffer> {
    await this.#end();
    return readFileSync(this.#file);
  }
}
