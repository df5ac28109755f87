/** Curves over the number of nodes, as a picture: one panel a measure. */

import type { Point } from './measures.js';

export interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const [WIDTH, HEIGHT, MARGIN] = [360, 260, 48];
const TEXT = '#1d2329';
const GRID = '#e3e6e8';

/** The text of an SVG. */
export function drawCurves(panels: readonly Panel[]): string {
  const drawn = panels.map((panel, i) => {
    return `<g transform="translate(${i * (WIDTH + MARGIN)} 0)">${drawPanel(panel)}</g>`;
  });
  const width = panels.length * (WIDTH + MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + 2 * MARGIN}" ` +
      `width="${width}" height="${HEIGHT + 2 * MARGIN}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

/** Nodes on a logarithmic axis, values from zero. */
function drawPanel({ title, unit, curves }: Panel): string {
  const points = curves.flatMap((curve) => curve.points);
  // Room above the curves for their names.
  const most = Math.max(1e-9, ...points.map(({ value }) => value)) * (1.1 + 0.08 * curves.length);
  const counts = [...new Set(points.map(({ nodes }) => nodes))].sort((a, b) => a - b);
  const [low, high] = [Math.log(counts[0] ?? 1), Math.log(counts.at(-1) ?? 10)];
  const x = (nodes: number): number =>
    MARGIN + ((Math.log(nodes) - low) / Math.max(1e-9, high - low)) * (WIDTH - MARGIN);
  const y = (value: number): number => MARGIN + HEIGHT * (1 - value / most);
  const ticks = counts.map((nodes) => label(x(nodes), MARGIN + HEIGHT + 16, `${nodes}`, 'middle'));
  const scale = [0, 0.5, 1].map((part) => {
    const value = most * part;
    const [x1, x2, at] = [MARGIN, WIDTH, y(value)];
    const line = `<line x1="${x1}" x2="${x2}" y1="${at}" y2="${at}" stroke="${GRID}"/>`;
    return line + label(MARGIN - 6, y(value) + 4, value.toPrecision(2), 'end');
  });
  const lines = curves.map(({ colour, points: of }) => {
    const path = of.map(({ nodes, value }) => `${x(nodes)},${y(value)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  const names = curves.map(({ name, colour }, i) => {
    return `<text x="${MARGIN + 8}" y="${MARGIN + 16 + 15 * i}" fill="${colour}">${name}</text>`;
  });
  const style = `x="${MARGIN}" y="24" fill="${TEXT}" font-weight="bold"`;
  const head = `<text ${style}>${title}, ${unit}</text>`;
  return [head, ...scale, ...ticks, ...lines, ...names].join('\n');
}

function label(x: number, y: number, text: string, anchor: 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" fill="${TEXT}" text-anchor="${anchor}">${text}</text>`;
}
