/**
 * Runs the simulator:
 *
 *   npm run sim -- --nodes 20 --profile everything --seed 7
 *   npm run sim -- --seeds 50            that many seeds, one after the other
 *
 * It prints what is interesting as it happens; where something does not hold, what, and the command
 * that repeats it.
 */

import { parseArgs } from 'node:util';
import { toSeconds } from '../../src/base/time.js';
import { profileNames, readProfile } from './profile.js';
import { type Outcome, simulate } from './simulation.js';

const USAGE = `npm run sim -- [--nodes N] [--profile NAME] [--seed S] [--seeds COUNT]
               [--suite toy|real] [--quiet]

Profiles: ${profileNames().join(', ')}`;

interface Options {
  readonly nodes: number;
  readonly profile: string;
  readonly seed: string;
  readonly seeds: number;
  readonly suite: 'toy' | 'real';
  readonly isQuiet: boolean;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '12' },
      profile: { type: 'string', default: 'everything' },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      suite: { type: 'string', default: 'toy' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const nodes = Number(values.nodes);
  const seeds = Number(values.seeds);
  if (!Number.isInteger(nodes) || nodes < 2) throw new Error('--nodes takes a number, 2 or more');
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error('--seeds takes a number, 1 or more');
  if (values.suite !== 'toy' && values.suite !== 'real') throw new Error('--suite: toy or real');
  const { profile, seed, suite, quiet: isQuiet } = values;
  return { nodes, profile, seed, seeds, suite, isQuiet };
}

function runOne(options: Options, seed: string): Outcome {
  const { nodes, suite, isQuiet } = options;
  const profile = readProfile(options.profile);
  const tell = (line: string): void => void process.stdout.write(`${line}\n`);
  const startedAt = performance.now();
  const told = isQuiet ? {} : { tell };
  const outcome = simulate({ nodes, profile, seed, suite, ...told });
  const took = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const healed =
    outcome.healed === undefined ? 'not whole' : `whole in ${toSeconds(outcome.healed)} s`;
  const rate = (outcome.bitsPerSecond / 1_000).toFixed(1);
  const facts = `${outcome.delivered} messages, ${rate} kbit/s a host`;
  process.stdout.write(`seed ${seed}: ${healed}, ${facts}, hash ${outcome.hash}, ${took} s\n`);
  for (const fault of outcome.faults) process.stdout.write(`  does not hold: ${fault}\n`);
  if (outcome.faults.length > 0) {
    const words = `--nodes ${nodes} --profile ${options.profile} --seed ${seed} --suite ${suite}`;
    process.stdout.write(`Again: npm run sim -- ${words}\n`);
  }
  return outcome;
}

function optionsOrEnd(): Options {
  try {
    const options = readOptions(process.argv.slice(2));
    readProfile(options.profile);
    return options;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

const options = optionsOrEnd();
let failed = 0;
for (let i = 0; i < options.seeds; i++) {
  const seed = options.seeds === 1 ? options.seed : `${options.seed}.${i}`;
  if (runOne(options, seed).faults.length > 0) failed++;
}
if (options.seeds > 1) process.stdout.write(`${options.seeds - failed} held, ${failed} did not\n`);
process.exitCode = failed > 0 ? 1 : 0;
