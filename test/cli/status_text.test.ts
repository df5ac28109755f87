import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../src/api/status.js';
import { formatStatus } from '../../src/cli/status_text.js';
import { chooseStyle, PLAIN } from '../../src/cli/style.js';
import { displayWidth } from '../../src/cli/table.js';
import { CLEAR_TRAFFIC, clearSnapshot, peerSnapshot, statusSource } from '../support/status.js';

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

test('screen: warnings say what to do, drops are told where there are any', () => {
  const peer = peerSnapshot({ state: 'handshaking', latestHandshake: undefined });
  const text = formatStatus(statusDocument(statusSource([peer])), PLAIN);
  assert.match(text, 'warning  beta does not answer at 192.0.2.7:51820');
  assert.match(text, '         check that it runs');
  assert.match(text, 'dropped  replay 3, mac2 2\n');
});

test('screen: no peers is said, not shown as an empty table', () => {
  assert.match(formatStatus(statusDocument(statusSource([])), PLAIN), 'No peers yet');
});

test('screen: no peer line is wider than the terminal', () => {
  const text = formatStatus(statusDocument(statusSource()), PLAIN, 80);
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
