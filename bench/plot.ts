/**
 * The comparison as a picture: one panel a measure, one row a subject, a dot for the median and a
 * line from extreme to extreme. The scales are logarithmic, since what is compared lies two powers
 * of ten apart, and each panel says which way is better.
 */

import { figure, summaryOf } from './figures.js';
import { type BenchResult, MEASURES, type MeasureId, type SubjectEntry } from './result.js';
import type { Summary } from './statistics.js';

const PANELS: readonly MeasureId[] = ['tcp_one', 'udp_counted', 'latency_p50', 'cpu_machine'];
const COLUMNS = 2;
const WIDTH = 1120;
const MARGIN = 24;
const TITLE_HEIGHT = 64;
const LABELS = 190;
const VALUES = 62;
const ROW = 24;
const PANEL_HEAD = 52;
const PANEL_FOOT = 40;
const COLOURS = { heddle: '#0b6e4f', other: '#5c6770', grid: '#e3e6e8', text: '#1d2329' } as const;

interface Row {
  readonly subject: SubjectEntry;
  readonly summary: Summary;
}

interface Panel {
  readonly measure: MeasureId;
  readonly rows: readonly Row[];
}

/** The text of an SVG. */
export function drawPlot(result: BenchResult): string {
  const panels = PANELS.map((measure) => panelOf(result, measure)).filter(
    ({ rows }) => rows.length > 0,
  );
  const most = Math.max(1, ...panels.map(({ rows }) => rows.length));
  const panelHeight = PANEL_HEAD + most * ROW + PANEL_FOOT;
  const height = TITLE_HEIGHT + Math.ceil(panels.length / COLUMNS) * panelHeight + MARGIN;
  const panelWidth = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS;
  const drawn = panels.map((panel, i) => {
    const x = MARGIN + (i % COLUMNS) * (panelWidth + MARGIN);
    const y = TITLE_HEIGHT + Math.floor(i / COLUMNS) * panelHeight;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, panelWidth)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 30, 'heddle beside other tunnels', { size: 18, weight: 'bold' }),
    text(MARGIN, 50, subtitle(result), { colour: COLOURS.other }),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function subtitle({ machine, rounds, startedAt }: BenchResult): string {
  const on = `${machine.cpu}, ${machine.cores} cores shared by everything, Linux ${machine.kernel}`;
  const medians = `medians of ${rounds} interleaved rounds with their extremes`;
  return `${on}; ${medians}; ${startedAt.slice(0, 10)}`;
}

/** The best first. */
function panelOf(result: BenchResult, measure: MeasureId): Panel {
  const rows = result.subjects.flatMap((subject) => {
    const summary = summaryOf(result, subject.id, measure);
    return summary === undefined || summary.least <= 0 ? [] : [{ subject, summary }];
  });
  const sign = MEASURES[measure].better === 'more' ? -1 : 1;
  return { measure, rows: rows.sort((a, b) => sign * (a.summary.median - b.summary.median)) };
}

function drawPanel({ measure, rows }: Panel, width: number): string {
  const { title, unit, better } = MEASURES[measure];
  const [from, to] = rangeOf(rows);
  const axis = width - LABELS - VALUES;
  const place = (value: number): number =>
    LABELS + (Math.log10(value / from) / Math.log10(to / from)) * axis;
  const bottom = PANEL_HEAD + rows.length * ROW;
  const grid = ticksOf(from, to).flatMap((tick) => {
    const x = round(place(tick));
    return [
      `<line x1="${x}" x2="${x}" y1="${PANEL_HEAD - 4}" y2="${bottom}" stroke="${COLOURS.grid}"/>`,
      text(x, bottom + 16, String(Number(tick.toPrecision(2))), {
        colour: COLOURS.other,
        anchor: 'middle',
        size: 11,
      }),
    ];
  });
  return [
    text(0, 20, `${title}, ${unit}`, { weight: 'bold', size: 14 }),
    text(0, 37, `${better} is better`, { colour: COLOURS.other, size: 11 }),
    ...grid,
    ...rows.map((row, i) => drawRow(row, PANEL_HEAD + i * ROW + ROW / 2, { place, width })),
  ].join('\n');
}

function drawRow(
  { subject, summary }: Row,
  y: number,
  { place, width }: { place: (value: number) => number; width: number },
): string {
  const isOurs = subject.id.startsWith('heddle');
  const colour = isOurs ? COLOURS.heddle : COLOURS.other;
  const weight = isOurs ? 'bold' : 'normal';
  const [least, middle, greatest] = [summary.least, summary.median, summary.greatest].map((value) =>
    round(place(value)),
  );
  return [
    text(LABELS - 12, y + 4, subject.title, { anchor: 'end', weight, size: 12 }),
    `<line x1="${least}" x2="${greatest}" y1="${y}" y2="${y}" ` +
      `stroke="${colour}" stroke-width="2"/>`,
    `<circle cx="${middle}" cy="${y}" r="5" fill="${colour}"/>`,
    text(width, y + 4, figure(summary.median), { anchor: 'end', colour, weight, size: 12 }),
  ].join('\n');
}

/** Marks at 1, 2 and 5 of each power of ten. */
function ticksOf(from: number, to: number): number[] {
  const powers = Math.ceil(Math.log10(to)) - Math.floor(Math.log10(from)) + 1;
  const steps = to / from > 200 ? [1] : to / from > 20 ? [1, 3] : [1, 2, 5];
  return Array.from({ length: powers }, (_, i) => 10 ** (Math.floor(Math.log10(from)) + i))
    .flatMap((power) => steps.map((step) => step * power))
    .filter((tick) => tick >= from && tick <= to);
}

/** A little more than what is drawn. */
function rangeOf(rows: readonly Row[]): [number, number] {
  const least = Math.min(...rows.map(({ summary }) => summary.least));
  const greatest = Math.max(...rows.map(({ summary }) => summary.greatest));
  return [least / 1.25, greatest * 1.25];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

interface TextStyle {
  readonly size?: number;
  readonly weight?: string;
  readonly anchor?: string;
  readonly colour?: string;
}

function text(x: number, y: number, words: string, style: TextStyle): string {
  const { size = 13, weight = 'normal', anchor = 'start', colour = COLOURS.text } = style;
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" ` +
    `text-anchor="${anchor}" fill="${colour}">${safe}</text>`
  );
}
