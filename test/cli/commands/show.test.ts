import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
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

test.run();
