/** The word that somebody most likely meant. */

/** Words are compared up to here. */
const LONGEST = 64;

/**
 * The word of `known` with the fewest insertions, deletions, replacements and swaps of neighbours
 * from `word`, case aside; undefined when even that takes more than a third of its letters. Cost:
 * the product of the lengths, each cut at 64.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  let found: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const steps = editDistance(wanted, candidate.toLowerCase().slice(0, LONGEST));
    const allowed = Math.max(1, Math.floor(candidate.length / 3));
    if (steps <= allowed && steps < fewest) [found, fewest] = [candidate, steps];
  }
  return found;
}

/** Optimal string alignment: Levenshtein's distance with swaps of neighbours. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      const replaced = at(last, j - 1) + (same ? 0 : 1);
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) best = Math.min(best, at(before, j - 2) + 1);
      row.push(best);
    }
    [before, last] = [last, row];
  }
  return at(last, to.length);
}

function at(row: readonly number[], j: number): number {
  return row[j] ?? 0;
}
