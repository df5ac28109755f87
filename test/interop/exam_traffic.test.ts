/**
 * WireGuard's own exam, groups 1 to 3: every kind of traffic over either outer family and with
 * normal and giant packets; byte counters that agree to the byte (WG-4); padding (WG-5).
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, type LabHost, reaches, waitUntil } from '../support/netns.js';
import { carry, type ExamEnd, floods, INNER, serve, withExam, withExamLab } from './exam.js';
import { at, FAR, neighbours, tunnels } from './pair.js';
import { HeddleEnd } from './tunnels.js';

export const timeLimitSeconds = 90;

const exam = suite('exam: traffic');

/** 1420, and as much more as the loopback's packets are larger than those of Ethernet. */
const GIANT_MTU = 34_736;
/** The IPv4 and UDP headers, and those of a data message. */
const OVERHEAD = 28 + 32;
/** What TCP carries in a moment where all is well; what is on its way at the end is not counted. */
const SENT = 32 << 20;
const LEAST_CARRIED = 24 << 20;

for (const outer of [4, 6] as const) {
  for (const mtu of [1420, GIANT_MTU]) {
    exam(`group 1: ping, TCP and UDP of both families over IPv${outer}, MTU ${mtu}`, () =>
      withExam(
        async ({ left, right }) => {
          for (const family of [4, 6] as const) {
            const to = INNER.right[family];
            await floods(left.host, to, 10);
            await floods(right.host, INNER.left[family], 10);
            await floods(left.host, to, 10, '-s', '1300');
            const whole = mtu - (family === 4 ? 28 : 48);
            await floods(right.host, INNER.left[family], 10, '-M', 'do', '-s', String(whole));
            await serve(right.host, to);
            const tcp = await carry(left.host, to, '-n', String(SENT));
            assert.ok(tcp.bytes >= LEAST_CARRIED, `TCP of IPv${family}: ${tcp.bytes} B`);
            const udp = await carry(left.host, to, '-u', '-b', '100M', '-n', '4M');
            assert.ok(udp.lost < 5, `UDP of IPv${family}: ${udp.lost} % lost`);
          }
        },
        { outer, mtu },
      ),
    );
  }
}

exam('group 1: TCP in 4, 5 and 50 flows at once', () =>
  withExam(async ({ left, right }) => {
    await serve(right.host, INNER.right[4]);
    for (const flows of [4, 5, 50]) {
      const { each } = await carry(left.host, INNER.right[4], '-P', String(flows), '-t', '1');
      assert.is(each.length, flows);
      const least = Math.min(...each);
      assert.ok(least > 64 << 10, `${flows} flows, the slowest carried ${least} B`);
    }
  }),
);

/** What an interface counted, received and sent. */
function linkBytes({ host, interface: name }: ExamEnd): { rx: number; tx: number } {
  const [link] = JSON.parse(ip(host, '-s', '-j', 'link', 'show', 'dev', name)) as {
    stats64: { rx: { bytes: number }; tx: { bytes: number } };
  }[];
  return { rx: link?.stats64.rx.bytes ?? 0, tx: link?.stats64.tx.bytes ?? 0 };
}

exam('group 2: ten pings count the same bytes at both ends, exactly (WG-4)', () =>
  withExam(async ({ left, right }) => {
    for (const { host, interface: name } of [left, right]) {
      ip(host, 'link', 'set', name, 'multicast', 'off');
    }
    const before = [linkBytes(left), linkBytes(right)];
    await floods(right.host, INNER.left[4], 10);
    // Ten data messages of 96 padded bytes; the initiation, the response, perhaps a keepalive.
    const [data, initiation, response, keepalive] = [10 * 128, 148, 92, 32];
    const [asked, answered] = [await right.transfer(), await left.transfer()];
    assert.equal(asked, { rx: answered.tx, tx: answered.rx });
    assert.is(asked.rx, data + response);
    const sent = asked.tx - data - initiation;
    assert.ok(sent === 0 || sent === keepalive, `${asked.tx} B sent`);
    // A TUN counts what is inside.
    for (const [at, end] of [left, right].entries()) {
      const { rx, tx } = linkBytes(end);
      assert.equal([rx - (before[at]?.rx ?? 0), tx - (before[at]?.tx ?? 0)], [840, 840]);
    }
    for (const end of [left, right]) {
      const age = Date.now() / 1_000 - (await end.latestHandshake());
      assert.ok(age > -2 && age < 10, `the handshake was ${age} s ago`);
    }
  }),
);

/** Whether a ping of so many bytes comes through where `wall` takes no packet `length` long. */
async function pingsPast(
  wall: LabHost,
  ping: { readonly from: LabHost; readonly to: string; readonly bytes: number },
  length: number,
): Promise<boolean> {
  const rule = `add rule inet t in ip length ${length} drop`;
  const chain = 'add chain inet t in { type filter hook input priority 0; }';
  await wall.must(['nft', `add table inet t; ${chain}; ${rule}`]);
  const arrived = await reaches(ping.from, ping.to, '-s', String(ping.bytes), '-W', '0.3');
  await wall.must(['nft', 'delete table inet t']);
  return arrived;
}

exam('group 3: padding ends at the MTU (WG-5)', () =>
  withExam(
    async ({ middle, left }) => {
      await floods(left.host, INNER.right[4], 1);
      // 16 bytes more are the next step of the padding; the MTU of 1300 is no multiple of 16.
      for (const [bytes, padded] of [
        [1269, 1300],
        [1272, 1300],
        [1268, 1296],
        [1252, 1280],
        [1253, 1296],
      ] as const) {
        const ping = { from: left.host, to: INNER.right[4], bytes };
        assert.ok(await pingsPast(middle, ping, padded + 1 + OVERHEAD), `${bytes} B`);
        assert.not(await pingsPast(middle, ping, padded + OVERHEAD), `${bytes} B as ${padded}`);
      }
    },
    { mtu: 1300 },
  ),
);

// A daemon knows the routes of its own namespace alone, so here no interface is moved.
exam(
  'group 3: padding ends at the MTU of a route into the tunnel, where one is smaller (WG-5)',
  () =>
    withExamLab(async (lab) => {
      const { near, far } = neighbours(lab, ['192.0.2.1/24'], ['192.0.2.2/24']);
      const made = tunnels({ near: { endpoint: at('192.0.2.2') } });
      await HeddleEnd.start(lab, far, { ...made.far, mtu: 1300 });
      await HeddleEnd.start(lab, near, { ...made.near, mtu: 1300, table: 'off' });
      await floods(near, FAR.inner, 1);
      const ping = { from: near, to: FAR.inner, bytes: 1269 };
      const [whole, less] = [1300 + OVERHEAD, 1299 + OVERHEAD];
      assert.not(await pingsPast(far, ping, whole));
      ip(near, 'route', 'add', `${FAR.inner}/32`, 'dev', 'hd0', 'mtu', '1299');
      await waitUntil('the route counts', 2_000, () => pingsPast(far, ping, whole));
      assert.not(await pingsPast(far, ping, less), 'it is padded to the route’s MTU');
      ip(near, 'route', 'del', `${FAR.inner}/32`, 'dev', 'hd0');
      await waitUntil('it counts no more', 2_000, () => pingsPast(far, ping, less));
    }),
);

exam.run();
