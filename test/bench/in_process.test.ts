import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measureInProcess } from '../../bench/in_process.js';

export const timeLimitSeconds = 180;

const test = suite('in process');
/** This file runs as dist/test/bench/in_process.test.js. */
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

test('in process: every row has its samples, small tables and large ones, both ways', () => {
  const rows = measureInProcess(ROOT, {
    isQuick: true,
    rounds: 3,
    say: () => undefined,
    remark: (sentence) => assert.unreachable(sentence),
  });
  for (const { samples } of rows) {
    assert.is(samples.length, 3);
    for (const sample of samples) assert.ok(sample > 0 && Number.isFinite(sample), `${sample}`);
  }
  const sealed = rows.filter(({ cipher }) => cipher === 'chacha20-poly1305');
  for (const size of [1, 10_000]) {
    for (const direction of ['out', 'in']) {
      const of = sealed.filter(
        (row) => row.peers === size && row.direction === direction && row.traffic === 'one',
      );
      assert.equal(
        of.map(({ packetBytes, packetsAtOnce }) => [packetBytes, packetsAtOnce]),
        [
          [64, 1],
          [1420, 1],
          [1420, 45],
        ],
      );
    }
  }
});

test.run();
