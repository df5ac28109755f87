/**
 * The figures of a mesh, printed and put into bench/README.md with a plot:
 *
 *   npm run bench:mesh              all of it: half an hour, and 12 GB of memory
 *   npm run bench:mesh -- --quick   smaller meshes, nothing is written
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seconds } from '../../src/base/time.js';
import { spliceReadme } from '../readme.js';
import {
  detectionPeriods,
  healSeconds,
  healthyDeaths,
  memberKibibytes,
  type Point,
  restartSeconds,
  rumourSeconds,
  serfSeconds,
  steadyMinute,
} from './measures.js';
import { drawCurves, type Panel } from './plot.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const README = join(ROOT, 'bench/README.md');
const PLOT = join(ROOT, 'bench/mesh.svg');
const MARKS = {
  begin: '<!-- what follows is written by `npm run bench:mesh` -->',
  end: '<!-- end of what `npm run bench:mesh` writes -->',
};

interface Row {
  readonly measure: string;
  readonly must: string;
  readonly aim: string;
  readonly found: string;
}

const rows: Row[] = [];

function note(measure: string, must: string, aim: string, found: string): void {
  rows.push({ measure, must, aim, found });
  process.stdout.write(
    `${measure}: ${found} ${must && `(must ${must}${aim && `, aim ${aim}`})`}\n`,
  );
}

function text(value: number | undefined, unit: string): string {
  return value === undefined ? 'not in time' : `${value.toPrecision(3)} ${unit}`;
}

/** Serf's curve and ours, by the number of nodes. */
function rumours(sizes: readonly number[], loss: number): { ours: Point[]; serf: Point[] } {
  const [ours, serf]: [Point[], Point[]] = [[], []];
  for (const nodes of sizes) {
    const found = rumourSeconds(nodes, loss, Math.ceil(Math.min(10, 3_000 / nodes)));
    const published = serfSeconds(nodes, loss);
    ours.push({ nodes, value: found });
    serf.push({ nodes, value: published });
    const must = `${(1.2 * published).toFixed(1)} s`;
    const name = `rumour to all of ${nodes}${loss > 0 ? ', a quarter lost' : ''}`;
    note(name, must, `${published.toFixed(1)} s`, text(found, 's'));
  }
  return { ours, serf };
}

function faults(isQuick: boolean): void {
  const found = detectionPeriods(20, isQuick ? 40 : 200);
  note('first detection of a crash, 20 nodes', '1.6 periods', '', text(found, 'periods'));
  for (const stalling of isQuick ? [1] : [1, 4, 8, 16, 32]) {
    const ours = healthyDeaths(stalling, 'heddle');
    const measure = `healthy declared dead by healthy, ${stalling} of 100 stall`;
    if (stalling <= 4) note(measure, '0', '0', `${ours}`);
    else {
      const plain = healthyDeaths(stalling, 'plain SWIM');
      note(measure, '2 % of plain SWIM', '0.5 %', `${ours}, plain SWIM ${plain}`);
    }
  }
}

function healing(isQuick: boolean): void {
  const many = isQuick ? 20 : 100;
  const [must, aim] = ['60 s', '15 s'];
  for (const parted of isQuick ? [30] : [30, 600]) {
    const found = healSeconds(many, seconds(parted));
    note(`heal after ${parted} s of partition, ${many} nodes`, must, aim, text(found, 's'));
  }
  if (!isQuick) {
    const found = healSeconds(5, seconds(86_400));
    note('heal after 24 h of partition, 5 nodes', must, aim, text(found, 's'));
  }
  note(`all ${many} nodes restart together`, '30 s', '10 s', text(restartSeconds(many), 's'));
}

/** Traffic of a steady mesh, and what its simulation costs. */
function minutes(sizes: readonly number[]): Point[] {
  return sizes.map((nodes) => {
    const { kilobits, seconds: taken, formingSeconds } = steadyMinute(nodes);
    const [must, aim] = nodes > 100 ? [16, 8] : [8, 4];
    const name = `steady traffic of a node, ${nodes}`;
    note(name, `${must} kbit/s`, `${aim} kbit/s`, text(kilobits, 'kbit/s'));
    const forming = `and ${text(formingSeconds, 's')} before it until all saw all`;
    const measure = `a steady minute of ${nodes} nodes simulated`;
    const [longest, wished] = nodes === 1_000 ? ['90 s', '20 s'] : ['', ''];
    note(measure, longest, wished, `${text(taken, 's')}, ${forming}`);
    return { nodes, value: kilobits };
  });
}

function memory(sizes: readonly number[]): Point[] {
  return sizes.map((nodes) => {
    const value = memberKibibytes(nodes);
    note(`memory a known member, ${nodes}`, '4 KiB', '1 KiB', text(value, 'KiB'));
    return { nodes, value };
  });
}

function measureAll(isQuick: boolean): string {
  const sizes = isQuick ? [10, 30] : [10, 30, 100, 300, 1_000];
  const clear = rumours(isQuick ? sizes : [...sizes, 5_000], 0);
  const lossy = rumours(sizes, 0.25);
  faults(isQuick);
  healing(isQuick);
  const sent = minutes(isQuick ? [10, 30] : [10, 30, 100, 300, 1_000]);
  const kept = memory(isQuick ? [300] : [300, 1_000, 5_000]);
  return drawCurves([
    {
      title: 'a rumour to all',
      unit: 's',
      curves: [
        { name: 'heddle', colour: '#0b6e4f', points: clear.ours },
        { name: 'heddle, a quarter lost', colour: '#58a58c', points: lossy.ours },
        { name: "Serf's formula", colour: '#5c6770', points: clear.serf },
        { name: "Serf's formula, a quarter lost", colour: '#a9b2b8', points: lossy.serf },
      ],
    },
    panel('steady traffic of a node', 'kbit/s', 'sent, handshakes included', sent),
    panel('memory a known member', 'KiB', 'heap and buffers', kept),
  ]);
}

function panel(title: string, unit: string, name: string, points: readonly Point[]): Panel {
  return { title, unit, curves: [{ name, colour: '#0b6e4f', points }] };
}

function markdown(): string {
  const lines = rows.map(
    ({ measure, must, aim, found }) => `| ${measure} | ${must} | ${aim} | ${found} |`,
  );
  const head = '| Measure | must | aim | found |\n| --- | --- | --- | --- |';
  const picture = '![Rumours, traffic and memory against the number of nodes](mesh.svg)';
  return `${picture}\n\n${head}\n${lines.join('\n')}\n`;
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plot = measureAll(values.quick);
if (!values.quick) {
  writeFileSync(PLOT, plot);
  writeFileSync(README, spliceReadme(readFileSync(README, 'utf8'), markdown(), MARKS));
  process.stdout.write(`written: ${README}, ${PLOT}\n`);
}
