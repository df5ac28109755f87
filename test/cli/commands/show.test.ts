import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { UapiSocket } from '../../../src/io/uapi_socket.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle } from '../../support/heddle.js';
import { peerSnapshot, statusSource } from '../../support/status.js';

const test = suite('cli/commands/show');

test('show: blocks on standard output, or the document; degraded or not', async () => {
  const peer = peerSnapshot({ state: 'handshaking', latestHandshake: undefined });
  const document = statusDocument(statusSource([peer]));
  const daemon = await fakeDaemon(document);
  const human = await heddle(daemon.folder, ['show']);
  const json = await heddle(daemon.folder, ['show', '--json']);
  await daemon.close();
  assert.is(human.code, EXIT.ok);
  assert.match(human.out, /^interface: heddle0\n/);
  assert.match(human.out, '\npeer: BwcHBwcH');
  assert.equal(JSON.parse(json.out), document);
});

test('show: --wg is a file for wg(8), from the WireGuard socket', async () => {
  const document = statusDocument(statusSource());
  const daemon = await fakeDaemon(document);
  const without = await heddle(daemon.folder, ['show', '--wg']);
  assert.is(without.code, EXIT.failed);
  assert.match(without.err, 'has no WireGuard socket');
  const path = join(daemon.folder, `${document.interface}.sock`);
  const socket = await UapiSocket.open(path, {
    get: () => ['listen_port=7\n'],
    set: async () => 0,
  });
  const { code, out } = await heddle(daemon.folder, ['show', '--wg']);
  await socket.close();
  await daemon.close();
  assert.is(code, EXIT.ok);
  assert.match(out, '\n[Interface]\nListenPort = 7\n');
});

test.run();
