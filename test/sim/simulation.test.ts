/**
 * The whole mesh under many seeds. SEEDS says how many of `everything` are run, SEED where they
 * begin; each that fails says how it is repeated.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Profile, profileNames, readProfile } from './profile.js';
import { simulate } from './simulation.js';

export const timeLimitSeconds = 900;

const test = suite('sim/simulation');
const SEEDS = Number(process.env.SEEDS ?? 50);
const FIRST = process.env.SEED ?? 'ci';
const NODES = 8;

function faultsOf(name: string, profile: Profile, seed: string): string[] {
  const { faults } = simulate({ nodes: NODES, profile, seed, suite: 'toy' });
  const again = `npm run sim -- --nodes ${NODES} --profile ${name} --seed ${seed}`;
  return faults.map((fault) => `${fault}; again: ${again}`);
}

test('simulation: one seed run twice is the same to the last message, another is not', () => {
  const profile = readProfile('everything');
  const hashOf = (seed: string): string => {
    const { hash, delivered } = simulate({ nodes: NODES, profile, seed, suite: 'toy' });
    return `${hash} ${delivered}`;
  };
  assert.is(hashOf('twice'), hashOf('twice'));
  assert.is.not(hashOf('twice'), hashOf('other'));
});

test('simulation: each profile holds', () => {
  for (const name of profileNames()) {
    assert.equal(faultsOf(name, readProfile(name), `${FIRST} profile`), [], name);
  }
});

test('simulation: everything, under many seeds', () => {
  const profile = readProfile('everything');
  assert.ok(SEEDS >= 1);
  for (let i = 0; i < SEEDS; i++) {
    assert.equal(faultsOf('everything', profile, `${FIRST}.${i}`), []);
  }
});

test('simulation: with the real primitives it is the same mesh', () => {
  const profile = readProfile('churn');
  const outcome = simulate({ nodes: 5, profile, seed: 'real', suite: 'real' });
  assert.equal(outcome.faults, []);
});

test('simulation: a mesh that cannot heal is told from one that does', () => {
  const profile = { ...readProfile('lossy'), seconds: 30, healSeconds: 5 };
  const links = { ...profile.links, loss: 1 };
  const { faults } = simulate({
    nodes: 4,
    profile: { ...profile, links },
    seed: 'cut',
    suite: 'toy',
  });
  assert.ok(faults.length > 0);
});

test.run();
