/**
 * The daemon around a tunnel of no packets: its start, its locks, its socket, and that its end
 * leaves nothing.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import { EXIT } from '../../src/cli/exit.js';
import { fetchStatus, requestStop } from '../../src/cli/client.js';
import type { Folders } from '../../src/daemon/folders.js';
import { hasNetAdmin } from '../../src/daemon/host_check.js';
import { type DaemonOptions, startDaemon } from '../../src/daemon/main.js';
import { heddle } from '../support/heddle.js';
import { fakeTunnel } from '../support/fake_tunnel.js';
import { skip } from '../support/skip.js';

const test = suite<{ root: string; folders: Folders; config: string; mask: number }>('daemon/main');

const SECRET = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';

test.before.each((context) => {
  context.root = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.folders = {
    state: join(context.root, 'state'),
    run: join(context.root, 'run'),
    wireguard: join(context.root, 'wg'),
  };
  context.config = join(context.root, 'heddle.yaml');
  const text = `interface: heddle-fake\nlistenPort: 0\nprivateKey: ${SECRET}\n`;
  fs.writeFileSync(context.config, text, { mode: 0o600 });
  context.mask = process.umask();
});
test.after.each((context) => {
  process.umask(context.mask);
  fs.rmSync(context.root, { recursive: true });
});

function options(context: { folders: Folders; config: string }): DaemonOptions {
  if (!fs.existsSync('/dev/net/tun')) skip('there is no /dev/net/tun');
  if (!hasNetAdmin(fs.readFileSync('/proc/self/status', 'utf8'))) skip('CAP_NET_ADMIN is missing');
  return {
    configFile: context.config,
    folders: context.folders,
    version: '1.2.3',
    log: SILENT,
    step: () => {},
    advise: () => {},
    showLine: () => {},
    openTunnel: fakeTunnel().open,
  };
}

async function failureOf(started: Promise<unknown>): Promise<string> {
  try {
    await started;
  } catch (error) {
    return String(error);
  }
  return 'started';
}

test('daemon: starts, answers, stops when asked, and leaves its folders empty', async (context) => {
  const fake = fakeTunnel();
  const steps: string[] = [];
  const step = (name: string): void => void steps.push(name);
  const daemon = await startDaemon({ ...options(context), openTunnel: fake.open, step });
  const status = await fetchStatus(context.folders);
  assert.is(status.interface, 'heddle-fake');
  assert.is(status.pid, process.pid);
  assert.not.match(JSON.stringify(status), SECRET);
  assert.is(fs.statSync(context.folders.run).mode & 0o777, 0o750);
  assert.is(fs.statSync(context.folders.state).mode & 0o777, 0o700);
  await requestStop(context.folders);
  assert.is(await daemon.stopped, undefined);
  assert.equal(steps, ['configuration', 'tunnel', 'control']);
  assert.equal(fake.events, ['opened', 'closed']);
  assert.equal(fs.readdirSync(context.folders.run), []);
  assert.equal(fs.readdirSync(context.folders.state), []);
});

test('daemon: stops at SIGTERM, with its keys wiped', async (context) => {
  const fake = fakeTunnel();
  const daemon = await startDaemon({ ...options(context), openTunnel: fake.open });
  process.emit('SIGTERM', 'SIGTERM');
  assert.is(await daemon.stopped, undefined);
  assert.equal(fake.context?.config.privateKey, new Uint8Array(32));
});

test('daemon: takes over a changed file, by command and by SIGHUP', async (context) => {
  const daemon = await startDaemon(options(context));
  fs.appendFileSync(context.config, 'fwMark: 7\n');
  const { out, err, code } = await heddle(context.folders.run, ['reload']);
  assert.is(code, EXIT.ok, err);
  assert.is(out, 'applied        fwMark: 0 -> 7\n');
  fs.appendFileSync(context.config, 'nonsense: 1\n');
  const broken = await heddle(context.folders.run, ['reload']);
  assert.is(broken.code, EXIT.failed);
  assert.match(broken.err, 'unknown key "nonsense"');
  assert.is(daemon.status().health, 'degraded');
  assert.match(daemon.status().warnings[0]?.text ?? '', 'unknown key "nonsense"');
  fs.writeFileSync(context.config, fs.readFileSync(context.config, 'utf8').replace(/nons.*/, ''));
  process.emit('SIGHUP', 'SIGHUP');
  await new Promise((done) => setImmediate(done));
  assert.is(daemon.status().health, 'ok');
  process.emit('SIGTERM', 'SIGTERM');
  await daemon.stopped;
});

test('daemon: a second on the same folders is refused, the first runs on', async (context) => {
  const daemon = await startDaemon(options(context));
  assert.match(await failureOf(startDaemon(options(context))), `process ${process.pid}`);
  const other = { ...context.folders, run: join(context.root, 'run2') };
  const second = startDaemon({ ...options(context), folders: other });
  assert.match(await failureOf(second), /heddle\.lock": process/);
  assert.is((await fetchStatus(context.folders)).pid, process.pid);
  process.emit('SIGTERM', 'SIGTERM');
  await daemon.stopped;
});

test('daemon: a start that fails half way unmakes what it made', async (context) => {
  const fake = fakeTunnel(new Error('no tunnel today'));
  const started = startDaemon({ ...options(context), openTunnel: fake.open });
  assert.is(await failureOf(started), 'Error: no tunnel today');
  assert.equal(fake.events, ['opened', 'closed']);
  assert.equal(fs.readdirSync(context.folders.run), []);
  assert.equal(fake.context?.config.privateKey, new Uint8Array(32));
  assert.is(process.listenerCount('SIGTERM'), 0);
});

test('daemon: a broken configuration makes nothing at all', async (context) => {
  fs.writeFileSync(context.config, 'privateKey: x\n');
  assert.match(
    await failureOf(startDaemon(options(context))),
    ':1:13: privateKey: found text of 1',
  );
  assert.is(fs.existsSync(context.folders.run), false);
});

test('daemon: an interface that exists is refused before a tunnel is opened', async (context) => {
  fs.writeFileSync(context.config, `interface: lo\nprivateKey: ${SECRET}\n`);
  const fake = fakeTunnel();
  const started = startDaemon({ ...options(context), openTunnel: fake.open });
  assert.match(await failureOf(started), 'The interface "lo" exists already');
  assert.equal(fake.events, []);
});

test('daemon: a defect stops it, and the host is as it was', async (context) => {
  const fake = fakeTunnel();
  const daemon = await startDaemon({ ...options(context), openTunnel: fake.open });
  fake.context?.fail(new Error('broken'));
  assert.is(String(await daemon.stopped), 'Error: broken');
  assert.equal(fake.events, ['opened', 'closed']);
  assert.equal(fs.readdirSync(context.folders.run), []);
});

test('daemon: without a file the built-in configuration is told and explained', async (context) => {
  const fake = fakeTunnel(new Error('enough'));
  const steps: string[] = [];
  const started = startDaemon({
    ...options(context),
    configFile: undefined,
    openTunnel: fake.open,
    step: (name, detail) => void steps.push(`${name} ${detail}`),
  });
  const failure = await failureOf(started);
  // Where a heddle0 or the default port is in use already, that is what it says.
  assert.match(failure, /enough|heddle0|51820/);
  assert.match(steps[0] ?? '', /^configuration built in, new key .*private\.key: 0 peers$/);
});

test.run();
