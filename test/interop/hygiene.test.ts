/** Who may look into a running daemon, and what is left there of keys that it no longer has. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { parseKey } from '../../src/crypto/keys.js';
import { present } from '../../src/base/assert.js';
import { toHex } from '../../src/base/bytes.js';
import { reaches, requireTools, waitUntil } from '../support/netns.js';
import { FAR, type Rig, startBoth, withRig } from './rig.js';
import {
  HEDDLE,
  type LabPeer,
  type LabTunnel,
  makeKeyPair,
  makePresharedKey,
  prepareHeddle,
} from './tunnels.js';

export const timeLimitSeconds = 60;

const hygiene = suite('interop/hygiene');

const START_LIMIT_MS = 20_000;
/** Text is garbage, overwritten as more is made: a daemon that is asked now and then makes it. */
const GONE_MS = 5000;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const WITHOUT_PTRACE = ['setpriv', '--bounding-set=-sys_ptrace'];

/** Asks for what tells of the memory of a process; only the first holds keys. */
const LOOK = `
import sys
for name in ('mem', 'environ', 'maps', 'auxv'):
    try:
        with open(f'/proc/{sys.argv[1]}/{name}', 'rb', 0) as file:
            if name != 'mem': file.read(16)
        print(name, 'open')
    except PermissionError: print(name, 'refused')
`;
const REFUSED = 'mem refused\nenviron refused\nmaps refused\nauxv refused\n';
const OPEN = REFUSED.replaceAll('refused', 'open');

hygiene('nobody but the holder of CAP_SYS_PTRACE can read the memory of a daemon (row 43)', () =>
  withRig(async (rig) => {
    requireTools({ setpriv: 'util-linux' });
    const { lab, near } = rig;
    const { file, env } = prepareHeddle(lab, near, rig.nearTunnel);
    // With no capability more than who looks, so that nothing but the measure itself keeps him out.
    const daemon = near.start([...WITHOUT_PTRACE, HEDDLE, 'up', '-c', file], env);
    const plain = near.start([...WITHOUT_PTRACE, 'sleep', '60']);
    let said = '';
    daemon.stderr?.on('data', (text) => {
      said += text;
    });
    await waitUntil('the daemon is ready', START_LIMIT_MS, () => /\bready\b/.test(said));
    const look = (as: readonly string[], pid: number | undefined): Promise<string> =>
      near.must([...as, '/usr/bin/python3', '-c', LOOK, String(pid)]);
    assert.is(await look(WITHOUT_PTRACE, plain.pid), OPEN, 'any other process of root is open');
    assert.match(await look(WITHOUT_PTRACE, daemon.pid), 'mem refused');
    assert.is(await look(NOBODY, daemon.pid), REFUSED);
    assert.match(readFileSync(`/proc/${daemon.pid}/limits`, 'utf8'), /Max core file size +0 +0 /);
  }),
);

/** How often each byte string, in hexadecimal, stands in the memory of a process. */
const SCAN = `
import sys
wanted = [bytes.fromhex(word) for word in sys.argv[2:]]
counts = [0] * len(wanted)
with open(f'/proc/{sys.argv[1]}/maps') as maps: regions = [line.split() for line in maps]
with open(f'/proc/{sys.argv[1]}/mem', 'rb', 0) as memory:
    for region in regions:
        low, high = (int(end, 16) for end in region[0].split('-'))
        if 'r' not in region[1] or region[-1] in ('[vvar]', '[vvar_vclock]', '[vsyscall]'): continue
        try:
            memory.seek(low)
            found = memory.read(high - low)
        except OSError: continue
        counts = [count + found.count(each) for count, each in zip(counts, wanted)]
print(*counts)
`;

/** How often each key stands there, as bytes or as text. */
async function timesFound(rig: Rig, pid: number, keys: readonly string[]): Promise<number[]> {
  const words = keys.flatMap((key) => {
    // The last character before the padding may be written otherwise.
    const text = new TextEncoder().encode(key.slice(0, -2));
    return [toHex(present(parseKey(key), 'a key in base64')), toHex(text)];
  });
  const counts = await rig.near.must(['python3', '-c', SCAN, String(pid), ...words]);
  const numbers = counts.trim().split(' ').map(Number);
  return keys.map((_, i) => (numbers[2 * i] ?? 0) + (numbers[2 * i + 1] ?? 0));
}

interface KeyedPeer extends LabPeer {
  readonly presharedKeyFile?: string;
}

/** The near tunnel with another peer for each way to give a preshared key. */
function withSecrets(rig: Rig, inline: string, inFile: string): LabTunnel {
  const file = join(rig.lab.folder, 'preshared.key');
  writeFileSync(file, `${inFile}\n`, { mode: 0o600 });
  const peer = (name: string, network: string, secret: Partial<KeyedPeer>): KeyedPeer => {
    const { publicKey } = makeKeyPair();
    return { name, publicKey, allowedIps: [network], ...secret };
  };
  const more = [
    peer('inline', '10.80.0.0/24', { presharedKey: inline }),
    peer('in-file', '10.81.0.0/24', { presharedKeyFile: file }),
  ];
  return { ...rig.nearTunnel, peers: [...rig.nearTunnel.peers, ...more] };
}

hygiene('of keys that a reload takes away nothing is left in memory (row 43)', () =>
  withRig(async (rig) => {
    const [inline, inFile] = [makePresharedKey(), makePresharedKey()];
    const { nearEnd } = await startBoth({ ...rig, nearTunnel: withSecrets(rig, inline, inFile) });
    const { pid } = await nearEnd.status();
    const gone = [rig.nearTunnel.privateKey, inline, inFile];
    const before = await timesFound(rig, pid, gone);
    assert.ok(Math.min(...before) > 0, `keys in use are found: ${before}`);
    const { privateKey } = makeKeyPair();
    const changed = JSON.stringify({ ...rig.nearTunnel, privateKey });
    writeFileSync(nearEnd.file, changed, { mode: 0o600 });
    const { code, stdout } = await nearEnd.run('reload');
    assert.is(code, EXIT.ok, stdout);
    await waitUntil('all are gone', GONE_MS, async () => {
      await nearEnd.status();
      return (await timesFound(rig, pid, gone)).every((times) => times === 0);
    });
    assert.ok((await timesFound(rig, pid, [privateKey])).some((times) => times > 0));
    assert.not(await reaches(rig.near, FAR.inner), 'the far end does not know the new key');
  }),
);

hygiene.run();
