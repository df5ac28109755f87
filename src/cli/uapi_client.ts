/** The command's end of WireGuard's configuration socket. */

import { connect } from 'node:net';
import { CommandError, EXIT } from './exit.js';

const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER = 256 * 1024 * 1024;
const END = /(?:^|\n)errno=(-?\d+)\n\n$/;

/** The answer to `get=1` with its errno. Holds secrets. Throws CommandError. */
export function fetchUapi(path: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let length = 0;
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(noAnswer(path)));
    socket.on('error', (error) => fail(describe(path, error)));
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= LONGEST_ANSWER) chunks.push(chunk);
      else socket.destroy(noAnswer(path));
    });
    socket.on('end', () => {
      const answer = Buffer.concat(chunks).toString('latin1');
      if (END.exec(answer.slice(-64))?.[1] === '0') done(answer);
      else fail(noAnswer(path));
    });
    socket.end('get=1\n\n');
  });
}

function noAnswer(path: string): CommandError {
  return new CommandError(
    EXIT.tryLater,
    `The socket "${path}" gave no whole answer; try again, the daemon may be busy or stopping`,
  );
}

function describe(path: string, error: Error): CommandError {
  if (error instanceof CommandError) return error;
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new CommandError(
        EXIT.notPermitted,
        `Cannot open "${path}": permission denied; what it tells is secret, so run this as root`,
      );
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new CommandError(
        EXIT.failed,
        `The daemon has no WireGuard socket at "${path}"; its log says why it could not open it`,
      );
    default:
      return new CommandError(EXIT.failed, `Cannot talk to "${path}": ${code}`);
  }
}
