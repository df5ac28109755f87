/** What the network under the tunnel does: translate, lose addresses, offer several ways. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type Lab, type LabHost, pause, pings, reaches } from '../support/netns.js';
import { FAR, NEAR, neighbours, PORT, tunnels, withLab } from './pair.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 60;

const underlay = suite('underlay');

/** A near host behind a NAT that forgets a UDP mapping after two seconds. */
async function behindNat(lab: Lab): Promise<{ near: LabHost; far: LabHost }> {
  const [near, box, far] = [lab.host('n'), lab.host('b'), lab.host('f')];
  lab.link('home', [
    [near, ['192.168.7.2/24']],
    [box, ['192.168.7.1/24']],
  ]);
  lab.link('under', [
    [box, ['192.0.2.1/24']],
    [far, ['192.0.2.2/24']],
  ]);
  ip(near, 'route', 'add', 'default', 'via', '192.168.7.1');
  await box.must([
    'nft',
    'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }',
  ]);
  await box.must(['nft', 'add rule ip n p oifname under masquerade']);
  const names = ['nf_conntrack_udp_timeout', 'nf_conntrack_udp_timeout_stream'];
  const settings = names.map((name) => `echo 2 >/proc/sys/net/netfilter/${name}`);
  settings.push('echo 1 >/proc/sys/net/ipv4/ip_forward');
  await box.must(['sh', '-ec', settings.join('\n')]);
  return { near, far };
}

for (const [keepalive, arrives] of [
  [{ persistentKeepalive: 1 }, true],
  [{}, false],
] as const) {
  const [how, verb] = arrives ? ['with', 'lets'] : ['without', 'does not let'];
  underlay(`a NAT of 2 s ${verb} a packet in after 3 s ${how} keepalives (WG-10)`, () =>
    withLab(async (lab) => {
      const { near, far } = await behindNat(lab);
      const made = tunnels({ near: { endpoint: `192.0.2.2:${PORT}`, ...keepalive } });
      await HeddleEnd.start(lab, far, made.far);
      await HeddleEnd.start(lab, near, made.near);
      await pings(near, FAR.inner);
      await pause(arrives ? 3_000 : 3_500);
      assert.is(await reaches(far, NEAR.inner), arrives);
    }),
  );
}

const MANY = ['192.0.2.1', '192.0.2.3', '192.0.2.4', '198.51.100.1'];

underlay('answers come from the address that was asked, whichever it is (WG-11)', () =>
  withLab(async (lab) => {
    const [near, far] = [lab.host('n'), lab.host('f')];
    lab.link('under', [
      [near, [...MANY.map((each) => `${each}/24`), '2001:db8:9::1/64', '2001:db8:9::3/64']],
      [far, ['192.0.2.2/24', '198.51.100.2/24', '2001:db8:9::2/64']],
    ]);
    const made = tunnels({});
    await HeddleEnd.start(lab, near, made.near);
    for (const asked of [...MANY.reverse(), '[2001:db8:9::1]', '[2001:db8:9::3]']) {
      const endpoint = `${asked}:${PORT}`;
      const peers = made.far.peers.map((peer) => ({ ...peer, endpoint }));
      const farEnd = await HeddleEnd.start(lab, far, { ...made.far, peers });
      await pings(far, NEAR.inner);
      await pings(near, FAR.inner);
      assert.is((await farEnd.peer()).endpoint, endpoint);
      await farEnd.stop();
    }
  }),
);

underlay('when its address is taken away, the next packet comes from another (WG-11)', () =>
  withLab(async (lab) => {
    const { near, far } = neighbours(lab, ['192.0.2.1/24', '192.0.2.3/24'], ['192.0.2.2/24']);
    const made = tunnels({ far: { endpoint: `192.0.2.3:${PORT}` } });
    await HeddleEnd.start(lab, near, made.near);
    const farEnd = await HeddleEnd.start(lab, far, made.far);
    await pings(far, NEAR.inner);
    ip(near, 'addr', 'del', '192.0.2.3/24', 'dev', 'under');
    await pings(near, FAR.inner);
    assert.is((await farEnd.peer()).endpoint, `192.0.2.1:${PORT}`);
    await pings(far, NEAR.inner);
  }),
);

