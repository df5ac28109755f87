/** What a run prints to a terminal: the tables, the targets, and the remarks. */

import { formatTable } from '../src/cli/table.js';
import type { BenchResult } from './result.js';
import {
  comparisonTables,
  inProcessTable,
  scaleTables,
  type Table,
  targetsTable,
} from './tables.js';

export function formatReport(result: BenchResult): string {
  const { machine, subjects, rounds, durationSeconds, remarks } = result;
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`;
  const versions = subjects.filter(({ version }) => version !== '');
  const named = [...new Set(versions.map(({ title, version }) => `${nameOf(title)} ${version}`))];
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${memory}; Linux ${machine.kernel}`,
    `${machine.system}; Node ${machine.node}; ${named.join(', ')}`,
    `${rounds} rounds in ${durationSeconds} s; medians, in parentheses the extremes`,
  ];
  const tables = [
    ...comparisonTables(result),
    inProcessTable(result),
    ...scaleTables(result),
    targetsTable(result),
  ];
  for (const table of tables) if (table !== undefined) lines.push('', ...linesOf(table));
  if (remarks.length > 0) lines.push('', 'Remarks', ...remarks.map((each) => `  ${each}`));
  return lines.join('\n');
}

/** `nebula AES` is nebula. */
function nameOf(title: string): string {
  return title.split(' ')[0] ?? title;
}

function linesOf({ title, columns, rows }: Table): string[] {
  const aligned = columns.map((name, i) => ({
    title: name,
    align: i === 0 ? ('left' as const) : ('right' as const),
  }));
  return [title, ...formatTable(aligned, rows).map((line) => `  ${line}`)];
}
