/**
 * The whole daemon as a program in a network namespace of its own: what it makes, what it says, and
 * what it leaves.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../../src/cli/exit.js';
import { type Finished, ip, Lab, type LabHost, requireTools } from '../support/netns.js';

interface Context {
  root: string;
  lab: Lab | undefined;
}

const test = suite<Context>('daemon/open_tunnel');

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const NODE = process.execPath;
/** Those of src/cli/heddle. */
const FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--v8-pool-size=1',
  '--expose-gc',
  '--no-warnings',
];
const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
const PRESHARED = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=';
const PEER = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const CONFIG = `privateKey: ${SECRET}
addresses: [10.77.0.1/24, fd77::1/64]
peers:
  - name: beta
    publicKey: ${PEER}
    presharedKey: ${PRESHARED}
    endpoint: 192.0.2.1:51820
    allowedIps: [10.78.0.0/16, 0.0.0.0/0]
`;
const LONGEST_STATUS_MS = 400;
const LARGEST_RESIDENT_KIB = 80 * 1024;

test.before.each((context) => {
  context.root = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.lab = undefined;
  fs.writeFileSync(join(context.root, 'heddle.yaml'), CONFIG, { mode: 0o600 });
});
test.after.each((context) => {
  context.lab?.remove();
  fs.rmSync(context.root, { recursive: true });
});

interface Host {
  readonly labHost: LabHost;
  readonly heddle: (...words: string[]) => Promise<Finished>;
  /** All that a start can change, as text. */
  readonly settings: () => Promise<string>;
  readonly pid: () => number;
  readonly config: string;
  readonly run: string;
}

function host(context: Context): Host {
  requireTools({ ip: 'iproute2' });
  context.lab = new Lab();
  const labHost = context.lab.host('d');
  const run = join(context.root, 'run');
  const env = {
    HEDDLE_RUN_DIR: run,
    HEDDLE_STATE_DIR: join(context.root, 'state'),
    HEDDLE_WG_DIR: join(context.root, 'wg'),
  };
  return {
    labHost,
    heddle: (...words) => labHost.run(nodeWith(env, [...FLAGS, MAIN, ...words])),
    settings: async () => {
      const routing = ['-4', '-6'].flatMap((family) => [
        ip(labHost, family, 'rule'),
        ip(labHost, family, 'route', 'show', 'table', 'all'),
      ]);
      const mark = await labHost.must(['cat', '/proc/sys/net/ipv4/conf/all/src_valid_mark']);
      return [...routing, ip(labHost, '-brief', 'address'), mark].join('');
    },
    pid: () => Number(fs.readFileSync(join(run, 'heddle.pid'), 'utf8').split(' ')[0]),
    config: join(context.root, 'heddle.yaml'),
    run,
  };
}

/** Node with these words, and nothing of this process's environment but its PATH. */
function nodeWith(env: Readonly<Record<string, string>>, words: readonly string[]): string[] {
  const settings = Object.entries({ PATH: process.env.PATH, ...env });
  return ['env', '-i', ...settings.map(([name, value]) => `${name}=${value}`), NODE, ...words];
}

test('daemon: makes the tunnel, and down leaves the host as it was', async (context) => {
  const { heddle, settings, config, run } = host(context);
  const before = await settings();
  const up = await heddle('up', '--detach', '-c', config);
  assert.is(up.code, EXIT.ok, up.stderr);
  assert.match(up.stderr, /ready {2,}traffic can flow\n$/);
  assert.ok(up.stderr.trim().split('\n').length <= 6, up.stderr);
  const during = await settings();
  for (const text of ['10.77.0.1/24', 'fd77::1/64', '10.78.0.0/16 dev heddle0', 'table 51820']) {
    assert.match(during, text);
  }
  const status = JSON.parse((await heddle('status', '--json')).stdout);
  assert.is(status.interface, 'heddle0');
  assert.is(status.mtu, 1420);
  assert.is(status.peers[0].name, 'beta');
  assert.match((await heddle('show')).stdout, 'private key: (hidden)');
  const down = await heddle('down');
  assert.is(down.code, EXIT.ok, down.stderr);
  assert.is(await settings(), before);
  assert.equal(fs.readdirSync(run), ['heddle.log']);
  assert.is((await heddle('status')).code, EXIT.notRunning);
});

