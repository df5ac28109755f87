/** A join line of a network that nobody founded. */

import { wallTime } from '../../src/base/time.js';
import type { JoinLine } from '../../src/identity/join_line.js';
import { nodeIdOf } from '../../src/identity/node_id.js';
import { nodeId } from '../../src/base/identifiers.js';
import { endpoint } from './parsed.js';

export function sampleJoinLine(changes: Partial<JoinLine> = {}): JoinLine {
  const rootKey = new Uint8Array(32).fill(0x52);
  const at = endpoint('192.0.2.1:51820');
  return {
    network: nodeIdOf(rootKey),
    rootKey,
    admin: nodeId('ad00ad00ad00ad00'),
    introducers: [{ publicKey: new Uint8Array(32).fill(7), endpoint: at }],
    invitation: 'e1e2e3e4e5e6e7e8',
    seed: new Uint8Array(16).fill(0x5e),
    uses: 2,
    expires: wallTime(1_795_392_000_000_000),
    ...changes,
  };
}
