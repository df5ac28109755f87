/** Metrics in Prometheus' text format (version 0.0.4), by prom-client, loaded when first asked. */

import type { Metric } from '../metrics/metric.js';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export async function metricsText(metrics: readonly Metric[]): Promise<string> {
  const { Counter, Gauge, Registry } = (await import('prom-client')).default;
  const registry = new Registry();
  for (const { name, help, type, samples } of metrics) {
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const options = { name, help, labelNames, registers: [registry] };
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options);
    for (const { labels, value } of samples) metric.inc(labels, value);
  }
  return registry.metrics();
}
