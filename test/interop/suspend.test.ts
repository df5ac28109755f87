/** A host that was suspended for an hour: CLOCK_BOOTTIME has gone on, and nothing else noticed. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pings, reaches } from '../support/netns.js';
import { JumpingClock } from './jumping_clock.js';
import { FAR, NEAR, withRig } from './rig.js';
import { HeddleEnd } from './tunnels.js';

const test = suite('interop/suspend');

const HOUR_SECONDS = 3600n;

test('suspend: after an hour the first packet finds the old keys refused (WG-17)', () =>
  withRig(async (rig) => {
    const { lab, near, far } = rig;
    const clock = new JumpingClock(lab);
    const daemon = await HeddleEnd.start(lab, near, rig.nearTunnel, undefined, clock.through);
    await HeddleEnd.start(lab, far, rig.farTunnel);
    await pings(near, FAR.inner);
    const before = await daemon.status();
    const lines = daemon.said.split('\n').length;

    clock.jump(HOUR_SECONDS);

    assert.not(await reaches(far, NEAR.inner), 'what comes under the old key is not answered');
    const refused = (await daemon.status()).dropsByReason.keypair_expired ?? 0;
    assert.ok(refused > (before.dropsByReason.keypair_expired ?? 0), 'it is refused as too old');
    const sealed = (await daemon.status()).counters.sealed ?? 0;
    await pings(near, FAR.inner);
    await pings(far, NEAR.inner);
    const after = await daemon.status();
    assert.is.not(after.peers[0]?.latestHandshake, before.peers[0]?.latestHandshake);
    // Two pings, their session's confirmation, and what keepalives there may be: no burst.
    assert.ok((after.counters.sealed ?? 0) - sealed < 10, `${after.counters.sealed} were sealed`);
    assert.ok(daemon.said.split('\n').length - lines < 10, daemon.said);
  }));

test.run();
