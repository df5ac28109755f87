import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DatapathFooting } from '../../src/api/datapath_status.js';
import { statusDocument } from '../../src/api/status.js';
import { formatStatus } from '../../src/cli/status_text.js';
import { chooseStyle, PLAIN } from '../../src/cli/style.js';
import { displayWidth } from '../../src/cli/table.js';
import type { MeshSnapshot } from '../../src/mesh/snapshot.js';
import { AUTO_OFFLOADS } from '../../src/node/offloads.js';
import { memberSnapshot, meshSnapshot } from '../support/mesh_document.js';
import {
  CLEAR_TRAFFIC,
  clearSnapshot,
  NOW,
  peerSnapshot,
  statusSource,
} from '../support/status.js';

const test = suite('cli/status_text');

const QUIET = {
  drops: {},
  traffic: () => ({ rxBytes: 12_390n, txBytes: 5_000n, rxPackets: 1n, txPackets: 1n }),
};

test('screen: says who is connected in a line each', () => {
  const source = statusSource(
    [
      peerSnapshot({ allowedIps: peerSnapshot().allowedIps.slice(0, 2) }),
      peerSnapshot({
        name: 'γάμμα',
        allowedIps: peerSnapshot().allowedIps.slice(0, 2),
        state: 'idle',
        endpoint: undefined,
        latestHandshake: undefined,
      }),
    ],
    QUIET,
  );
  const snapshot = { ...source.snapshot, handshakeDrops: {} };
  assert.is(
    formatStatus(statusDocument({ ...source, snapshot }), PLAIN),
    `heddle0  up 3 m 12 s, UDP port 51820, MTU 1420, native datapath
  public key  CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=
  addresses   10.77.0.1/24

PEER   STATE      ENDPOINT         HANDSHAKE    RECEIVED      SENT  ALLOWED IPS
beta   connected  192.0.2.7:51820  1 m 3 s ago  12.1 KiB  4.88 KiB  10.77.0.2/32, fd77::2/128
γάμμα  idle       -                never        12.1 KiB  4.88 KiB  10.77.0.2/32, fd77::2/128
`,
  );
});

test('screen: the mesh is told in a line, and what to do where nobody else is in it', () => {
  const source = statusSource([], QUIET);
  const inMesh = (mesh: MeshSnapshot): string => {
    const snapshot = { ...source.snapshot, mesh };
    return formatStatus(statusDocument({ ...source, snapshot }), PLAIN);
  };
  const members = [memberSnapshot(), memberSnapshot({ status: 'failed' })];
  assert.match(
    inMesh(meshSnapshot({ members })),
    'mesh        home, 2 members: 1 alive, 1 failed\n',
  );
  assert.match(inMesh(meshSnapshot()), '`heddle invite` prints a join line');
  const joining = inMesh(meshSnapshot({ phase: 'joining', network: undefined }));
  assert.match(joining, 'mesh        none, not a member\n');
  assert.match(joining, 'warning  this host is no member of its mesh yet');
});

test('screen: many lanes are told beside the datapath', () => {
  const text = formatStatus(statusDocument(statusSource([], { ...QUIET, lanes: 4 })), PLAIN);
  assert.match(text, 'MTU 1420, native datapath, 4 lanes\n');
});

test('screen: warnings say what to do, drops are told where there are any', () => {
  const peer = peerSnapshot({ state: 'handshaking', latestHandshake: undefined });
  const text = formatStatus(statusDocument(statusSource([peer])), PLAIN);
  assert.match(text, 'warning  beta does not answer at 192.0.2.7:51820');
  assert.match(text, '         check that it runs');
  assert.match(text, 'dropped  replay 3, mac2 2\n');
});

const FOOTING: DatapathFooting = {
  offloads: {
    tunTcp: { isOn: true, why: 'self-test passed', resting: 0, since: 0 },
    tunUdp: { isOn: false, why: 'self-test failed: TUNSETOFFLOAD', resting: 0, since: 0 },
    udpGso: { isOn: true, why: 'self-test passed', resting: 2, since: NOW - 12_500_000 },
    udpGro: { isOn: false, why: 'switched off', resting: 0, since: 0 },
    checksums: { isOn: true, why: 'not tested: no loopback', resting: 0, since: 0 },
  },
  buffers: { asked: 8 << 20, receive: 8 << 20, send: 212_992 },
  aead: [{ suite: 'aes-256-gcm', backend: 'low-level', reason: 'OpenSSL 3.0' }],
};

