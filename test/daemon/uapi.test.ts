/** WireGuard's socket of a tunnel that is only a configuration. */

import * as fs from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/base/bytes.js';
import { openUapi, type UapiTunnel } from '../../src/daemon/uapi.js';
import { HandError } from '../../src/io/hand.js';
import { SodiumSuite } from '../../src/io/sodium.js';
import type { UapiSocket } from '../../src/io/uapi_socket.js';
import type { Config } from '../../src/node/config.js';
import { KeptLog } from '../support/kept_log.js';
import { endpoint } from '../support/parsed.js';
import { peerSnapshot } from '../support/status.js';
import { config, key, OTHER } from '../support/uapi.js';

interface Context {
  folder: string;
  tunnel: FakeTunnel;
  socket: UapiSocket;
  log: KeptLog;
  defects: unknown[];
}

const test = suite<Context>('daemon/uapi');
const PEER = `public_key=${toHex(OTHER.publicKey)}\n`;

class FakeTunnel implements UapiTunnel {
  config: Config = config([{ ...OTHER, presharedKey: key(0x12) }]);
  readonly listenPort = 51821;
  readonly fwMark = 7;
  /** Every configuration that was in force. */
  readonly history: Config[] = [];
  fails: Error | undefined;
  roamedTo = endpoint('198.51.100.9:9');

  snapshot() {
    const peers = this.config.peers.map(({ name, publicKey, allowedIps }) =>
      peerSnapshot({ name, publicKey, allowedIps, endpoint: this.roamedTo }),
    );
    return { peers };
  }

  traffic() {
    return { rxBytes: 12n, txBytes: 34n, rxPackets: 1n, txPackets: 1n };
  }

  async reconfigure(change: (running: Config) => Config) {
    const before = this.config;
    const after = change(before);
    if (this.fails) throw this.fails;
    this.config = after;
    this.history.push(after);
    return { before, after };
  }
}

test.before.each(async (context) => {
  context.folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  context.tunnel = new FakeTunnel();
  context.log = new KeptLog();
  context.defects = [];
  context.socket = await openUapi({
    path: join(context.folder, 'hd0.sock'),
    tunnel: context.tunnel,
    crypto: new SodiumSuite(),
    log: context.log,
    fail: (error) => context.defects.push(error),
  });
});
test.after.each(async (context) => {
  await context.socket.close();
  fs.rmSync(context.folder, { recursive: true });
});

async function ask(context: Context, request: string): Promise<string> {
  const client = connect(context.socket.path);
  client.end(request);
  let said = '';
  for await (const chunk of client) said += chunk;
  return said;
}

test('get: the configuration in force, with what walk and sessions know', async (context) => {
  const said = await ask(context, 'get=1\n\n');
  const expected = [
    `private_key=${toHex(key(0x42))}`,
    'listen_port=51821',
    'fwmark=7',
    `public_key=${toHex(OTHER.publicKey)}`,
    `preshared_key=${toHex(key(0x12))}`,
    'endpoint=198.51.100.9:9',
    'rx_bytes=12',
    'tx_bytes=34',
    'allowed_ip=10.1.0.0/16',
    'allowed_ip=fd01::/64',
    'errno=0',
  ];
  const lines = said.split('\n');
  assert.equal(
    expected.filter((line) => !lines.includes(line)),
    [],
  );
});

test('set: is carried out, and what was replaced is wiped', async (context) => {
  const old = context.tunnel.config.peers[0]?.presharedKey ?? key(0);
  const fresh = `${PEER}preshared_key=${toHex(key(0x77))}\n`;
  assert.is(await ask(context, `set=1\nfwmark=9\n${fresh}\n`), 'errno=0\n\n');
  assert.is(context.tunnel.config.fwMark, 9);
  assert.equal(context.tunnel.config.peers[0]?.presharedKey, key(0x77));
  assert.equal(old, key(0));
});

test('set: what is refused leaves all as it was, and the errno says why', async (context) => {
  const before = context.tunnel.config;
  assert.is(await ask(context, 'set=1\nfwmark=9\nfwmark=x\n\n'), 'errno=-22\n\n');
  context.tunnel.fails = new HandError('EADDRINUSE', 'The port is taken');
  assert.is(await ask(context, 'set=1\nlisten_port=9\n\n'), 'errno=-98\n\n');
  context.tunnel.fails = new HandError('STRANGE', 'Something else');
  assert.is(await ask(context, 'set=1\nlisten_port=9\n\n'), 'errno=-5\n\n');
  assert.is(context.tunnel.config, before);
  assert.equal(before, config([{ ...OTHER, presharedKey: key(0x12) }]));
  assert.equal(context.defects, []);
});

test('set: a defect is reported as one', async (context) => {
  context.tunnel.fails = new TypeError('broken');
  assert.is(await ask(context, 'set=1\n\n'), 'errno=-5\n\n');
  assert.equal(context.defects, [context.tunnel.fails]);
});

test('set: no secret of a request reaches the log', async (context) => {
  const secret = toHex(key(0x5a));
  await ask(context, `set=1\nprivate_key=${secret}\n\n`);
  await ask(context, `set=1\nprivate_key=${secret}0\n\n`);
  await ask(context, `set=1\n${PEER}preshared_key=${secret}\nwhat=${secret}\n\n`);
  const logged = JSON.stringify(context.log.lines);
  assert.match(logged, 'line 1 of the request');
  assert.not.ok(logged.includes('5a5a'));
});

test('endpoint: told again, a peer that roamed away from it is moved back', async (context) => {
  const told = `set=1\n${PEER}endpoint=192.0.2.7:51820\n\n`;
  const { tunnel } = context;
  tunnel.roamedTo = endpoint('192.0.2.7:51820');
  await ask(context, told);
  assert.is(tunnel.history.length, 1, 'it is there');
  tunnel.roamedTo = endpoint('198.51.100.9:9');
  await ask(context, told);
  const places = tunnel.history.map(({ peers }) => peers[0]?.endpoint?.host);
  assert.equal(places, ['192.0.2.7', '192.0.2.7', undefined, '192.0.2.7']);
});

test.run();
