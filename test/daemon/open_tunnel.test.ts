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
import { type Ended, Namespace } from '../support/namespace.js';

const test = suite<{ root: string; namespace: Namespace | undefined }>('daemon/open_tunnel');

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const FLAGS = ['--max-semi-space-size=1', '--no-warnings'];
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
  context.namespace = undefined;
  fs.writeFileSync(join(context.root, 'heddle.yaml'), CONFIG, { mode: 0o600 });
});
test.after.each((context) => {
  context.namespace?.close();
  fs.rmSync(context.root, { recursive: true });
});

interface Host {
  readonly heddle: (...words: string[]) => Ended;
  /** All that a start can change, as text. */
  readonly settings: () => string;
  readonly pid: () => number;
  readonly config: string;
  readonly run: string;
}

function host(context: { root: string; namespace: Namespace | undefined }): Host {
  const namespace = new Namespace();
  context.namespace = namespace;
  const run = join(context.root, 'run');
  const env = { HEDDLE_RUN_DIR: run, HEDDLE_STATE_DIR: join(context.root, 'state') };
  const ip = (...words: string[]): string => namespace.run('ip', words).out;
  return {
    heddle: (...words) => namespace.run(process.execPath, [...FLAGS, MAIN, ...words], env),
    settings: () =>
      ['-4', '-6']
        .map((family) => ip(family, 'rule') + ip(family, 'route', 'show', 'table', 'all'))
        .join('') +
      ip('-brief', 'address') +
      namespace.run('cat', ['/proc/sys/net/ipv4/conf/all/src_valid_mark']).out,
    pid: () => Number(fs.readFileSync(join(run, 'heddle.pid'), 'utf8').split(' ')[0]),
    config: join(context.root, 'heddle.yaml'),
    run,
  };
}

test('daemon: makes the tunnel, and down leaves the host as it was', (context) => {
  const { heddle, settings, config, run } = host(context);
  const before = settings();
  const up = heddle('up', '--detach', '-c', config);
  assert.is(up.code, EXIT.ok, up.err);
  assert.match(up.err, /ready {2,}traffic can flow\n$/);
  assert.ok(up.err.trim().split('\n').length <= 6, up.err);
  const during = settings();
  for (const text of ['10.77.0.1/24', 'fd77::1/64', '10.78.0.0/16 dev heddle0', 'table 51820']) {
    assert.match(during, text);
  }
  const status = JSON.parse(heddle('status', '--json').out);
  assert.is(status.interface, 'heddle0');
  assert.is(status.mtu, 1420);
  assert.is(status.peers[0].name, 'beta');
  assert.match(heddle('show').out, 'private key: (hidden)');
  const down = heddle('down');
  assert.is(down.code, EXIT.ok, down.err);
  assert.is(settings(), before);
  assert.equal(fs.readdirSync(run), ['heddle.log']);
  assert.is(heddle('status').code, EXIT.notRunning);
});

test('daemon: a second names the first, by folder, by interface and by port', (context) => {
  const { heddle, config, pid } = host(context);
  assert.is(heddle('up', '--detach', '-c', config).code, EXIT.ok);
  const named = `process ${pid()}`;
  for (const words of [
    ['up', '-c', config],
    ['up', '--detach', '-c', config],
  ]) {
    const second = heddle(...words);
    assert.is(second.code, EXIT.failed);
    assert.match(second.err, named);
  }
  const other = {
    HEDDLE_RUN_DIR: join(context.root, 'r2'),
    HEDDLE_STATE_DIR: join(context.root, 's2'),
  };
  const start = (): Ended | undefined =>
    context.namespace?.run(process.execPath, [MAIN, 'up', '-c', config], other);
  const byInterface = start();
  assert.is(byInterface?.code, EXIT.failed);
  assert.match(byInterface?.err ?? '', `"heddle0" exists already, held by ${named}`);
  fs.writeFileSync(config, `interface: other0\n${CONFIG}`);
  const byPort = start();
  assert.is(byPort?.code, EXIT.failed);
  assert.match(byPort?.err ?? '', `UDP port 51820 is in use, held by ${named}`);
  heddle('down');
});

test('daemon: what a killed one left is removed by down, or by the next start', (context) => {
  const { heddle, settings, config, pid } = host(context);
  const before = settings();
  for (const end of ['down', 'start'] as const) {
    assert.is(heddle('up', '--detach', '-c', config).code, EXIT.ok);
    const during = settings();
    process.kill(pid(), 'SIGKILL');
    while (fs.existsSync(`/proc/${pid()}/ns`) && settings().includes('heddle0')) heddle('status');
    assert.is.not(settings(), before);
    if (end === 'down') {
      assert.is(heddle('down').code, EXIT.ok);
      assert.is(settings(), before);
      continue;
    }
    assert.is(heddle('up', '--detach', '-c', config).code, EXIT.ok);
    assert.is(settings().replace(/fe80\S+/g, ''), during.replace(/fe80\S+/g, ''));
    heddle('down');
    assert.is(settings(), before);
  }
});

test('daemon: no secret is in its log, its arguments or what others may read', (context) => {
  const { heddle, config, run, pid } = host(context);
  const up = heddle('up', '--detach', '--verbose', '-c', config);
  const command = fs.readFileSync(`/proc/${pid()}/cmdline`, 'utf8');
  const environment = fs.readFileSync(`/proc/${pid()}/environ`, 'utf8');
  const said = [up, heddle('status'), heddle('show'), heddle('status', '--json'), heddle('down')];
  const shown = said.map(({ out, err }) => out + err).join('');
  const log = fs.readFileSync(join(run, 'heddle.log'), 'utf8');
  for (const secret of [SECRET, PRESHARED]) {
    assert.not.match(command + environment + shown + log, secret.slice(0, 20));
  }
  assert.is(fs.statSync(join(run, 'heddle.log')).mode & 0o077, 0);
});

test('daemon: idles in less than 80 MiB, and status takes less than 0.4 s', (context) => {
  const { heddle, config, pid } = host(context);
  assert.is(heddle('up', '--detach', '-c', config).code, EXIT.ok);
  const fastest = Math.min(...[1, 2, 3, 4, 5].map(() => heddle('status').milliseconds));
  const memory = fs.readFileSync(`/proc/${pid()}/status`, 'utf8');
  const resident = Number(/VmRSS:\s+(\d+)/.exec(memory)?.[1]);
  heddle('down');
  assert.ok(fastest < LONGEST_STATUS_MS, `status took ${fastest} ms`);
  assert.ok(resident < LARGEST_RESIDENT_KIB, `${resident} KiB are resident`);
});

test.run();
