/** The generated part of bench/README.md. */

import type { BenchResult } from './result.js';
import {
  comparisonTables,
  inProcessTable,
  scaleTables,
  subjectsTable,
  type Table,
  targetsTable,
} from './tables.js';

export function formatMarkdown(result: BenchResult): string {
  const { machine, tools, rounds, durationSeconds, remarks } = result;
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`;
  const named = Object.entries(tools).map(([name, version]) => `${name} ${version}`);
  const made = `by \`${result.command}\` at commit \`${result.commit}\``;
  const on = `${machine.cpu} (${machine.cores} cores, ${memory})`;
  const under = `Linux ${machine.kernel}, ${machine.system}, Node ${machine.node}`;
  const parts = [
    `Made on ${result.startedAt.slice(0, 10)} ${made}, ${rounds} rounds in ` +
      `${durationSeconds} s, on ${on}, ${[under, ...named].join(', ')}.`,
    '![The comparison as a picture](result.svg)',
    ...[
      targetsTable(result),
      ...comparisonTables(result),
      inProcessTable(result),
      ...scaleTables(result),
      subjectsTable(result),
    ].flatMap((table) => (table === undefined ? [] : [markdownOf(table)])),
  ];
  if (remarks.length > 0) {
    parts.push(`### Remarks\n\n${remarks.map((each) => `- ${escapeCell(each)}`).join('\n')}`);
  }
  return parts.join('\n\n');
}

function markdownOf({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  const lines = [line(columns), `| ${rule.join(' | ')} |`, ...rows.map(line)];
  return `### ${title}\n\n${lines.join('\n')}`;
}

/** What would end a cell, or open a tag. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ');
}
