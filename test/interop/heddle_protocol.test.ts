/** `protocol: heddle` between daemons: pairs of hands, ciphers, lanes, and a peer without it. */

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { type LabHost, reaches, waitUntil } from '../support/netns.js';
import { FAR, growth, NEAR, pingAlong, readCounts, type Rig, withRig } from './rig.js';
import { HeddleEnd, type LabTunnel, type PeerStatus } from './tunnels.js';

export const timeLimitSeconds = 240;

const test = suite('interop/heddle_protocol');

const AGREED_LIMIT_MS = 10_000;
/** More than one segment, so that super-packets and their left checksums are under way. */
const STREAM_BYTES = 3_000_000;
const RECEIVE = `
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
connection, _ = server.accept()
total = sum(iter(lambda: len(connection.recv(65536)), 0))
print(total)
`;
const SEND = `
import socket, sys
with socket.create_connection((sys.argv[1], 7000)) as connection:
    connection.sendall(bytes(range(250)) * (${STREAM_BYTES} // 250))
`;

type Change = Partial<Pick<LabTunnel, 'datapath' | 'ciphers' | 'lanes' | 'offloads'>>;

function speaking(tunnel: LabTunnel, change: Change, protocol?: 'heddle'): LabTunnel {
  const peers = tunnel.peers.map((peer) => (protocol ? { ...peer, protocol } : peer));
  return { ...tunnel, ...change, peers };
}

async function startEnds({ lab, near, far }: Rig, ours: LabTunnel, theirs: LabTunnel) {
  const starting = [HeddleEnd.start(lab, near, ours), HeddleEnd.start(lab, far, theirs)];
  const [nearEnd, farEnd] = await Promise.all(starting);
  if (!nearEnd || !farEnd) throw new Error('both ends start');
  assert.ok(await reaches(near, FAR.inner), 'the tunnel carries a ping');
  return { nearEnd, farEnd };
}

/** What the sessions are at both ends, once they are that. */
async function agreed(
  ends: readonly HeddleEnd[],
  expected: Pick<PeerStatus, 'protocol' | 'cipher'>,
): Promise<PeerStatus[]> {
  let seen: PeerStatus[] = [];
  const name = `both ends have ${expected.protocol} with ${expected.cipher}`;
  await waitUntil(name, AGREED_LIMIT_MS, async () => {
    seen = await Promise.all(ends.map((end) => end.peer()));
    return seen.every((peer) => {
      return peer.protocol === expected.protocol && peer.cipher === expected.cipher;
    });
  });
  return seen;
}

/** One TCP stream; what arrived. */
async function stream(from: LabHost, to: LabHost, address: string): Promise<number> {
  const receiving = to.run(['timeout', '20', 'python3', '-c', RECEIVE, address]);
  await waitUntil('the receiver listens', 5_000, async () => {
    const { stdout } = await to.run(['ss', '-Hltn', 'sport', '=', ':7000']);
    return stdout.includes(':7000');
  });
  await from.must(['timeout', '20', 'python3', '-c', SEND, address]);
  return Number((await receiving).stdout);
}

const AES = { protocol: 'heddle', cipher: 'aes-256-gcm' } as const;
const CHACHA = { protocol: 'heddle', cipher: 'chacha20-poly1305' } as const;
const NO_AES = { ciphers: ['chacha20-poly1305'] } as const;

for (const [name, ours, theirs, expected] of [
  ['native and native', {}, {}, AES],
  ['native and reference', {}, { datapath: 'reference' }, AES],
  ['reference and reference', { datapath: 'reference' }, { datapath: 'reference' }, AES],
  ['native without AES and reference', NO_AES, { datapath: 'reference' }, CHACHA],
  ['four lanes and the one of reference', { lanes: 4 }, { datapath: 'reference' }, AES],
] as const satisfies readonly (readonly [string, Change, Change, unknown])[]) {
  test(`heddle protocol: ${name} agree, and carry streams both ways`, () =>
    withRig(async (rig) => {
      const near = speaking(rig.nearTunnel, ours, 'heddle');
      const far = speaking(rig.farTunnel, theirs, 'heddle');
      const { nearEnd, farEnd } = await startEnds(rig, near, far);
      const peers = await agreed([nearEnd, farEnd], expected);
      assert.ok(peers.every(({ trustsChecksums }) => trustsChecksums));
      const before = await Promise.all([nearEnd, farEnd].map(readCounts));
      assert.is(await stream(rig.near, rig.far, FAR.inner), STREAM_BYTES);
      assert.is(await stream(rig.far, rig.near, NEAR.inner), STREAM_BYTES);
      for (const [i, end] of [nearEnd, farEnd].entries()) {
        const grown = growth(before[i] ?? {}, await readCounts(end));
        for (const reason of ['tag', 'datagram_type', 'opened_malformed', 'unknown_index']) {
          assert.is(grown[reason], undefined, `${reason} of end ${i}`);
        }
      }
    }));
}

test('heddle protocol: an end that does not say it is taken for stock, either way round', () =>
  withRig(async (rig) => {
    const near = speaking(rig.nearTunnel, {}, 'heddle');
    const { nearEnd, farEnd } = await startEnds(rig, near, rig.farTunnel);
    await agreed([nearEnd, farEnd], { protocol: 'wireguard', cipher: 'chacha20-poly1305' });
    assert.is(await stream(rig.near, rig.far, FAR.inner), STREAM_BYTES);
    assert.is(await stream(rig.far, rig.near, NEAR.inner), STREAM_BYTES);
    assert.ok(((await readCounts(farEnd)).opened_protocol ?? 0) > 0, 'it does not know hellos');
  }));

test('heddle protocol: begins, and changes its cipher, by a reload under traffic', () =>
  withRig(async (rig) => {
    const { nearEnd, farEnd } = await startEnds(rig, rig.nearTunnel, rig.farTunnel);
    const before = await Promise.all([nearEnd, farEnd].map(readCounts));
    const pinging = pingAlong(rig.near, FAR.inner, 4);
    for (const [change, line, expected] of [
      [{}, 'protocol: wireguard -> heddle', AES],
      [NO_AES, 'ciphers: all -> chacha20-poly1305', CHACHA],
    ] as const) {
      for (const [end, tunnel] of [
        [farEnd, rig.farTunnel],
        [nearEnd, rig.nearTunnel],
      ] as const) {
        const next = JSON.stringify(speaking(tunnel, change, 'heddle'));
        writeFileSync(end.file, next, { mode: 0o600 });
        const { code, stdout, stderr } = await end.run('reload');
        assert.is(code, EXIT.ok, stderr);
        assert.match(stdout, line);
      }
      await agreed([nearEnd, farEnd], expected);
    }
    const pinged = await pinging;
    const after = await Promise.all([nearEnd, farEnd].map(readCounts));
    const grown = after.map((counts, i) => growth(before[i] ?? {}, counts));
    assert.equal(pinged, { sent: 400, lost: 0 }, JSON.stringify(grown));
  }));

test('heddle protocol: lanes change with a restart, and reload says so', () =>
  withRig(async (rig) => {
    const { nearEnd } = await startEnds(rig, rig.nearTunnel, rig.farTunnel);
    writeFileSync(nearEnd.file, JSON.stringify({ ...rig.nearTunnel, lanes: 2 }), { mode: 0o600 });
    const { code, stdout } = await nearEnd.run('reload');
    assert.is(code, EXIT.ok);
    assert.match(stdout, /needs restart\s+lanes: auto -> 2/);
  }));

test.run();
