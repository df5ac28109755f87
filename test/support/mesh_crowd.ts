/** Meshes of a few hosts, ready to be asked. */

import * as assert from 'uvu/assert';
import { seconds, wallTime } from '../../src/base/time.js';
import type { MeshAnswer, MeshCommand } from '../../src/mesh/command.js';
import { isWhole, type MeshHost, MeshScene, WALL } from './mesh_scene.js';

export interface Crowd {
  readonly scene: MeshScene;
  readonly hosts: readonly MeshHost[];
  /** `h1`, `h2` and so on; the first founded it and is its admin. */
  readonly host: (number: number) => MeshHost;
}

export function crowdOf(seed: string, count: number): Crowd {
  const scene = new MeshScene(seed);
  const first = scene.found('h1');
  scene.run(seconds(1));
  const hosts = [first];
  for (let i = 2; i <= count; i++) hosts.push(scene.join(`h${i}`, scene.invite(first)));
  assert.ok(
    scene.runUntil(() => isWhole(hosts), seconds(20)),
    'the mesh is whole',
  );
  const host = (number: number): MeshHost => {
    const found = hosts[number - 1];
    if (!found) throw new Error(`There is no host ${number}`);
    return found;
  };
  return { scene, hosts, host };
}

/** An invitation of one use for an hour, or what `fields` say. */
export function invite(
  fields: Partial<Extract<MeshCommand, { kind: 'invite' }>> = {},
): Extract<MeshCommand, { kind: 'invite' }> {
  const base = { kind: 'invite', ttl: seconds(3_600), uses: 1, name: undefined } as const;
  return { ...base, groups: [], isAdmin: false, prefixes: [], ...fields };
}

/** What was refused, and why. */
export function errorOf(answer: MeshAnswer): string {
  return answer.ok ? `It was not refused: ${answer.result.kind}` : answer.error;
}

export function textOf(answer: MeshAnswer): string {
  if (!answer.ok) return answer.error;
  return answer.result.kind === 'done' ? answer.result.text : answer.result.kind;
}

/** So many days pass on the wall clocks; what looks at them by the minute has done so. */
export function pass(scene: MeshScene, hosts: readonly MeshHost[], days: number): void {
  for (const host of hosts) {
    host.ahead += days * seconds(86_400);
    scene.feed(host, { kind: 'wallClock', wall: wallTime(WALL + scene.now + host.ahead) });
  }
  scene.run(seconds(150));
}
