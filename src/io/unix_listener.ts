/** A Unix socket listened at, with its mode from the first moment. */

import type { Server } from 'node:net';
import { errnoOf, FileError } from './files.js';

/** sun_path in unix(7), with its closing zero. */
const LONGEST_PATH = 107;

/**
 * Makes `server` listen at `path`; `mask` are the permission bits that the socket does not get.
 * bind(2) happens inside the call, under the mask: there is no moment with another mode. Throws
 * FileError.
 */
export function listenAt(server: Server, path: string, mask: number): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    const text = `its path is longer than the ${LONGEST_PATH} bytes that Linux takes`;
    throw new FileError('ENAMETOOLONG', `Cannot listen at "${path}": ${text}`);
  }
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      const code = errnoOf(error);
      fail(new FileError(code, `Cannot listen at "${path}": ${code}`, error));
    });
    const before = process.umask(mask);
    try {
      server.listen(path, () => {
        server.removeAllListeners('error');
        server.on('error', () => {});
        done();
      });
    } finally {
      process.umask(before);
    }
  });
}
