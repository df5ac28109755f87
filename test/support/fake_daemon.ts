/** A daemon that is only a lock and a control socket, in the process of the test. */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handleRequest } from '../../src/api/handlers.js';
import type { MeshDocument } from '../../src/api/mesh_status.js';
import type { StatusDocument } from '../../src/api/status.js';
import type { ReloadAnswer } from '../../src/cli/client.js';
import { type Folders, lockPath, socketPath } from '../../src/daemon/folders.js';
import { LockFile } from '../../src/daemon/lock_file.js';
import { METRICS_TYPE, metricsText } from '../../src/io/metrics_text.js';
import { ControlSocket } from '../../src/io/control_socket.js';
import type { MeshAnswer } from '../../src/mesh/command.js';

export interface FakeDaemon {
  readonly folder: string;
  /** True once a stop was asked for, and so all is closed. */
  readonly isStopped: () => boolean;
  /** Commands to the mesh, as they came. */
  readonly commands: unknown[];
  close(): Promise<void>;
}

/** What it says of its mesh, and answers to every command. */
export interface FakeMesh {
  readonly document: MeshDocument;
  readonly answer: MeshAnswer;
}

export async function fakeDaemon(
  document: StatusDocument,
  reload?: ReloadAnswer,
  mesh?: FakeMesh,
): Promise<FakeDaemon> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const folders: Folders = { run: folder, state: folder, wireguard: folder };
  const lock = new LockFile(lockPath(folders));
  let isStopped = false;
  const commands: unknown[] = [];
  const socket = await ControlSocket.open(socketPath(folders), (request) => {
    const answer = handleRequest(request, { status: () => document, mesh: () => mesh?.document });
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
    if (answer.command === 'mesh' && mesh) {
      commands.push(JSON.parse(new TextDecoder().decode(request.body)));
      return { status: mesh.answer.ok ? 200 : 422, body: mesh.answer };
    }
    if (answer.command !== 'reload') return answer;
    return { status: reload?.kind === 'applied' ? 200 : 422, body: reload };
  });
  return {
    folder,
    commands,
    isStopped: () => isStopped,
    close: async () => {
      await socket.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}