test('screen: verbose tells what the datapath runs on, and where it rests', () => {
  const source = statusSource([peerSnapshot()], QUIET);
  const switches = { ...AUTO_OFFLOADS, udpGro: 'off', checksums: 'on' } as const;
  const link = { transmitQueueLength: 1000, gsoMaxSegments: 45, gsoMaxBytes: 63_900 };
  const datapathSource = { switches, footing: FOOTING, link };
  const document = statusDocument({ ...source, remarks: ['a remark'], datapathSource });
  const text = formatStatus(document, PLAIN, { isVerbose: true });
  assert.match(
    text,
    `
tunTcp          on (auto) self-test passed
tunUdp          off (auto) self-test failed: TUNSETOFFLOAD
udpGso          on (auto) self-test passed; failed at 2 places 12 s ago, rests there for a minute
udpGro          off (off) switched off
checksums       on (on) not tested: no loopback
aes-256-gcm     low-level: OpenSSL 3.0
UDP buffers     8.00 MiB to receive, 208 KiB to send; asked for 8.00 MiB
transmit queue  1000 packets
super-packets   45 segments, 62.4 KiB
remark          a remark

beta  protocol wireguard, chacha20-poly1305
`,
  );
  assert.match(text, 'warning  the UDP sockets have 8388608 bytes to receive and 212992 to send');
  assert.not.match(formatStatus(document, PLAIN), 'tunTcp');
});

test('screen: no peers is said, not shown as an empty table', () => {
  assert.match(formatStatus(statusDocument(statusSource([])), PLAIN), 'No peers yet');
});

test('screen: no peer line is wider than the terminal', () => {
  const text = formatStatus(statusDocument(statusSource()), PLAIN, { width: 80 });
  const lines = text.split('\n').slice(4, 6);
  for (const line of lines) assert.ok(displayWidth(line) <= 80, line);
});

test('screen: a hundred peers are listed and the rest counted', () => {
  const peers = Array.from({ length: 150 }, (_, i) => peerSnapshot({ name: `p${i}` }));
  const text = formatStatus(statusDocument(statusSource(peers)), PLAIN);
  assert.match(text, '... and 50 more');
  assert.ok(text.split('\n').length < 115);
});

test('screen: a name cannot write to the terminal', () => {
  const peer = peerSnapshot({ name: '\u001b[2J connected  ' });
  const style = chooseStyle(true, {});
  const text = formatStatus(statusDocument(statusSource([peer])), style);
  assert.not.match(text, '\u001b[2J');
  assert.match(text, '\u001b[32mconnected\u001b[39m');
});

test('screen: what is in the clear stands out, with its end and how much has passed', () => {
  const quiet = statusSource([], { ...QUIET, traffic: () => CLEAR_TRAFFIC });
  const clearPeers = [clearSnapshot(), clearSnapshot({ name: 'gone', hasEnded: true })];
  const snapshot = { ...quiet.snapshot, clearPeers, handshakeDrops: {} };
  const status = statusDocument({ ...quiet, snapshot });
  const bytes = '12190 bytes received and 10758 sent since 2026-11-23T01:02:03.456Z';
  assert.is(
    formatStatus(status, PLAIN),
    `heddle0  up 3 m 12 s, UDP port 51820, MTU 1420, native datapath
  public key  CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=
  VTEP        02:00:5e:10:00:01
  addresses   10.77.0.1/24

PEER      STATE         ENDPOINT         HANDSHAKE  RECEIVED      SENT  ALLOWED IPS
old-rack  in the clear  192.0.2.20:4789  -          12.1 KiB  10.7 KiB  10.20.0.0/16
gone      ended         192.0.2.20:4789  -          12.1 KiB  10.7 KiB  10.20.0.0/16

warning  old-rack (vxlan) is in the clear: ${bytes}, until 2027-01-15T08:00:00.000Z
         anybody on the way can read and forge this; where both ends can, use a sealed one
warning  gone (vxlan) ended at 2027-01-15T08:00:00.000Z: what goes to it or comes from it is dropped
         remove it from the configuration, or give it a later plaintextUntil; \`heddle reload\`
`,
  );
  const coloured = formatStatus(status, chooseStyle(true, {}));
  assert.match(coloured, '\u001b[31min the clear\u001b[39m');
  assert.match(coloured, '\u001b[31mended\u001b[39m');
});

test.run();
