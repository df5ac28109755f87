/** Arithmetic of the report: medians, the extremes beside them, and ratios of medians. */

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** The middle value, or the mean of the two in the middle; undefined for no samples. */
export function median(samples: readonly number[]): number | undefined {
  const sorted = [...samples].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

export function summarize(samples: readonly number[]): Summary | undefined {
  const middle = median(samples);
  if (middle === undefined) return undefined;
  return { median: middle, least: Math.min(...samples), greatest: Math.max(...samples) };
}

/** The ratio of two medians; undefined where one is missing or there is nothing to divide by. */
export function ratio(
  of: readonly number[] | undefined,
  against: readonly number[] | undefined,
): number | undefined {
  const [above, below] = [median(of ?? []), median(against ?? [])];
  return above === undefined || below === undefined || below === 0 ? undefined : above / below;
}