underlay('when a better way appears, packets take it, from an address of its own (WG-11)', () =>
  withLab(async (lab) => {
    const { near, far } = neighbours(lab, ['192.0.2.1/24'], ['192.0.2.2/24']);
    lab.link('fast', [
      [near, ['198.51.100.1/24']],
      [far, ['198.51.100.2/24']],
    ]);
    ip(far, 'addr', 'add', '203.0.113.2/32', 'dev', 'lo');
    ip(near, 'route', 'add', '203.0.113.2', 'via', '192.0.2.2');
    const made = tunnels({ near: { endpoint: `203.0.113.2:${PORT}` } });
    const farEnd = await HeddleEnd.start(lab, far, made.far);
    await HeddleEnd.start(lab, near, made.near);
    await pings(near, FAR.inner);
    assert.is((await farEnd.peer()).endpoint, `192.0.2.1:${PORT}`);
    ip(near, 'addr', 'del', '192.0.2.1/24', 'dev', 'under');
    ip(near, 'route', 'replace', '203.0.113.2', 'via', '198.51.100.2');
    await pings(near, FAR.inner);
    assert.is((await farEnd.peer()).endpoint, `198.51.100.1:${PORT}`);
  }),
);

underlay('an IPv6 default route goes through the tunnel over an IPv6 underlay, with no loop', () =>
  withLab(async (lab) => {
    const { near, far } = neighbours(lab, ['2001:db8:9::1/64'], ['2001:db8:9::2/64']);
    ip(far, 'addr', 'add', '2001:db8:77::7/128', 'dev', 'lo');
    ip(near, '-6', 'route', 'add', 'default', 'via', '2001:db8:9::2');
    const rules = ip(near, '-6', 'rule');
    const endpoint = `[2001:db8:9::2]:${PORT}`;
    const made = tunnels({ near: { endpoint, allowedIps: ['::/0'] } });
    await HeddleEnd.start(lab, far, made.far);
    const nearEnd = await HeddleEnd.start(lab, near, made.near);
    await pings(near, '2001:db8:77::7');
    assert.match(ip(near, '-6', 'route', 'get', '2001:db8:77::7'), / dev hd0 /);
    const { txBytes } = await nearEnd.peer();
    assert.ok(txBytes < 2_000, `${txBytes} B for one ping: the tunnel carries itself`);
    await nearEnd.stop();
    assert.is(ip(near, '-6', 'rule'), rules);
    assert.not.match(ip(near, '-6', 'route', 'show', 'table', 'all'), /hd0/);
  }),
);

underlay('the MTU is what the way to the peer leaves room for', () =>
  withLab(async (lab) => {
    const { near } = neighbours(lab, ['192.0.2.1/24'], ['192.0.2.2/24']);
    const made = tunnels({ near: { endpoint: `192.0.2.2:${PORT}` } });
    const { mtu: _configured, ...measured } = made.near;
    for (const [route, mtu] of [
      ['1400', 1320],
      ['900', 1280],
      ['1500', 1420],
    ] as const) {
      ip(near, 'route', 'replace', '192.0.2.2/32', 'dev', 'under', 'mtu', route);
      const end = await HeddleEnd.start(lab, near, measured);
      assert.is((await end.status()).mtu, mtu);
      assert.match(ip(near, 'link', 'show', 'hd0'), new RegExp(` mtu ${mtu} `));
      await end.stop();
    }
  }),
);

underlay('links deleted under a running daemon do not end it, and down still does', () =>
  withLab(async (lab) => {
    const { near, far } = neighbours(lab, ['192.0.2.1/24'], ['192.0.2.2/24']);
    const made = tunnels({ near: { endpoint: `192.0.2.2:${PORT}` } });
    await HeddleEnd.start(lab, far, made.far);
    const nearEnd = await HeddleEnd.start(lab, near, made.near);
    await pings(near, FAR.inner);
    ip(near, 'link', 'del', 'under');
    await pause(300);
    assert.is((await nearEnd.status()).peers.length, 1);
    ip(near, 'link', 'del', 'hd0');
    assert.is((await nearEnd.stop()).code, 0);
  }),
);

underlay.run();
