/** Looks up what a run found, and says numbers as people read them. */

import type { BenchResult, InProcessRow, MeasureId } from './result.js';
import { summarize, type Summary } from './statistics.js';

/** The samples of one measure of one subject; none where it was not measured. */
export function samplesOf(
  { series }: BenchResult,
  subject: string,
  measure: MeasureId,
): readonly number[] {
  return series.find((one) => one.subject === subject && one.measure === measure)?.samples ?? [];
}

export function summaryOf(
  result: BenchResult,
  subject: string,
  measure: MeasureId,
): Summary | undefined {
  return summarize(samplesOf(result, subject, measure));
}

/** Three digits that count: 26.5, 0.123, 1,480. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
  const [whole = '', rest] = value.toFixed(decimals).split('.');
  return rest === undefined ? group(whole) : `${group(whole)}.${rest}`;
}

/** 1, 10,000. */
export function count(value: number): string {
  return group(String(value));
}

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 3.20x, 0.224x. */
export function times(value: number): string {
  return `${figure(value)}x`;
}

export function inProcessTitle({
  direction,
  cipher,
  packetBytes,
  packetsAtOnce,
  peers,
  prefixes,
  traffic,
}: InProcessRow): string {
  const size = `${packetsAtOnce === 1 ? '' : `${packetsAtOnce} x `}${packetBytes} bytes`;
  const spread = traffic === 'all' ? ', all in turn' : '';
  const tables = `${count(peers)} peers, ${count(prefixes)} prefixes${spread}`;
  return `${direction}, ${cipher}, ${size}, ${tables}`;
}
