/**
 * What lies behind members of a real mesh: subnets that are leased, prefixes that are announced and
 * fail over.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusDocument } from '../../src/api/status.js';
import { ip, reaches, waitUntil } from '../support/netns.js';
import { type MeshEnd, MeshLab } from './mesh_rig.js';

export const timeLimitSeconds = 180;

const test = suite('interop/mesh_sites');
const SITE = '10.20.0.0/16';
const INSIDE = '10.20.0.1';

function at(lab: MeshLab, index: number): MeshEnd {
  const end = lab.ends[index];
  if (!end) throw new Error(`there is no host ${index}`);
  return end;
}

/** The member that this host sends what is for `prefix` to. */
async function wayTo(from: MeshEnd, prefix: string): Promise<string | undefined> {
  const { stdout } = await from.heddle('status', '--json');
  const { peers } = JSON.parse(stdout) as StatusDocument;
  return peers.find(({ allowedIps }) => allowedIps.includes(prefix))?.name;
}

test('mesh sites: of two members with one prefix the other stands in when one dies', () =>
  MeshLab.with(async (lab) => {
    await lab.form(1);
    const first = at(lab, 0);
    const sites = [lab.add(), lab.add()];
    for (const site of sites) {
      await site.join(await first.invite('--announce', SITE), '--announce', SITE);
      ip(site.host, 'addr', 'add', `${INSIDE}/32`, 'dev', 'lo');
    }
    await lab.becomesWhole(20_000);
    await waitUntil('the site is reached', 10_000, () => reaches(first.host, INSIDE));
    const way = await wayTo(first, SITE);
    const dead = sites.find(({ name }) => name === way);
    const other = sites.find(({ name }) => name !== way);
    assert.ok(dead && other, `${way} is the way`);
    await dead?.kill();
    await waitUntil('the other stands in', 40_000, () => reaches(first.host, INSIDE));
    assert.is(await wayTo(first, SITE), other?.name);
    await dead?.up('--announce', SITE);
    await lab.becomesWhole(20_000);
    assert.ok(await reaches(first.host, INSIDE));
  }));

test('mesh sites: what was not allowed is announced in vain, and no default route is taken', () =>
  MeshLab.with(async (lab) => {
    await lab.form(1);
    const first = at(lab, 0);
    const bold = lab.add();
    const words = ['--announce', '10.30.0.0/16', '--announce', '0.0.0.0/0'];
    await bold.join(await first.invite('--announce', '0.0.0.0/0'), ...words);
    await lab.becomesWhole(20_000);
    const [named] = (await first.mesh()).members.filter(({ name }) => name === 'h2');
    assert.equal(named?.announces ?? [], []);
    const routes = await first.host.must(['ip', 'route', 'show', 'table', 'all']);
    assert.not.match(routes, /default dev heddle0|10\.30\.0\.0/);
    await first.kill();
    await first.up('--accept-default-routes');
    await lab.becomesWhole(20_000);
    await waitUntil('it is taken by consent', 10_000, async () => {
      const rules = await first.host.must(['ip', 'route', 'show', 'table', 'all']);
      return /default dev heddle0/.test(rules);
    });
    await lab.becomesWhole(10_000);
  }));

test('mesh sites: a subnet is leased, kept over a restart, and leads to its host', () =>
  MeshLab.with(async (lab) => {
    await lab.form(1);
    const first = at(lab, 0);
    const host = lab.add();
    await host.join(await first.invite(), '--subnet', '24');
    await lab.becomesWhole(20_000);
    await waitUntil('a subnet is leased', 10_000, async () => {
      return (await first.member('h2'))?.subnet != null;
    });
    const subnet = (await first.member('h2'))?.subnet ?? '';
    assert.match(subnet, /\.0\/24$/);
    const inside = subnet.replace('.0/24', '.5');
    ip(host.host, 'addr', 'add', `${inside}/32`, 'dev', 'lo');
    await waitUntil('it is reached', 10_000, () => reaches(first.host, inside));
    await host.kill();
    await host.up('--subnet', '24');
    await lab.becomesWhole(20_000);
    assert.is((await host.member('h2'))?.subnet, subnet);
  }));

test.run();
