import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, reaches } from '../support/netns.js';
import { type Rig, withRig } from './rig.js';
import { HeddleEnd, type LabPeer, makeKeyPair } from './tunnels.js';

export const timeLimitSeconds = 120;

const scale = suite('scale');

/** No bound of ours: a start that takes longer is broken, on any machine that runs these tests. */
const START_LIMIT_SECONDS = 15;

interface Measured {
  readonly nearEnd: HeddleEnd;
  readonly seconds: number;
}

/** The near heddle with other peers, and the far one, which answers at `address` too. */
async function startWith(rig: Rig, peers: readonly LabPeer[], address: string): Promise<Measured> {
  const farTunnel = { ...rig.farTunnel, addresses: [...rig.farTunnel.addresses, `${address}/32`] };
  await HeddleEnd.start(rig.lab, rig.far, farTunnel);
  const started = performance.now();
  const nearEnd = await HeddleEnd.start(rig.lab, rig.near, { ...rig.nearTunnel, peers });
  return { nearEnd, seconds: (performance.now() - started) / 1_000 };
}

/** Every prefix of every peer, as the status lists them, in the order of the configuration. */
async function listed(end: HeddleEnd): Promise<readonly (readonly string[])[]> {
  const { code, stdout } = await end.run('status', '--json');
  assert.is(code, 0);
  const { peers } = JSON.parse(stdout) as { peers: { allowedIps: readonly string[] }[] };
  return peers.map((peer) => peer.allowedIps);
}

function farPeer(rig: Rig, allowedIps: readonly string[]): LabPeer {
  const [known] = rig.nearTunnel.peers;
  if (!known) throw new Error('the near heddle knows the far one');
  return { ...known, allowedIps };
}

scale('one peer with 130,560 prefixes: all are listed, and the last one carries (WG-12)', () =>
  withRig(async (rig) => {
    const halves = [...Array(130_560).keys()];
    const prefixes = halves.map((i) => `100.${i >> 9}.${(i >> 1) & 255}.${(i & 1) * 128}/25`);
    const last = '100.254.255.129';
    const { nearEnd, seconds } = await startWith(rig, [farPeer(rig, prefixes)], last);
    console.log(`started with ${prefixes.length} prefixes in ${seconds.toFixed(2)} s`);
    assert.ok(seconds <= START_LIMIT_SECONDS, `${seconds} s`);
    assert.equal(await listed(nearEnd), [prefixes]);
    const routes = await rig.near.must(['ip', 'route', 'show', 'dev', 'hd0']);
    assert.is(routes.match(/\/25 /g)?.length, prefixes.length);
    assert.ok(await reaches(rig.near, last), 'the last prefix carries');
    assert.is((await nearEnd.stop()).code, 0);
  }),
);

scale('40 peers with 52 prefixes each, and 29 with none: each has its own (WG-12)', () =>
  withRig(async (rig) => {
    const owned = [...Array(40).keys()].map((peer) =>
      [...Array(52).keys()].map((i) => `100.${64 + peer}.${i}.0/24`),
    );
    const named = owned.map((allowedIps, i) => ({ name: `p${i}`, ...makeOther(), allowedIps }));
    const bare = [...Array(29).keys()].map((i) => ({
      name: `b${i}`,
      ...makeOther(),
      allowedIps: [],
    }));
    const peers = [...named.slice(0, 39), farPeer(rig, owned[39] ?? []), ...bare];
    const last = '100.103.51.1';
    const { nearEnd } = await startWith(rig, peers, last);
    assert.equal(await listed(nearEnd), [...owned, ...bare.map(() => [])]);
    assert.ok(await reaches(rig.near, last), 'the last prefix carries');
    assert.match(ip(rig.near, 'route', 'get', last), /dev hd0/);
    assert.not.match(ip(rig.near, 'route', 'get', '100.103.52.1'), /dev hd0/);
  }),
);

function makeOther(): { publicKey: string } {
  return { publicKey: makeKeyPair().publicKey };
}

scale.run();
