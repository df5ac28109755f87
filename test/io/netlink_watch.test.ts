/** What is told of changes that iproute2 makes, in a namespace of the test's own. */

import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadAddon, NETLINK_CHANGES } from '../../src/io/native.js';
import { NetlinkWatcher } from '../../src/io/netlink_watch.js';
import { ownNamespace } from '../support/own_namespace.js';

const test = suite('netlink watch');
const alone = ownNamespace(test, import.meta.url);

const LIMIT_MS = 5_000;

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: 'pipe' });
}

/** A watcher, what it told so far, and a way to wait for more. */
class Told {
  bits = 0;
  calls = 0;
  #resume: () => void = () => {};
  readonly watcher = new NetlinkWatcher(loadAddon(), (bits) => {
    this.bits |= bits;
    this.calls++;
    this.#resume();
  });

  /** Until each of these bits was told; false when that takes too long. */
  async hear(bits: number): Promise<boolean> {
    const end = Date.now() + LIMIT_MS;
    while ((this.bits & bits) !== bits) {
      if (Date.now() > end) return false;
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, LIMIT_MS);
        this.#resume = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    return true;
  }
}

const CASES = [
  { what: 'a link that is made', words: 'link add near type veth peer name far', bit: 'link' },
  { what: 'a link that is renamed', words: 'link set lo name other', bit: 'link' },
  { what: 'an MTU', words: 'link set lo mtu 1300', bit: 'link' },
  { what: 'an IPv4 address', words: 'addr add 10.0.0.1/24 dev lo', bit: 'address' },
  { what: 'an IPv6 address', words: 'addr add fd00::1/64 dev lo', bit: 'address' },
  { what: 'an IPv4 route', words: 'route add 10.9.0.0/16 dev lo', bit: 'route' },
  { what: 'an IPv6 route', words: '-6 route add fd09::/16 dev lo', bit: 'route' },
  { what: 'an IPv4 rule', words: 'rule add fwmark 7 table 77', bit: 'rule' },
  { what: 'an IPv6 rule', words: '-6 rule add fwmark 7 table 77', bit: 'rule' },
] as const;

for (const { what, words, bit } of CASES) {
  alone(`netlink watch: tells of ${what}`, async () => {
    // A name may only be given to a link that is down; its going down is no news of the rename.
    if (words.includes('name other')) ip('link set lo down');
    const told = new Told();
    ip(words);
    assert.ok(await told.hear(NETLINK_CHANGES[bit]), `${bit} within ${LIMIT_MS} ms`);
    assert.is(told.bits & NETLINK_CHANGES.overrun, 0);
    told.watcher.close();
  });
}

alone('netlink watch: a burst is a few calls, and what comes after it is told too', async () => {
  const told = new Told();
  for (let i = 0; i < 50; i++) ip(`addr add 10.1.0.${i}/32 dev lo`);
  assert.ok(await told.hear(NETLINK_CHANGES.address));
  assert.is(told.calls, 1, 'this thread was busy, so all of it is one call');
  told.bits = 0;
  ip('rule add fwmark 7 table 77');
  assert.ok(await told.hear(NETLINK_CHANGES.rule));
  told.watcher.close();
});

alone('netlink watch: a closed one tells nothing and closes twice', async () => {
  const [closed, open] = [new Told(), new Told()];
  ip('link set lo mtu 1300');
  closed.watcher.close();
  closed.watcher.close();
  assert.ok(await open.hear(NETLINK_CHANGES.link));
  assert.is(closed.calls, 0);
  open.watcher.close();
});

test.run();
