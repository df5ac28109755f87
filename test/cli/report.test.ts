import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseReportLine, pipeReport } from '../../src/cli/report.js';

const test = suite('cli/report');

test('pipe: what is reported at one end is read at the other', () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'heddle-'));
  const path = join(folder, 'pipe');
  const report = pipeReport(fs.openSync(path, 'w'));
  report.step('tunnel', 'heddle0\nready');
  report.advise('text');
  report.ready();
  report.step('late', 'nobody listens any more');
  const lines = fs.readFileSync(path, 'utf8').trim().split('\n').map(parseReportLine);
  assert.equal(lines, [
    { kind: 'step', name: 'tunnel', detail: 'heddle0\nready' },
    { kind: 'advice', text: 'text' },
    { kind: 'ready' },
  ]);
  fs.rmSync(folder, { recursive: true });
});

test('pipe: what is no report is not taken for one', () => {
  for (const text of ['', 'null', '5', '{}', '{', '"kind"']) {
    assert.is(parseReportLine(text), undefined, text);
  }
});

test.run();
