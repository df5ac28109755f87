/**
 * What WireGuard's own exam and wireguard-go's tests do to a device for long: set it up and down
 * again and again, and change it while it carries traffic (WG-21). Nothing may be left of it:
 * descriptors, threads, memory, and on the host.
 *
 * CHURN_STARTS says how often a daemon is started and ended; `npm run soak` does it 500 times.
 */

import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ip, pause, pings, waitUntil } from '../support/netns.js';
import { type ExamEnd, INNER, newInterface, startEnd, withExam, withExamLab } from './exam.js';
import { residentBytes } from './rig.js';
import { type LabTunnel, makeKeyPair } from './tunnels.js';

const STARTS = Number(process.env.CHURN_STARTS ?? 12);

/** A start and an end are a second on a slow machine. */
export const timeLimitSeconds = 60 + 2 * STARTS;

const exam = suite('exam: churn');

/** What a change may take; more is a deadlock. */
const LONGEST_SECONDS = 5;
/** What the heap's garbage may come to; 700 changes that leak 24 KiB each make more. */
const MOST_GROWN = 16 << 20;

interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly bytes: number;
}

function heldBy(pid: number): Held {
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    bytes: residentBytes(pid),
  };
}

/** The last connection may still be closing. */
async function nothingLeaked(pid: number, before: Held): Promise<void> {
  let after = before;
  await waitUntil('all is given back', 2_000, () => {
    after = heldBy(pid);
    return after.descriptors <= before.descriptors && after.threads === before.threads;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify({ before, after })}`);
  });
  const grown = after.bytes - before.bytes;
  assert.ok(grown < MOST_GROWN, `it grew by ${grown} B from ${before.bytes} B`);
}

/** Pings all along, until `churn` is over; how many were answered. */
async function whilePinging(from: ExamEnd, to: string, churn: () => Promise<void>) {
  const child = from.host.start(['ping', '-q', '-i', '0.002', to]);
  let said = '';
  child.stdout?.on('data', (text) => {
    said += text;
  });
  const ended = new Promise((done) => child.once('close', done));
  await churn();
  child.kill('SIGINT');
  await ended;
  return Number(/, (\d+) received/.exec(said)?.[1]);
}

/** `wg set` for each line, one after the other; none may take long. */
async function setAll(end: ExamEnd, lines: readonly string[]): Promise<void> {
  const script = lines.map((line) => `timeout ${LONGEST_SECONDS} wg set ${end.interface} ${line}`);
  await end.host.must(['sh', '-ec', script.join('\n')], { limitMs: 60_000 });
}

exam('1000 changes under traffic leave nothing, and the traffic goes on', () =>
  withExam(async ({ left, right }) => {
    await pings(left.host, INNER.right[4]);
    const { pid } = await left.daemon.status();
    const key = right.keys.publicKey;
    const change = (i: number): string => {
      if (i % 100 === 50) return `listen-port ${i % 200 === 50 ? 9_000 : 1}`;
      const prefix = `10.${i >> 8}.${i & 255}.0/24`;
      if (i % 50 === 25) return `peer ${makeKeyPair().publicKey} allowed-ips ${prefix}`;
      return `peer ${key} persistent-keepalive ${1 + (i % 60)}`;
    };
    const changes = (from: number, to: number): string[] =>
      [...Array(to - from).keys()].map((i) => change(from + i));
    const answered = await whilePinging(left, INNER.right[4], async () => {
      await setAll(left, changes(0, 300));
      const before = heldBy(pid);
      await setAll(left, changes(300, 1_000));
      await nothingLeaked(pid, before);
    });
    assert.ok(answered > 200, `${answered} pings were answered`);
    await pings(left.host, INNER.right[4]);
    await pings(right.host, INNER.left[4]);
  }),
);

exam('an interface set down and up 500 times under traffic carries on each time', () =>
  withExam(async ({ left, right }) => {
    await pings(left.host, INNER.right[4]);
    const { pid } = await left.daemon.status();
    const flip = (times: number): Promise<string> => {
      const [name, to] = [left.interface, INNER.right[4]];
      const step = `ip link set ${name} down; ip link set ${name} up`;
      const loop = `i=0; while [ $i -lt ${times} ]; do ${step}; i=$((i+1)); done`;
      const words = ['sh', '-ec', `${loop}; ping -c 1 -W ${LONGEST_SECONDS} ${to}`];
      return left.host.must(words, { limitMs: 60_000 });
    };
    await whilePinging(right, INNER.left[4], async () => {
      await flip(100);
      const before = heldBy(pid);
      for (let i = 0; i < 4; i++) await flip(100);
      await nothingLeaked(pid, before);
    });
    assert.is(left.daemon.child.exitCode, null);
    await pings(right.host, INNER.left[4]);
  }),
);

exam('an interface that was moved is left alone; deleted there, it is made again at home', () =>
  withExam(async ({ middle, left, right }) => {
    await pings(left.host, INNER.right[4]);
    // Looks at the host come every five seconds, without a notice of other namespaces.
    await pause(6_000);
    await pings(left.host, INNER.right[4]);
    assert.not.match(ip(middle, 'link'), new RegExp(left.interface));
    ip(left.host, 'link', 'del', left.interface);
    const isHome = (): boolean => ip(middle, 'link').includes(left.interface);
    await waitUntil('the interface is at home', 7_000, isHome);
    ip(middle, 'addr', 'add', `${INNER.left[4]}/24`, 'dev', left.interface);
    await pings(right.host, INNER.left[4]);
    assert.is((await left.daemon.stop()).code, 0);
    assert.not(isHome());
  }),
);

exam(`${STARTS} daemons, started and ended under traffic, leave the host as it was`, () =>
  withExamLab(async (lab) => {
    const host = lab.host('0');
    const keys = makeKeyPair();
    const tunnel: LabTunnel = {
      ...{ interface: newInterface(), listenPort: 1, privateKey: keys.privateKey },
      addresses: ['10.77.0.1/24', 'fd77::1/64'],
      peers: [{ publicKey: makeKeyPair().publicKey, allowedIps: ['0.0.0.0/0', '::/0'] }],
    };
    const state = (): string =>
      [['-d', 'addr'], ['route', 'show', 'table', 'all'], ['rule'], ['-6', 'rule']]
        .map((words) => ip(host, ...words))
        .join('---\n');
    const before = state();
    host.start(['ping', '-q', '-i', '0.01', '10.77.0.9']);
    for (let i = 0; i < STARTS; i++) {
      const end = await startEnd({ lab, middle: host, host, tunnel, keys });
      const { code, stderr } = await end.daemon.stop();
      assert.is(code, 0, stderr);
      assert.is(state(), before, `after ${i + 1} starts`);
    }
  }),
);

exam.run();
