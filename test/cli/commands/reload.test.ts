import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusDocument } from '../../../src/api/status.js';
import { EXIT } from '../../../src/cli/exit.js';
import { fakeDaemon } from '../../support/fake_daemon.js';
import { heddle } from '../../support/heddle.js';
import { statusSource } from '../../support/status.js';

const test = suite('cli/commands/reload');

const TAKEN = {
  kind: 'applied',
  applied: ['peer beta: added'],
  needsRestart: ['interface: heddle0 -> hd9'],
} as const;

test('reload: prints what was applied and what needs a restart', async () => {
  const daemon = await fakeDaemon(statusDocument(statusSource()), TAKEN);
  const human = await heddle(daemon.folder, ['reload']);
  const json = await heddle(daemon.folder, ['reload', '--json']);
  await daemon.close();
  assert.is(human.code, EXIT.ok);
  assert.is(
    human.out,
    'applied        peer beta: added\nneeds restart  interface: heddle0 -> hd9\n',
  );
  assert.equal(JSON.parse(json.out), { schemaVersion: 1, ...TAKEN });
});

test('reload: says so where nothing changed', async () => {
  const nothing = { kind: 'applied', applied: [], needsRestart: [] } as const;
  const daemon = await fakeDaemon(statusDocument(statusSource()), nothing);
  const { code, out } = await heddle(daemon.folder, ['reload']);
  await daemon.close();
  assert.is(code, EXIT.ok);
  assert.is(out, 'nothing changed\n');
});

test('reload: one that is refused says why, and fails', async () => {
  const refused = { kind: 'refused', why: 'heddle.yaml:1:1: no' } as const;
  const daemon = await fakeDaemon(statusDocument(statusSource()), refused);
  const human = await heddle(daemon.folder, ['reload']);
  const json = await heddle(daemon.folder, ['reload', '--json']);
  await daemon.close();
  assert.is(human.code, EXIT.failed);
  assert.match(human.err, /refused.*runs on: heddle\.yaml:1:1: no/);
  assert.is(json.code, EXIT.failed);
  assert.is(JSON.parse(json.out).why, 'heddle.yaml:1:1: no');
});

test.run();
