import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SILENT } from '../../src/base/log.js';
import { ConfigError } from '../../src/daemon/config_fault.js';
import { Reloader } from '../../src/daemon/reload.js';
import type { ChangeScope } from '../../src/daemon/tunnel.js';
import { FileError } from '../../src/io/files.js';
import { HandError } from '../../src/io/hand.js';
import type { Config } from '../../src/node/config.js';

const test = suite('daemon/reload');

function config(listenPort: number): Config {
  return {
    interface: 'heddle0',
    privateKey: new Uint8Array(32).fill(listenPort),
    listenPort,
    addresses: [],
    table: 'auto',
    fwMark: 0,
    datapath: 'native',
    peers: [],
    clearPeers: [],
  };
}

/** A tunnel that takes over anything, but where it has a refusal. */
function tunnel(refusal?: Error) {
  const scopes: ChangeScope[] = [];
  let inForce = config(1);
  return {
    scopes,
    config: () => inForce,
    reconfigure: async (change: (running: Config) => Config, scope: ChangeScope) => {
      scopes.push(scope);
      if (refusal) throw refusal;
      const before = inForce;
      inForce = change(before);
      return { before, after: inForce };
    },
  };
}

test('reload: applies the file, says what changed, and wipes the key that was', async () => {
  const running = tunnel();
  const before = running.config();
  const reloader = new Reloader({ read: () => config(2), tunnel: running, log: SILENT });
  const applied = ['privateKey: replaced', 'listenPort: 1 -> 2'];
  assert.equal(await reloader.reload(), { kind: 'applied', applied, needsRestart: [] });
  assert.equal(before.privateKey, new Uint8Array(32));
  assert.equal(running.config().privateKey, new Uint8Array(32).fill(2));
  assert.equal(running.scopes, ['host']);
  assert.is(reloader.failure, undefined);
});

test('reload: a broken file changes nothing and is remembered until one is taken', async () => {
  const running = tunnel();
  const faults = [{ line: 3, column: 1, message: 'peers: found nonsense' }];
  let read = (): Config => {
    throw new ConfigError('/etc/heddle.yaml', faults);
  };
  const reloader = new Reloader({ read: () => read(), tunnel: running, log: SILENT });
  const refused = await reloader.reload();
  assert.is(refused.kind, 'refused');
  assert.match(reloader.failure ?? '', '/etc/heddle.yaml:3:1: peers: found nonsense');
  assert.equal(running.scopes, []);
  read = () => config(2);
  assert.is((await reloader.reload()).kind, 'applied');
  assert.is(reloader.failure, undefined);
});

test('reload: what the host refuses is not a defect, and its secrets are wiped', async () => {
  const running = tunnel(new HandError('EADDRINUSE', 'Open UDP port 2: EADDRINUSE'));
  const next = config(2);
  const reloader = new Reloader({ read: () => next, tunnel: running, log: SILENT });
  const why = 'Open UDP port 2: EADDRINUSE';
  assert.equal(await reloader.reload(), { kind: 'refused', why });
  assert.equal(next.privateKey, new Uint8Array(32));
});

test('reload: a record that cannot be written refuses it, too', async () => {
  const running = tunnel(new FileError('ENOSPC', 'Cannot write "leftovers.json": ENOSPC'));
  const reloader = new Reloader({ read: () => config(2), tunnel: running, log: SILENT });
  assert.is((await reloader.reload()).kind, 'refused');
  assert.match(reloader.failure ?? '', 'ENOSPC');
});

test('reload: a defect is thrown on', async () => {
  const running = tunnel(new TypeError('defect'));
  const reloader = new Reloader({ read: () => config(2), tunnel: running, log: SILENT });
  let thrown: unknown;
  await reloader.reload().catch((error: unknown) => {
    thrown = error;
  });
  assert.instance(thrown, TypeError);
});

test('reload: without a file there is nothing to read again', async () => {
  const reloader = new Reloader({ read: undefined, tunnel: tunnel(), log: SILENT });
  const result = await reloader.reload();
  assert.is(result.kind, 'refused');
  assert.match(reloader.failure ?? '', 'built-in configuration');
});

test.run();
