import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, reaches } from '../support/netns.js';
import { FAR, startBoth, withRig } from './rig.js';

const ownTunnel = suite('a tunnel in itself');

/** What netns.sh allows the kernel's WireGuard for ten pings of 1,416 bytes into a loop. */
const MOST_BYTES = 70_000;

for (const size of ['56', '1392']) {
  ownTunnel(`an endpoint routed into its own tunnel: ten pings of ${size} do not grow (WG-9)`, () =>
    withRig(async (rig) => {
      const [toFar, toFoe] = rig.nearTunnel.peers;
      if (!toFar || !toFoe) throw new Error('the rig has two peers');
      const allowedIps = [...toFar.allowedIps, `${FAR.under}/32`];
      const peers = [{ ...toFar, allowedIps }, toFoe];
      const nearTunnel = { ...rig.nearTunnel, table: 'off', peers };
      const { nearEnd } = await startBoth({ ...rig, nearTunnel });
      const before = await nearEnd.status();
      ip(rig.near, 'route', 'add', `${FAR.under}/32`, 'dev', 'hd0');
      const command = ['ping', '-c', '10', '-i', '0.05', '-W', '0.2', '-s', size, FAR.inner];
      await rig.near.run(command);
      const after = await nearEnd.status();
      const grown = (after.peers[0]?.txBytes ?? 0) - (before.peers[0]?.txBytes ?? 0);
      assert.ok(grown < MOST_BYTES, `${grown} bytes were sealed`);
      assert.ok((after.dropsByReason.loop ?? 0) >= 10, 'they were told from other packets');
      ip(rig.near, 'route', 'del', `${FAR.under}/32`, 'dev', 'hd0');
      assert.ok(await reaches(rig.near, FAR.inner), 'afterwards the tunnel carries as before');
    }),
  );
}

ownTunnel.run();
