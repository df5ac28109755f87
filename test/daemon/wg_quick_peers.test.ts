import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseWgQuick } from '../../src/daemon/wg_quick.js';
import { importPeers } from '../../src/daemon/wg_quick_peers.js';
import type { Remarks } from '../../src/daemon/wg_quick_section.js';

const test = suite('daemon/wg_quick_peers');

const PEER = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const ZEROS = `${'A'.repeat(43)}=`;

test('peers: only what is said of them, in the words of the configuration file', () => {
  const { sections } = parseWgQuick(
    `[Peer]
publickey = ${PEER}
PRESHAREDKEY = ${ZEROS}
persistentkeepalive = off
AllowedIPs = +10.0.0.0/8, 10.3.2.1/8
`,
  );
  const remarks: Remarks = { faults: [], notes: [] };
  assert.equal(importPeers(sections, '', remarks), [
    { publicKey: PEER, allowedIps: ['10.0.0.0/8'] },
  ]);
  assert.equal(remarks, { faults: [], notes: [] });
});

test.run();
