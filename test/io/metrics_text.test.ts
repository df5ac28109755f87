import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsText } from '../../src/io/metrics_text.js';

const test = suite('io/metrics_text');

test('text: has help, type and a line a sample, with labels escaped', async () => {
  const text = await metricsText([
    {
      name: 'heddle_dropped_total',
      help: 'What came to nothing',
      type: 'counter',
      samples: [
        { labels: { reason: 'tag' }, value: 2 },
        { labels: { reason: 'a "b"\n' }, value: 0 },
      ],
    },
    { name: 'heddle_healthy', help: 'h', type: 'gauge', samples: [{ labels: {}, value: 1 }] },
  ]);
  assert.is(
    text,
    [
      '# HELP heddle_dropped_total What came to nothing',
      '# TYPE heddle_dropped_total counter',
      'heddle_dropped_total{reason="tag"} 2',
      'heddle_dropped_total{reason="a \\"b\\"\\n"} 0',
      '',
      '# HELP heddle_healthy h',
      '# TYPE heddle_healthy gauge',
      'heddle_healthy 1',
      '',
    ].join('\n'),
  );
});

test.run();
