import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle } from '../../support/heddle.js';
import { statusSource } from '../../support/status.js';

const test = suite('cli/commands/metrics');

test('metrics: prints what the daemon counts', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()));
  const { code, out, err } = await heddle(daemon.folder, ['metrics']);
  await daemon.close();
  assert.is(code, EXIT.ok, err);
  assert.match(out, 'heddle_dropped_total{reason="replay"} 3\n');
});

test('metrics: no daemon is told with its own exit code', async () => {
  const { code } = await heddle('/nonexistent', ['metrics']);
  assert.is(code, EXIT.notRunning);
});

test.run();
