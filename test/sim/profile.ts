/** What is done to a simulated mesh, by name: configs/sim/NAME.json. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('../../../configs/sim', import.meta.url));

export const ACTS = [
  'crash',
  'crashHalf',
  'crashAll',
  'pause',
  'pauseSome',
  'partition',
  'isolate',
  'oneWay',
  'bridged',
  'ring',
  'pair',
  'clog',
  'clock',
  'diskFull',
  'join',
  'leave',
  'revoke',
  'rotateKey',
  'rotateAdmin',
  'rotateRoot',
] as const;
export type Act = (typeof ACTS)[number];

const chance = z.number().min(0).max(1).default(0);

const PROFILE = z.strictObject({
  what: z.string(),
  /** How the hosts come to the mesh: long ago, or by a join line each. */
  begin: z.enum(['members', 'join']).default('members'),
  links: z.strictObject({
    loss: chance,
    delayMs: z.number().min(0).default(5),
    jitterMs: z.number().min(0).default(10),
    duplicate: chance,
    reorder: chance,
    burstBegins: chance,
    burstEnds: z.number().min(0).max(1).default(0.3),
  }),
  /** Drawn from, one after the other. */
  acts: z.array(z.enum(ACTS)),
  rounds: z.number().int().min(0).max(100).default(0),
  /** How long each act lasts, and how much later the next begins. */
  actSeconds: z.number().min(0).default(10),
  gapSeconds: z.number().min(0).default(10),
  /** Without acts: how long the mesh is watched. */
  seconds: z.number().min(0).default(60),
  /** In which it must be whole again after the last act. */
  healSeconds: z.number().min(1).default(60),
});

export type Profile = z.output<typeof PROFILE>;

export function profileNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}

/** Throws where there is none of this name, or it is not one. */
export function readProfile(name: string): Profile {
  if (!profileNames().includes(name)) {
    throw new Error(`No profile "${name}": there are ${profileNames().join(', ')}`);
  }
  return PROFILE.parse(JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')));
}
