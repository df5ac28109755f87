/** A daemon that is only a lock and a control socket, in the process of the test. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handleRequest } from '../../src/api/handlers.js';
import type { StatusDocument } from '../../src/api/status.js';
import type { ReloadAnswer } from '../../src/cli/client.js';
import { type Folders, lockPath, socketPath } from '../../src/daemon/folders.js';
import { LockFile } from '../../src/daemon/lock_file.js';
import { METRICS_TYPE, metricsText } from '../../src/io/metrics_text.js';
import { ControlSocket } from '../../src/io/control_socket.js';

export interface FakeDaemon {
  readonly folder: string;
  /** True once a stop was asked for, and so all is closed. */
  readonly isStopped: () => boolean;
  close(): Promise<void>;
}

export async function fakeDaemon(
  document: StatusDocument,
  reload?: ReloadAnswer,
): Promise<FakeDaemon> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const folders: Folders = { run: folder, state: folder, wireguard: folder };
  const lock = new LockFile(lockPath(folders));
  let isStopped = false;
  const socket = await ControlSocket.open(socketPath(folders), (request) => {
    const answer = handleRequest(request, () => document);
    if (answer.command === 'stop') {
      isStopped = true;
      setImmediate(() => lock.release());
    }
    if (answer.metrics) {
      return metricsText(answer.metrics).then((text) => ({
        status: 200,
        text,
        type: METRICS_TYPE,
      }));
    }
    if (answer.command !== 'reload') return answer;
    return { status: reload?.kind === 'applied' ? 200 : 422, body: reload };
  });
  return {
    folder,
    isStopped: () => isStopped,
    close: async () => {
      await socket.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}