test('daemon: a second names the first, by folder, by interface and by port', async (context) => {
  const { heddle, config, pid, labHost } = host(context);
  assert.is((await heddle('up', '--detach', '-c', config)).code, EXIT.ok);
  const named = `process ${pid()}`;
  for (const words of [
    ['up', '-c', config],
    ['up', '--detach', '-c', config],
  ]) {
    const second = await heddle(...words);
    assert.is(second.code, EXIT.failed);
    assert.match(second.stderr, named);
  }
  const other = {
    HEDDLE_RUN_DIR: join(context.root, 'r2'),
    HEDDLE_STATE_DIR: join(context.root, 's2'),
  };
  const start = (): Promise<Finished> => labHost.run(nodeWith(other, [MAIN, 'up', '-c', config]));
  const byInterface = await start();
  assert.is(byInterface.code, EXIT.failed);
  assert.match(byInterface.stderr, `"heddle0" exists already, held by ${named}`);
  fs.writeFileSync(config, `interface: other0\n${CONFIG}`);
  const byPort = await start();
  assert.is(byPort.code, EXIT.failed);
  assert.match(byPort.stderr, `UDP port 51820 is in use, held by ${named}`);
  await heddle('down');
});

test('daemon: what a killed one left is removed by down, or by the next start', async (context) => {
  const { heddle, settings, config, pid } = host(context);
  const before = await settings();
  for (const end of ['down', 'start'] as const) {
    assert.is((await heddle('up', '--detach', '-c', config)).code, EXIT.ok);
    const during = await settings();
    process.kill(pid(), 'SIGKILL');
    while (fs.existsSync(`/proc/${pid()}/ns`) && (await settings()).includes('heddle0'))
      await heddle('status');
    assert.is.not(await settings(), before);
    if (end === 'down') {
      assert.is((await heddle('down')).code, EXIT.ok);
      assert.is(await settings(), before);
      continue;
    }
    assert.is((await heddle('up', '--detach', '-c', config)).code, EXIT.ok);
    assert.is((await settings()).replace(/fe80\S+/g, ''), during.replace(/fe80\S+/g, ''));
    await heddle('down');
    assert.is(await settings(), before);
  }
});

test('daemon: no secret is in its log, its arguments or what others may read', async (context) => {
  const { heddle, config, run, pid } = host(context);
  const up = await heddle('up', '--detach', '--verbose', '-c', config);
  const command = fs.readFileSync(`/proc/${pid()}/cmdline`, 'utf8');
  const environment = fs.readFileSync(`/proc/${pid()}/environ`, 'utf8');
  let shown = up.stdout + up.stderr;
  for (const words of [['status'], ['show'], ['status', '--json'], ['down']]) {
    const { stdout, stderr } = await heddle(...words);
    shown += stdout + stderr;
  }
  const log = fs.readFileSync(join(run, 'heddle.log'), 'utf8');
  for (const secret of [SECRET, PRESHARED]) {
    assert.not.match(command + environment + shown + log, secret.slice(0, 20));
  }
  assert.is(fs.statSync(join(run, 'heddle.log')).mode & 0o077, 0);
});

test('daemon: idles in less than 80 MiB, and status takes less than 0.4 s', async (context) => {
  const { heddle, config, pid } = host(context);
  assert.is((await heddle('up', '--detach', '-c', config)).code, EXIT.ok);
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await heddle('status');
    fastest = Math.min(fastest, performance.now() - started);
  }
  const memory = fs.readFileSync(`/proc/${pid()}/status`, 'utf8');
  const resident = Number(/VmRSS:\s+(\d+)/.exec(memory)?.[1]);
  await heddle('down');
  assert.ok(fastest < LONGEST_STATUS_MS, `status took ${fastest} ms`);
  assert.ok(resident < LARGEST_RESIDENT_KIB, `${resident} KiB are resident`);
});

test.run();
